"""The one shape of all credentials of REST APIs."""

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.http.message import HttpRequest, HttpResponse

Rendered = Callable[[], str]  # an operator's text with the secrets of this moment filled in
Render = Callable[[str], Rendered]  # compiles such a text

Pairs = tuple[tuple[str, str], ...]


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
