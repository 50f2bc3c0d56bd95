"""One parked call: its task, its open questions, and the client's request that waits for it now."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from gateway.domain.client import Client, Through
from gateway.domain.tool import JsonObject
from gateway.errors import Busy, CapabilityMissing, Reached
from gateway.protocol import wire
from gateway.server.asked import Asked, Waiting
from gateway.server.asking import check, fits

GATHER = 0.01  # seconds in which questions asked together go out together
MOST_OPEN = 64  # questions of one call


class Lot(Protocol):
    """Where parked calls are counted."""

    def enter(self, parked: "Parked") -> None:
        """Raises Busy."""
        ...

    def leave(self, parked: "Parked") -> None: ...


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    params: JsonObject
    answer: asyncio.Future[JsonObject]


class Parked(Through):
    """The Client of its own call: told through whichever request waits, asked by parking.

    `turn` waits for news; then `wait` lets go of the request, and `resume` takes up the next one.
    """

    def __init__(self, lot: Lot, asked: Asked, handler: Waiting) -> None:
        super().__init__(asked.client)
        self.id = secrets.token_hex(8)
        self.caller = asked.caller.name
        self._lot = lot
        self._attended = True  # a request of the client is open
        self._round = 0
        self._asked = 0
        self._open: dict[str, Question] = {}
        self._news: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        work = handler(msgspec.structs.replace(asked, client=self))
        self.task = asyncio.ensure_future(work)
        self.task.add_done_callback(self._ended)

    def notify(self, method: str, params: JsonObject) -> None:
        """Dropped while its client is away."""
        if self._attended:
            self._client.notify(method, params)

    async def ask(self, method: str, params: JsonObject) -> JsonObject:
        check(self.capabilities, method, params)
        if len(self._open) >= MOST_OPEN:
            text = f"more than {MOST_OPEN} questions at once"
            raise Busy(text, reached=Reached.SENT_UNKNOWN)
        if not self._asked:
            self._lot.enter(self)
        self._asked += 1
        key = f"question-{self._asked}"
        answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._open[key] = Question(method, params, answer)
        self._gather()
        try:
            return await answer
        finally:
            self._open.pop(key, None)

    async def turn(self) -> None:
        """Wait until the call has ended or has questions. Cancelled, it cancels the call."""
        if self.task.done():
            return
        self._news = asyncio.get_running_loop().create_future()
        self._gather()
        try:
            await self._news
        except asyncio.CancelledError:
            self.task.cancel()
            raise
        finally:
            self._news = None

    def wait(self, ttl: float) -> int:
        """Let go of the request for at most `ttl` seconds; gives the round that is to come."""
        self._attended = False
        self._set_timer(ttl, self.lapse)
        return self._round

    def lapse(self) -> None:
        """Its client will not come back."""
        self._set_timer(None)
        self.task.cancel()
        self._lot.leave(self)

    def awaits(self, round: int) -> bool:
        return not self._attended and round == self._round

    def resume(self, client: Client, answers: JsonObject) -> None:
        """Take up the client's next request, with what it answered.

        What cannot be an answer counts as none, and is asked again.
        """
        self._round += 1
        self._attended = True
        self._client = client
        self._set_timer(None)
        for key, question in tuple(self._open.items()):
            if fits(question.method, answers.get(key)):
                self._settle(key, question, answers[key])
            else:
                self._check_again(key, question)

    def questions(self, state: str) -> bytes:
        """The `input_required` result that asks all that is open."""
        wanted = {
            key: {"method": question.method, "params": question.params}
            for key, question in self._open.items()
        }
        return wire.input_required(wanted, state)

    def _settle(self, key: str, question: Question, answer: JsonObject) -> None:
        del self._open[key]
        if not question.answer.done():
            question.answer.set_result(answer)

    def _check_again(self, key: str, question: Question) -> None:
        """The retry may declare less than the request before it."""
        try:
            check(self.capabilities, question.method, question.params)
        except CapabilityMissing as error:
            del self._open[key]
            if not question.answer.done():
                question.answer.set_exception(error)

    def _gather(self) -> None:
        if self._news is not None and self._open and self._timer is None:
            self._set_timer(GATHER, self._gathered)

    def _gathered(self) -> None:
        self._timer = None
        if self._open:
            self._tell()

    def _ended(self, task: "asyncio.Future[bytes]") -> None:
        """What ended while its client was away waits for it as long as a question would."""
        if self._attended:
            self._set_timer(None)
            self._lot.leave(self)
        if not task.cancelled():
            task.exception()  # seen: nobody may be there to take it
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _set_timer(self, seconds: float | None, then: Any = None) -> None:
        """The one timer: while attended that of gathering, else that of lapsing."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, then)
