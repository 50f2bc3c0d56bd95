"""A URI as it is written, and as whoever reads it may take it: so that no spelling of it slips past
a glob. Pure. Source: RFC 3986 §6.2; for what browsers know, the URL Standard (WHATWG), by which the
SDKs of MCP read URIs.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

DEEPEST = 4  # times that a URI was encoded
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_UNUSUAL = re.compile(r"%|/\.|(?<![:/])//|:////|:\.")  # may have another form
_BROWSED = re.compile(r"\A(?:https?|wss?|ftp|file):")
_PLAIN = re.compile(r"(?:file://|(?:https?|wss?|ftp)://[a-z0-9.-]+)(?:/[^\\]*)?")  # to browsers
_NO_URI = re.compile(r"[\x00-\x1f\x7f]|\A | \Z")
_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443", "ftp": ":21"}
_AFTER = re.compile(r"[?#]")
_SPECIAL = re.compile(r"[*?\[]")
_ENCODED = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")


def forms(uri: str) -> Sequence[str]:
    """As it is and, where that differs, decoded, with its scheme in lower case, and without the
    dots and doubled slashes of its path: once as a URI with a query, once as a mere path. None of
    what is no URI: readers take out control characters and spaces at its ends, each in its way.
    """
    if _NO_URI.search(uri):
        return ()
    lowered = _lowered(uri)
    plain = not _BROWSED.match(lowered) or _PLAIN.fullmatch(lowered)
    if lowered == uri and plain and not _UNUSUAL.search(uri):
        return (uri,)
    after = _AFTER.search(lowered)
    end = len(lowered) if after is None else after.start()
    path, query = lowered[:end], _decoded(lowered[end:])
    read = f"{_resolved(_browsed(_decoded(path)))}{query}", _resolved(_browsed(_decoded(lowered)))
    return tuple(dict.fromkeys((uri, *read)))


def bare(found: Iterable[str]) -> Sequence[str]:
    """Those of these forms that have a query or fragment, without: some who read a resource leave
    them out.
    """
    return [form[: after.start()] for form in found if (after := _AFTER.search(form))]


def glob_forms(pattern: str) -> Sequence[str]:
    """The same of a glob: what it spells encoded, it means as it is."""
    read = "".join(
        part if index % 2 == 0 else _SPECIAL.sub(r"[\g<0>]", unquote(part))
        for index, part in enumerate(_ENCODED.split(_browsed(_lowered(pattern))))
    )
    return (pattern,) if read == pattern else (pattern, read)


def _lowered(uri: str) -> str:
    return _SCHEME.sub(_in_lower_case, uri, count=1)


def _in_lower_case(scheme: re.Match[str]) -> str:
    return scheme[0].lower()


def _browsed(uri: str) -> str:
    """As browsers write it, of the schemes that they know: any slashes before the host, which is in
    lower case and without its scheme's own port; files are on this machine.
    """
    found = _BROWSED.match(uri)
    if found is None:
        return uri
    scheme, rest = found[0][:-1], uri[found.end() :].replace("\\", "/")
    if scheme == "file":
        host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "/", rest)
        return f"file://{'' if host.lower() == 'localhost' else host.lower()}{slash}{path}"
    host, slash, path = rest.lstrip("/").partition("/")
    return f"{scheme}://{host.lower().removesuffix(_PORTS[scheme])}{slash}{path}"


def _decoded(uri: str) -> str:
    for _ in range(DEEPEST):
        before, uri = uri, unquote(uri)
        if uri == before:
            break
    return uri


def _resolved(uri: str) -> str:
    """Its path without what leads nowhere, and without what leads up."""
    begin = uri.find(":") + 1
    scheme, path = uri[:begin], uri[begin:]
    authority = ""
    if path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        authority, path = f"//{authority}", slash + path
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[-1:]
        elif segment not in ("", "."):
            found.append(segment)
    root = "/" if path.startswith("/") else ""
    last = path.rpartition("/")[2]
    end = "/" if found and last in ("", ".", "..") else ""
    return f"{scheme}{authority}{root}{'/'.join(found)}{end}"
