"""A request's place at its server, given up while its client is being asked.

A person may take minutes to answer, and a modern client may never come back: nobody else is to wait
for that. Whoever comes back is the next to get in.
"""

import asyncio

from gateway.domain.client import Client, Through
from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError
from gateway.failsafe.gate import Gate


class Seat(Through):
    """The client of a request that is inside `gate`. `leave` when the request has ended."""

    __slots__ = ("_asking", "_gate", "_held", "_over", "_way_in")

    def __init__(self, client: Client, gate: Gate) -> None:
        super().__init__(client)
        self._gate = gate
        self._asking = 0
        self._held = True
        self._over = False
        self._way_in = asyncio.Lock()  # two answers at a time must not take two places

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        """As the client's own; several questions may be open at once."""
        refused: GatewayError | None = None
        answer: JsonObject = {}
        self._asking += 1
        self._step_out()
        try:
            answer = await self._client.ask(method, params)
        except GatewayError as error:
            refused = error
        finally:
            self._asking -= 1
        async with self._way_in:
            if not (self._held or self._over or self._asking):
                await self._step_in()
        if refused is not None:
            raise refused
        return answer

    def leave(self) -> None:
        """The request has ended, maybe while its client was still being asked."""
        self._over = True
        if self._held:
            self._held = False
            self._gate.leave()
        else:
            self._gate.away -= 1

    def _step_out(self) -> None:
        if self._held:
            self._held = False
            self._gate.away += 1
            self._gate.leave()

    async def _step_in(self) -> None:
        await self._gate.back()
        if self._ended():  # while it waited
            self._gate.leave()
            return
        self._held = True
        self._gate.away -= 1
        if self._asking:  # something else, by now
            self._step_out()

    def _ended(self) -> bool:
        return self._over
