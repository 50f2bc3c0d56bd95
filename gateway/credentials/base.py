"""The one shape of all credentials of REST APIs, and of the templates they are made with."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from gateway.domain.client import NOTHING
from gateway.http.message import HttpRequest, HttpResponse

Pairs = tuple[tuple[str, str], ...]


class Text(NamedTuple):
    """A template below `auth:`, at `path`. Where `secret`, it may read `secrets` beside `vars`.

    `names` are what else it may read, such as `token`.
    """

    path: tuple[str, ...]
    text: str
    names: tuple[str, ...] = ()
    secret: bool = True


class Rendered(Protocol):
    """A template's text, with the secrets of this moment and `more` filled in.

    Raises BackendUnavailable when a secret is missing, or the template gives nothing.
    """

    def __call__(self, more: Mapping[str, Any] = NOTHING) -> str: ...


class Render(Protocol):
    """Compiles a template that `Auth.texts` told of; `names` as there."""

    def __call__(self, text: str, names: tuple[str, ...] = ()) -> Rendered: ...


class Credential(Protocol):
    """Proves to an API who we are. One for all calls of a backend."""

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        """`request` with the proof, asked for anew before each attempt: secrets rotate.

        `inbound` are headers of the request that brought the call, names in lower case; only
        `forward` looks at them. Raises BackendUnavailable when there is nothing to show.
        """
        ...

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        """The API answered `sent`, which `apply` gave, with an error; True: apply, and send again.

        Asked once an attempt. True only where the answer says that nothing was done: a 401, or the
        like. Raises BackendUnavailable when no proof can be had.
        """
        ...

    async def aclose(self) -> None:
        """The backend ends. Twice is once."""
        ...
