"""What a refusal says about how to be let in: the `WWW-Authenticate` header.

RFC 9110 section 11.6.1 (several challenges may share one header), RFC 6750 section 3, RFC 9728
section 5.1. Pure, linear, and never raises: whatever cannot be read is skipped.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LONGEST = 8192  # characters of the header that are looked at
MOST_SCOPES = 100

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  (a token of RFC 9110)
_PARAM = re.compile(
    rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))', re.DOTALL
)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$)))?")
_GAP = re.compile(r"[\s,]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3


@dataclass(frozen=True, slots=True)
class Challenge:
    """One of them; `scheme` and the names of `params` are in lower case."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a `Bearer` challenge asks for. Texts are the server's own: mind where they go."""

    resource_metadata: str | None = None
    scopes: frozenset[str] = frozenset()
    error: str | None = None


def wanted(headers: Mapping[str, str]) -> Wanted:
    """From the headers of a 401 or 403, names in lower case. Without a challenge: nothing."""
    for challenge in challenges(headers.get("www-authenticate", "")):
        if challenge.scheme == "bearer":
            params = challenge.params
            return Wanted(
                params.get("resource_metadata"), scopes(params.get("scope")), params.get("error")
            )
    return Wanted()


def scopes(text: str | None) -> frozenset[str]:
    """The scopes of a space-separated list, the first `MOST_SCOPES`; what can be none is left out.

    Where scopes go, they go into a URL.
    """
    found = (one for one in (text or "").split() if _SCOPE.fullmatch(one))
    return frozenset(itertools.islice(found, MOST_SCOPES))


def challenges(header: str) -> list[Challenge]:
    """All challenges of a header, several lines of which are joined by commas."""
    found: list[tuple[str, dict[str, str]]] = []
    for scheme, name, value in _parts(header[:LONGEST]):
        if scheme:
            found.append((scheme.lower(), {}))
        elif found:
            found[-1][1].setdefault(name.lower(), value)
    return [Challenge(scheme, params) for scheme, params in found]


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    """A scheme (`name` is empty), or a parameter of the one before (`scheme` is empty)."""
    at = 0
    while at < len(text):
        if gap := _GAP.match(text, at):
            at = gap.end()
        elif param := _PARAM.match(text, at):
            name, quoted, plain = param.groups()
            yield "", name, _ESCAPED.sub(r"\1", quoted) if plain is None else plain
            at = param.end()
        elif scheme := _SCHEME.match(text, at):
            yield scheme[1], "", ""
            at = scheme.end()
        else:
            at += 1
