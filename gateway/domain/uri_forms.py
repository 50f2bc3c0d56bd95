"""A URI as it is written, and as whoever reads it may take it: so that no spelling of it slips past
a glob. Pure. Source: RFC 3986 §6.2.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

DEEPEST = 4  # times that a URI was encoded
_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_UNUSUAL = re.compile(r"%|/\.|//.*//|:\.")  # may have another form
_AFTER = re.compile(r"[?#]")
_SPECIAL = re.compile(r"[*?\[]")


def forms(uri: str) -> Sequence[str]:
    """As it is and, where that differs, decoded, with its scheme in lower case, and without the
    dots and doubled slashes of its path: once as a URI with a query, once as a mere path.
    """
    lowered = _lowered(uri)
    if lowered == uri and not _UNUSUAL.search(uri):
        return (uri,)
    after = _AFTER.search(lowered)
    end = len(lowered) if after is None else after.start()
    path, query = lowered[:end], _decoded(lowered[end:])
    read = f"{_resolved(_decoded(path))}{query}", _resolved(_decoded(lowered))
    return tuple(dict.fromkeys((uri, *read)))


def glob_forms(pattern: str) -> Sequence[str]:
    """The same of a glob: what it spells encoded, it means as it is."""
    read = "".join(
        part if index % 2 == 0 else _SPECIAL.sub(r"[\g<0>]", unquote(part))
        for index, part in enumerate(re.split(r"((?:%[0-9A-Fa-f]{2})+)", _lowered(pattern)))
    )
    return (pattern,) if read == pattern else (pattern, read)


def _lowered(uri: str) -> str:
    return _SCHEME.sub(_in_lower_case, uri, count=1)


def _in_lower_case(scheme: re.Match[str]) -> str:
    return scheme[0].lower()


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
