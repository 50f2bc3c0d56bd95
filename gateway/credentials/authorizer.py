"""What we show to one MCP server, and how we hear that it was not enough."""

from collections.abc import Mapping
from typing import Protocol

from gateway.credentials.base import Pairs


class Authorizer(Protocol):
    """Asked for every request, because tokens expire. Requests of one server share it."""

    async def headers(self) -> Pairs:
        """For the next request. Raises BackendUnavailable when there is nothing to show yet."""
        ...

    def query(self) -> Pairs:
        """Pairs to add to the URL's query, not percent-encoded yet; mostly none."""
        ...

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        """The server answered 401 or 403 to what `headers` gave, `shown`; True: ask again, once.

        `headers` are those of its answer, names in lower case. A refusal of what is no longer
        shown is no reason to drop what is shown now. Raises BackendUnavailable, whose hint says
        what a person has to do. After True, a second refusal of the same request is `challenged`
        again, and then raises or gives False.
        """
        ...

    async def aclose(self) -> None:
        """Let go of secrets, listeners and flows. Twice is once."""
        ...
