"""The way back to each kind of client while its request is open: one class an era, any transport.

`say` takes a message that may be left out when the client reads too slowly, `send` one that may
not.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from gateway.domain.tool import JsonObject
from gateway.errors import ClientGone
from gateway.protocol import jsonrpc, mcp
from gateway.server.asking import check, loud_enough
from gateway.server.dialogue import Dialogue

USUAL_LEVEL = "info"  # what a modern server is told of a client that never set one


class Line(Protocol):
    """What carries messages to the client of one open request."""

    def say(self, message: bytes) -> None: ...

    def send(self, message: bytes) -> None: ...


class ModernClient:
    """Told of its request on the stream of the answer. It is asked by parking, which wraps this."""

    __slots__ = ("_line", "_token", "capabilities", "log_level")

    modern = True

    def __init__(self, capabilities: JsonObject, params: Mapping[str, Any], line: Line) -> None:
        meta = _meta(params)
        self.capabilities = capabilities
        self.log_level: str | None = meta.get(mcp.LOG_LEVEL)
        self._token = jsonrpc.as_id(meta.get("progressToken"))
        self._line = line

    def notify(self, method: str, params: JsonObject) -> None:
        if method == mcp.PROGRESS:
            _progress(self._line, self._token, params)
        elif method == mcp.MESSAGE and self.log_level is not None:
            _message(self._line, self.log_level, params)

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        check(self.capabilities, method, params)
        raise ClientGone("the request was not expected to bring questions; send it again")


class LegacyClient:
    """Told and asked on the stream of its request."""

    __slots__ = ("_dialogue", "_line", "_token")

    modern = False

    def __init__(self, dialogue: Dialogue, params: Mapping[str, Any], line: Line) -> None:
        self._dialogue = dialogue
        self._token = jsonrpc.as_id(_meta(params).get("progressToken"))
        self._line = line

    @property
    def capabilities(self) -> JsonObject:
        return self._dialogue.capabilities

    @property
    def log_level(self) -> str | None:
        return self._dialogue.level or USUAL_LEVEL

    def notify(self, method: str, params: JsonObject) -> None:
        """One that never set a level gets whatever a server sends, as the specification has it."""
        if method == mcp.PROGRESS:
            _progress(self._line, self._token, params)
        elif method == mcp.MESSAGE:
            _message(self._line, self._dialogue.level, params)
        else:
            self._line.say(jsonrpc.notification(method, jsonrpc.encode(params)))

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        return await self._dialogue.ask(method, params, self._line.send)


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if type(meta) is dict else {}


def _progress(line: Line, token: jsonrpc.Id | None, params: JsonObject) -> None:
    if token is not None:
        raw = jsonrpc.encode({**params, "progressToken": token})
        line.say(jsonrpc.notification(mcp.PROGRESS, raw))


def _message(line: Line, level: str | None, params: JsonObject) -> None:
    if level is None or loud_enough(params, level):
        line.say(jsonrpc.notification(mcp.MESSAGE, jsonrpc.encode(params)))
