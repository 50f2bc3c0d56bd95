"""The standing stream of Streamable HTTP (GET): what a legacy server says on no request's stream.

It is taken up again for as long as the transport is open, later and later while nothing comes of
it. A server without one answers 405 or the like, and is not asked again.
"""

import asyncio
import logging
import random
from collections.abc import Callable

from gateway.errors import GatewayError
from gateway.http.pool import Stage
from gateway.transports.base import Headers, Peer
from gateway.transports.refusals import NOT_FOUND, OK, SERVER_ERROR, TIMED_OUT, TOO_MANY
from gateway.transports.requests import STREAM, Requests, media_type
from gateway.transports.streams import Reading

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0  # seconds
LATER = frozenset({401, 403, TIMED_OUT, TOO_MANY})  # it may be heard later: credentials change


class Standing:
    """`gone` is called if the server no longer knows the session."""

    def __init__(
        self,
        requests: Requests,
        peer: Peer,
        gone: Callable[[], None],
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._requests = requests
        self._peer = peer
        self._gone = gone
        self._rng = rng
        self._task: asyncio.Task[None] | None = None

    def follow(self, headers: Headers) -> None:
        """From now on; in the place of the stream of a session that was."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._follow(headers))

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _follow(self, headers: Headers) -> None:
        reading = Reading(self._peer, None)
        failures = 0
        while await self._listen(reading, headers):
            failures = 0 if reading.heard else failures + 1
            await asyncio.sleep(pause(reading.pause, failures, self._rng()))

    async def _listen(self, reading: Reading, headers: Headers) -> bool:
        """One stream to its end; False: there is no use in another."""
        session = self._requests.session
        try:
            answer = await reading.go_on(self._requests, headers, Stage())
        except GatewayError as error:
            facts = {"backend": self._requests.backend, "reason": str(error)}
            log.debug("standing_stream_broke", extra=facts)
            return True
        if answer.status == OK:
            return media_type(answer) == STREAM
        if answer.status == NOT_FOUND and session is not None:
            if session == self._requests.session:  # else another has been opened meanwhile
                self._gone()
            return False
        return answer.status in LATER or answer.status >= SERVER_ERROR


def pause(least: float, failures: int, chance: float) -> float:
    """Seconds before the next try, spread because all clients lose a server at once.

    `least` is what the server asks for, `chance` from 0 to 1.
    """
    return least + chance * min(least * 2.0 ** min(failures, 10), LONGEST_PAUSE)
