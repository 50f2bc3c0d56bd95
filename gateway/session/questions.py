"""What a legacy server asks us, answered by the client whose request it concerns.

The rule: every question gets an answer or has nobody waiting for it. Questions run beside the
requests, a bounded number of them, and end with the request that they belong to.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.domain.client import KINDS, NOBODY, missing
from gateway.domain.tool import JsonObject
from gateway.errors import CapabilityMissing, ClientRefused, GatewayError
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.questions import for_client, lacking
from gateway.session.flights import Flight

MOST_EACH = 64  # of one request at once, and of none; more of them get no answer
MOST = 2_048  # in all: each that is parked stays until its client comes back
ROOTS = "roots/list"
NO_ROOTS: JsonObject = {"roots": []}

Send = Callable[[bytes], Awaitable[None]]  # raises GatewayError


class Questions:
    """`send` takes the answers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open: dict[jsonrpc.Id, asyncio.Task[None]] = {}
        self._of_none: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def put(self, id: jsonrpc.Id, method: str, params: bytes | None, flight: Flight | None) -> None:
        """A question; an id that is being answered already is not answered twice (I57)."""
        current = self._open.get(id)
        answering = current is not None and not (current.done() or current.cancelling())
        beside = self._of_none if flight is None else flight.questions
        if answering or len(beside or ()) >= MOST_EACH or len(self._open) >= MOST:
            return
        task = asyncio.create_task(self._answer(id, method, params, flight))
        self._open[id] = task
        task.add_done_callback(lambda ended: self._closed(id, ended))
        if beside is None and flight is not None:
            beside = flight.questions = set()
        if beside is not None:
            beside.add(task)
            task.add_done_callback(beside.discard)

    def _closed(self, id: jsonrpc.Id, task: asyncio.Task[None]) -> None:
        if self._open.get(id) is task:
            del self._open[id]

    def withdraw(self, id: object) -> None:
        """The server wants no answer any more."""
        task = self._open.get(id) if isinstance(id, str | int) else None
        if task is not None:
            task.cancel()

    def close(self) -> None:
        for task in self._open.values():
            task.cancel()

    async def _answer(
        self, id: jsonrpc.Id, method: str, params: bytes | None, flight: Flight | None
    ) -> None:
        try:
            result = await self._result(method, params, flight)
            answer = jsonrpc.result(id, jsonrpc.encode(result))
        except _Declined as declined:
            answer = jsonrpc.error(id, declined.code, str(declined))
        except ClientRefused as refused:
            answer = jsonrpc.error(id, refused.number, refused.said, refused.data)
        except GatewayError as error:
            answer = jsonrpc.error(id, jsonrpc.INTERNAL_ERROR, str(error))
        try:
            await self._send(answer)
        except GatewayError:
            return  # whoever asked is gone

    async def _result(self, method: str, params: bytes | None, flight: Flight | None) -> JsonObject:
        if method == mcp.PING:
            return {}
        if method not in KINDS:
            raise _Declined(jsonrpc.METHOD_NOT_FOUND, "method not found")
        if flight is None or flight.client is NOBODY:
            return _nobody(method)
        asked = _read(params)
        client = flight.client
        lack = lacking(method, asked, client.capabilities)
        if lack is None:
            try:
                return await client.ask(method, for_client(asked, modern=client.modern))
            except CapabilityMissing as error:
                lack = error
        if method == ROOTS:
            return NO_ROOTS
        flight.declined = lack
        raise _Declined(jsonrpc.METHOD_NOT_FOUND, f"the client does not support {KINDS[method]}")


class _Declined(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _nobody(method: str) -> JsonObject:
    """The answer where no client is concerned."""
    if method == ROOTS:
        return NO_ROOTS
    raise _Declined(jsonrpc.METHOD_NOT_FOUND, f"{missing(method)}, and there is none to ask")


def _read(params: bytes | None) -> JsonObject:
    try:
        return jsonrpc.loads(params) if params else {}
    except (ValueError, RecursionError):
        raise _Declined(jsonrpc.INVALID_PARAMS, "the params are unreadable") from None
