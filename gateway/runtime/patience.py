"""Clients that move the deadline of their call: while one is asked it rests, and where the operator
wants it so, it begins anew whenever the server tells of progress.
"""

import asyncio
import contextlib
import math
from collections.abc import Mapping

from gateway.domain.client import Client, Context, Through
from gateway.domain.tool import JsonObject
from gateway.errors import ClientGone
from gateway.protocol.envelope import META, TOKEN
from gateway.protocol.mcp import PROGRESS


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


class Hopeful(Patient):
    """The same, with `seconds` anew at each progress, but no more than `most` in all."""

    __slots__ = ("_end", "_seconds")

    def __init__(self, client: Client, timer: asyncio.Timeout, seconds: float, most: float) -> None:
        super().__init__(client, timer)
        self._seconds = seconds
        self._end = asyncio.get_running_loop().time() + most

    def notify(self, method: str, params: JsonObject) -> None:
        until = self._timer.when()
        if method == PROGRESS and until is not None:
            anew = min(asyncio.get_running_loop().time() + self._seconds, self._end)
            if anew > until:
                with contextlib.suppress(RuntimeError):  # its time was up this very moment
                    self._timer.reschedule(anew)
        super().notify(method, params)


def extending(context: Context, timer: asyncio.Timeout, seconds: float, most: float) -> Context:
    """`context` with a client that is hopeful; its server is asked to tell of progress."""
    meta = context.params.get(META)
    wanted = {TOKEN: 0, **(meta if isinstance(meta, Mapping) else {})}
    return context._replace(
        client=Hopeful(context.client, timer, seconds, most),
        params={**context.params, META: wanted},
    )
