"""The request a template renders to, and the response a mapping reads. Plain values, no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`url` is complete and percent-encoded as it must go out (never normalise it again).

    `headers` keep the author's spelling; no name occurs twice. The content type is one of them.
    `route` is the origin and the *path template* (`GET https://h/repos/{owner}`): what logs may
    show in the place of the URL, and all that `repr` does: the rest may hold secrets.
    """

    method: str = field(repr=False)
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    route: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`headers` have lower-case names (repeated ones joined by `, `); `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def target(url: str) -> str:
    """The request target of an encoded URL: its path, never empty, and its query."""
    start = url.index("://") + 3
    ends = [at for mark in "/?" if (at := url.find(mark, start)) >= 0]
    found = url[min(ends, default=len(url)) :]
    return found if found.startswith("/") else f"/{found}"


def headers_of(received: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """As an HttpResponse has them; `received` are in Latin-1, names in lower case."""
    found: dict[str, str] = {}
    for name, value in received:
        text = value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found
