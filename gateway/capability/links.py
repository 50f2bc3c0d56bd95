"""A URL in an API's answer (the next page, a job): where it leads, or why it is not followed.

It is data. What comes out always begins with the origin we asked already, and has no segment that a
server could take for `.` or `..`; nothing in it is decoded or normalised.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, quote, unquote_plus, urljoin, urlsplit

from gateway.capability.decode import snippet
from gateway.capability.escape import refuse_dots
from gateway.capability.values import RenderError

LONGEST = 64 * 1024  # characters
MOST_SHOWN = 100  # of an origin
PORTS = {"http": 80, "https": 443}

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PATH = "/%:@!$&'()*+,;=-._~"
_QUERY = _PATH + "?[]"
_LINK = re.compile(
    r"<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s\",;]*))?)*)"
)
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]*))", re.IGNORECASE)


class LinkError(ValueError):
    """The link cannot be followed; the text says why, and holds at most its origin."""


def led_to(here: str, link: object, without: Collection[str] = ()) -> str:
    """Where `link` leads, which stands in the answer to the URL `here`. Raises LinkError.

    Query pairs named in `without` are left out: an API that repeats our key in its links is not
    to be shown it twice.
    """
    if not isinstance(link, str) or not link.strip():
        raise LinkError("is no URL")
    text = link.strip()
    if len(text) > LONGEST or _CONTROL.search(text):
        raise LinkError("is no URL")
    try:
        joined = urlsplit(urljoin(here, text))
        _check_origin(urlsplit(here), joined)
        for segment in filter(None, joined.path.split("/")):
            refuse_dots(segment)
        path, query = quote(joined.path or "/", _PATH), quote(joined.query, _QUERY)
    except LinkError:
        raise
    except RenderError as error:
        raise LinkError(f"has a path that is refused: {error}") from None
    except ValueError:
        raise LinkError("is no URL") from None
    kept = [pair for pair in query.split("&") if name_of(pair) not in without]
    return origin(here) + path + ("?" + "&".join(kept) if any(kept) else "")


def origin(url: str) -> str:
    """Of a URL of ours: `https://api.example.com`."""
    return "/".join(url.split("/", 3)[:3])


def path_of(url: str) -> str:
    """What may be shown of a URL: a query can hold a key."""
    return url.removeprefix(origin(url)).partition("?")[0] or "/"


def name_of(pair: str) -> str:
    """The name in an encoded `name=value`."""
    return unquote_plus(pair.partition("=")[0])


def next_link(header: str) -> str | None:
    """The URL of `rel=next` in a Link header (RFC 8288 §3)."""
    for url, parameters in _LINK.findall(header):
        found = _REL.search(parameters)
        if found and "next" in (found[1] or found[2]).lower().split():
            return str(url)
    return None


def _check_origin(ours: SplitResult, theirs: SplitResult) -> None:
    """A proxy that ends TLS makes APIs say `http:` of what is our own `https:`: it is no other."""
    host, port = theirs.hostname, theirs.port or PORTS.get(theirs.scheme)
    scheme = theirs.scheme
    if (scheme, port, ours.scheme) == ("http", PORTS["http"], "https"):
        scheme, port = "https", PORTS["https"]
    ours_at = (ours.scheme, ours.hostname, ours.port or PORTS.get(ours.scheme))
    if (scheme, host, port) != ours_at:
        shown = f"{theirs.scheme}://{host}" + (f":{theirs.port}" if theirs.port else "")
        raise LinkError(f"leads to another origin, {snippet(shown, MOST_SHOWN)}")
    if theirs.username is not None or theirs.password is not None:
        raise LinkError("holds a user name")
