"""A URL in an API's answer (the next page, a job, an upload): where it leads, or why it is not
followed.

It is data. What comes out always begins with the origin we asked already, and has no segment that a
server could take for `.` or `..`; nothing in it is decoded or normalised.
"""

import re
from collections.abc import Callable, Collection
from urllib.parse import SplitResult, quote, unquote_plus, urljoin, urlsplit

from gateway.capability.answers.decode import snippet
from gateway.capability.expressions.escape import refuse_dots
from gateway.capability.expressions.values import RenderError

LONGEST = 64 * 1024  # characters
MOST_SHOWN = 100  # of an origin
PORTS = {"http": 80, "https": 443}

_AS_SENT = re.compile(r"[A-Za-z0-9%:/?\[\]@!$&'()*+,;=._~-]+")  # RFC 3986, no fragment
_WHOLE = re.compile(r"https?://", re.IGNORECASE)
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
    joined = _checked(here, lambda: urljoin(here, text))
    try:
        path, query = quote(joined.path or "/", _PATH), quote(joined.query, _QUERY)
    except ValueError:  # half a character
        raise LinkError("is no URL") from None
    kept = _without(query, without)
    return origin(here) + path + (f"?{kept}" if kept.strip("&") else "")


def as_given(here: str, link: object, without: Collection[str] = ()) -> str:
    """`link` as it is, at the origin of `here`, a URL of ours. Raises LinkError.

    It is a URL or an absolute path, with nothing in it that would have to be encoded: a signature
    or a state in it is good for these very letters. `without` is as in `led_to`.
    """
    if not isinstance(link, str) or not link or len(link) > LONGEST:
        raise LinkError("is no URL")
    if "#" in link:
        raise LinkError("has a fragment")
    if not _AS_SENT.fullmatch(link):
        raise LinkError("holds a character that no URL has")
    local = link.startswith("/") and not link.startswith("//")
    if not local and not _WHOLE.match(link):
        raise LinkError("is neither a URL nor a path that starts with '/'")
    parts = _checked(here, lambda: origin(here) + link if local else link)
    kept = _without(parts.query, without)
    return origin(here) + (parts.path or "/") + (f"?{kept}" if "?" in link else "")


def _checked(here: str, whole: Callable[[], str]) -> SplitResult:
    """`whole()` at our own origin, and without a segment that climbs. Raises LinkError."""
    try:
        found = urlsplit(whole())
        _check_origin(urlsplit(here), found)
        for segment in filter(None, found.path.split("/")):
            refuse_dots(segment)
    except LinkError:
        raise
    except RenderError as error:
        raise LinkError(f"has a path that is refused: {error}") from None
    except ValueError:
        raise LinkError("is no URL") from None
    return found


def _without(query: str, names: Collection[str]) -> str:
    return "&".join(pair for pair in query.split("&") if name_of(pair) not in names)


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
        shown = f"{theirs.scheme}://{theirs.netloc.rpartition('@')[2]}"  # as they write it
        raise LinkError(f"leads to another origin, {snippet(shown, MOST_SHOWN)}")
    if theirs.username is not None or theirs.password is not None:
        raise LinkError("holds a user name")
