"""The request a tool's template renders to, and the response its mapping reads. Plain values, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`url` is complete and percent-encoded as it must go out (never normalise it again).

    `headers` keep the author's spelling; no name occurs twice. `content_type` travels inside `headers`. `route` is the
    origin and the *path template* (`GET https://h/repos/{owner}`): what logs may show in the place of the URL.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    route: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`headers` have lower-case names (repeated ones joined by `, `); `body` is decoded from its content encoding."""

    status: int
    headers: Mapping[str, str]
    body: bytes
