"""The way back to each kind of client while its request is open: one class an era, any transport.

`say` takes a message that may be left out when the client reads too slowly, `send` one that may
not.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from gateway.domain.tool import JsonObject
from gateway.errors import ClientGone
from gateway.protocol import jsonrpc, mcp
from gateway.server.asking import check, loud_enough
from gateway.server.dialogue import Dialogue

USUAL_LEVEL = "info"  # what a modern server is told of a client that never set one


class Sender(Protocol):
    """What carries messages to the client of one open request."""

    def say(self, message: bytes) -> None: ...

    def send(self, message: bytes) -> None: ...


class ModernClient(msgspec.Struct, eq=False):
    """Told of its request on the stream of the answer. It is asked by parking, which wraps this."""

    capabilities: JsonObject
    params: Mapping[str, Any]
    sender: Sender

    @property
    def modern(self) -> bool:
        return True

    @property
    def log_level(self) -> str | None:
        level: str | None = _meta(self.params).get(mcp.LOG_LEVEL)
        return level

    def notify(self, method: str, params: JsonObject) -> None:
        if method == mcp.PROGRESS:
            _progress(self.sender, self.params, params)
        elif method == mcp.MESSAGE and (level := self.log_level) is not None:
            _message(self.sender, level, params)

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        check(self.capabilities, method, params)
        raise ClientGone("the request was not expected to bring questions; send it again")


class LegacyClient(msgspec.Struct, eq=False):
    """Told and asked on the stream of its request."""

    dialogue: Dialogue
    params: Mapping[str, Any]
    sender: Sender

    @property
    def modern(self) -> bool:
        return False

    @property
    def capabilities(self) -> JsonObject:
        return self.dialogue.capabilities

    @property
    def log_level(self) -> str | None:
        return self.dialogue.level or USUAL_LEVEL

    def notify(self, method: str, params: JsonObject) -> None:
        """One that never set a level gets whatever a server sends, as the specification has it."""
        if method == mcp.PROGRESS:
            _progress(self.sender, self.params, params)
        elif method == mcp.MESSAGE:
            _message(self.sender, self.dialogue.level, params)
        else:
            self.sender.say(jsonrpc.notification(method, jsonrpc.encode(params)))

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        return await self.dialogue.ask(method, params, self.sender.send)


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if type(meta) is dict else {}


def _progress(sender: Sender, request: Mapping[str, Any], params: JsonObject) -> None:
    token = jsonrpc.as_id(_meta(request).get("progressToken"))
    if token is not None:
        raw = jsonrpc.encode({**params, "progressToken": token})
        sender.say(jsonrpc.notification(mcp.PROGRESS, raw))


def _message(sender: Sender, level: str | None, params: JsonObject) -> None:
    if level is None or loud_enough(params, level):
        sender.say(jsonrpc.notification(mcp.MESSAGE, jsonrpc.encode(params)))
