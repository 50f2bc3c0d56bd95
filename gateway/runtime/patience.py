"""A client whose answers do not count as the server's time: while asked, the deadline rests."""

import asyncio
import contextlib
import math

from gateway.domain.client import Client, Through
from gateway.domain.tool import JsonObject
from gateway.errors import ClientGone


class Patient(Through):
    """`client`, with `timer` moved on by as long as each question takes."""

    __slots__ = ("_asking", "_left", "_timer")

    def __init__(self, client: Client, timer: asyncio.Timeout) -> None:
        super().__init__(client)
        self._timer = timer
        self._asking = 0
        self._left = 0.0

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        """As the client's own; several questions may be open at once."""
        now = asyncio.get_running_loop().time
        if not self._asking:
            self._left = (self._timer.when() or math.inf) - now()
            try:
                self._timer.reschedule(None)
            except RuntimeError:  # a server may ask in the moment in which its time is up
                raise ClientGone("the call has ended, and its client with it") from None
        self._asking += 1
        try:
            return await self._client.ask(method, params)
        finally:
            self._asking -= 1
            if not self._asking and self._left < math.inf:
                with contextlib.suppress(RuntimeError):  # the call ended before its question did
                    self._timer.reschedule(now() + max(self._left, 0.0))
