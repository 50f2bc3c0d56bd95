"""The way back to whoever sent a request, for as long as that request is open.

Backends tell and ask through it, so none of them knows which front, era or transport its caller
uses. Each front implements it once.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from gateway.domain.tool import JsonObject
from gateway.domain.tracing import Trace
from gateway.errors import CapabilityMissing

NOTHING: JsonObject = MappingProxyType({})
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "elicitation/create": "elicitation",
        "sampling/createMessage": "sampling",
        "roots/list": "roots",
    }
)  # what a server may ask its client → the ClientCapabilities member that allows it


def nothing() -> JsonObject:
    return NOTHING


class Client(Protocol):
    """`notify` and `ask` take MCP method names and params in the words of the newest revision."""

    @property
    def capabilities(self) -> JsonObject:
        """What it can do, shaped like MCP's ClientCapabilities, as it declared."""
        ...

    @property
    def modern(self) -> bool:
        """Whether its request may be answered with `input_required`.

        A backend that answers so hands it on to a modern client, and drives it by `ask` for others.
        """
        ...

    @property
    def log_level(self) -> str | None:
        """The least severe `notifications/message` it wants; None: none at all."""
        ...

    def notify(self, method: str, params: JsonObject) -> None:
        """Tell it something about its request: `notifications/progress` or `/message`.

        Never blocks or raises; what the client did not ask for is dropped here. The progress token
        in `params` is replaced by the client's own.
        """
        ...

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        """Ask it (a key of `KINDS`); gives its result, as late as a person takes to answer.

        Raises CapabilityMissing when it never declared that it can be asked, ClientRefused when it
        answered with an error, ClientGone when it can no longer answer.
        """
        ...


class Through:
    """A client with something done on the way to it: subclasses say what, in `ask`."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def capabilities(self) -> JsonObject:
        return self._client.capabilities

    @property
    def modern(self) -> bool:
        return self._client.modern

    @property
    def log_level(self) -> str | None:
        return self._client.log_level

    def notify(self, method: str, params: JsonObject) -> None:
        self._client.notify(method, params)


class Nobody:
    """A caller that can be neither told nor asked: the command line, and the gateway itself."""

    capabilities: JsonObject = NOTHING
    modern = True
    log_level: str | None = None

    def notify(self, method: str, params: JsonObject) -> None:
        pass

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        raise missing(method)


def missing(method: str, part: str | None = None) -> CapabilityMissing:
    """What `ask` raises for a client that never declared the capability behind `method`, or that
    part of it.
    """
    kind = KINDS.get(method, method)
    wanted = kind if part is None else f"{kind} ({part})"
    required: JsonObject = {} if part is None else {part: {}}
    return CapabilityMissing(f"the server asks its client for {wanted}", {kind: required})


NOBODY: Client = Nobody()


class Context(NamedTuple):
    """What a request brings beside its arguments.

    `params` are those of its own, as they came, without `name` and `arguments`: `_meta`, `task`,
    `inputResponses`, `requestState`. `headers` are those of the HTTP request it came in, names in
    lower case, without the gateway's own credentials; none where it came by another way. `id` is
    that of the JSON-RPC request, `size` the bytes of the message it came in; `trace` is where it
    belongs in the caller's trace.
    """

    client: Client = NOBODY
    params: JsonObject = NOTHING
    headers: Mapping[str, str] = NOTHING
    id: str | int | None = None
    size: int = 0
    trace: Trace | None = None


NO_CONTEXT = Context()
