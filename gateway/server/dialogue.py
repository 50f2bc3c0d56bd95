"""A legacy client as long as we know it: what it settled, and what it is being asked right now.

One for each session or stdio peer. Only that one can answer its questions, by ids that nobody
guesses.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.domain.client import NOTHING
from gateway.domain.tool import JsonObject
from gateway.errors import Busy, ClientGone, ClientRefused, Reached
from gateway.protocol import jsonrpc, mcp
from gateway.server.asking import ELICIT, check

PATIENCE = 600.0  # seconds that a person has to answer
MOST_OPEN = 256  # questions to one client

Send = Callable[[bytes], None]


class Dialogue:
    """`level` is what `logging/setLevel` said; None: the client never did.

    `expect` takes the id of each elicitation that the client completes elsewhere.
    """

    def __init__(self, capabilities: JsonObject = NOTHING, patience: float = PATIENCE) -> None:
        self.capabilities = capabilities
        self.level: str | None = None
        self.expect: Callable[[str], None] = _ignore
        self._patience = patience
        self._open: dict[jsonrpc.Id, asyncio.Future[JsonObject]] = {}
        self._over = False

    async def ask(self, method: str, params: JsonObject, send: Send) -> JsonObject:
        """Send it a request and give its result. Raises as `Client.ask` says.

        When nobody waits for the answer any more, it is told so.
        """
        check(self.capabilities, method, params)
        if self._over:
            raise ClientGone("the client has ended its session")
        if len(self._open) >= MOST_OPEN:
            text = "the client has too many questions to answer already"
            raise Busy(text, reached=Reached.SENT_UNKNOWN)
        id = secrets.token_hex(12)
        answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._open[id] = answer
        if (elsewhere := params.get("elicitationId")) is not None:
            self.expect(str(elsewhere))
        send(jsonrpc.request(id, method, jsonrpc.encode(_worded(id, method, params))))
        try:
            async with asyncio.timeout(self._patience):
                return await answer
        except TimeoutError:
            send(_cancelled(id))
            raise ClientGone(f"the client did not answer within {self._patience:g} s") from None
        except asyncio.CancelledError:
            send(_cancelled(id))
            raise
        finally:
            self._open.pop(id, None)

    def answered(self, response: jsonrpc.Response) -> None:
        """Take the answer to one of our questions; any other is ignored, as it must be (I22)."""
        answer = None if response.id is None else self._open.pop(response.id, None)
        if answer is None or answer.done():
            return
        if response.error is not msgspec.UNSET:
            answer.set_exception(_refusal(response.error))
        elif type(response.result) is dict:
            answer.set_result(response.result)
        else:
            said = "its answer is no object"
            answer.set_exception(ClientRefused(jsonrpc.INVALID_REQUEST, said))

    def end(self) -> None:
        """It will answer nothing any more."""
        self._over = True
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(ClientGone("the client has ended its session"))
        self._open.clear()


def capabilities_of(params: Mapping[str, Any]) -> JsonObject:
    """What the client declared in `initialize`; nothing where that is no object."""
    declared = params.get("capabilities")
    return declared if type(declared) is dict else NOTHING


def _worded(id: str, method: str, params: JsonObject) -> JsonObject:
    """Revision 2025-11-25 wants a name for each URL that a person is sent to; newer ones do not."""
    if method == ELICIT and params.get("mode") == "url":
        return {"elicitationId": id, **params}
    return params


def _cancelled(id: str) -> bytes:
    params = {"requestId": id, "reason": "the answer is not needed any more"}
    return jsonrpc.notification(mcp.CANCELLED, jsonrpc.encode(params))


def _refusal(error: Any) -> ClientRefused:
    fields = error if type(error) is dict else {}
    number, said = fields.get("code"), fields.get("message")
    return ClientRefused(
        number if type(number) is int else jsonrpc.INTERNAL_ERROR,
        said if type(said) is str else "no reason given",
        fields.get("data"),
    )


def _ignore(_: str) -> None:
    pass
