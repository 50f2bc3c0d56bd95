"""`as: sse | ndjson`: an answer read while it comes, event by event.

What counts of each event is told as progress and kept; the list of it, or its texts joined, is the
result. It ends with the answer, with `[DONE]`, or as soon as `limit` is reached; what breaks off
fails the call, and says how much had come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from gateway.capability.answers import decode
from gateway.capability.answers.decode import Answer
from gateway.capability.answers.response import ResponseMap
from gateway.capability.compiled import Oversize, Plan, TryAgain
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.path import Path
from gateway.capability.expressions.values import to_text
from gateway.capability.flow import Flow, Left, Send, Tell, Work
from gateway.capability.flows.events import Event, splitter
from gateway.credentials.secret import Secrets
from gateway.domain.text import counted
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BackendError, BadResponse, UpstreamFailed
from gateway.http.message import HttpRequest, HttpResponse
from gateway.protocol.jsonrpc import holds_more

DONE: Final = b"[DONE]"
MOST_EVENTS: Final = 100_000
MOST_AT_A_TIME: Final = (
    50_000  # values of one event of a stream: they are read between others' turns
)
OPENS: Final = (b"[", b"{")
LONGEST_SECRET: Final = 65_536  # characters
MOST_TOLD: Final = 1_000  # characters of one progress
MOST_AT_ONCE: Final = 16  # progresses for what one read of the network brings; the newest count


@dataclass(frozen=True, slots=True)
class Streaming:
    """Begins the flow of one call. `join` is what stands between texts; None keeps the list."""

    render: Callable[[JsonObject, Secrets | None], HttpRequest]
    plan: Plan
    response: ResponseMap
    each: Path | None
    join: str | None

    def __call__(self, args: JsonObject, left: Left, secrets: Secrets | None = None) -> Flow:
        request = self.render(args, secrets)
        hearings: list[Hearing] = []

        def reader(head: HttpResponse) -> Hearing:
            hearings.append(Hearing(self, args, head))
            return hearings[-1]

        read = partial(self.response.read, args)
        try:
            came = yield Send(request, self.plan, read, reader)
        except BackendError as error:
            if hearings and hearings[-1].events and not isinstance(error, UpstreamFailed):
                error.args = (f"{error}, after {counted(hearings[-1].events, 'event')}",)
            raise
        if isinstance(came, (ToolResult, Oversize)):  # no success, but a rule takes it for one
            return came
        value = came if self.join is None else self.join.join(map(to_text, came))
        result: ToolResult = yield Work(
            hearings[-1].size, partial(self.response.finish, value, args)
        )
        return result


class Hearing:
    """A Reader of one answer; `head` is its status and headers."""

    def __init__(self, streaming: Streaming, args: JsonObject, head: HttpResponse) -> None:
        self._streaming = streaming
        self._response = streaming.response
        self._args = args
        self._head = head
        kind = head.headers.get("content-type", "")
        self._splitter = splitter(self._response.as_, kind, streaming.plan.transfer)
        self._limit = self._response.asked(args)
        self._values: list[Any] = []
        self._untold = ""  # the end of what came, which may begin a secret
        self.events = 0
        self.size = 0
        self.ended = self._limit == 0

    def feed(self, data: bytes) -> list[Tell]:
        """Raises UpstreamFailed for an event that is an error, BadResponse for what is none."""
        self.size += len(data)
        return self._heard(self._splitter.feed(data), MOST_AT_A_TIME)

    @property
    def held(self) -> int:
        return self._splitter.held

    def done(self, response: HttpResponse) -> Any | TryAgain:
        """The values, or the wish to try again where nothing came."""
        self._heard(self._splitter.end(), decode.MOST_VALUES)
        if not self.events:
            outcome = self._response.rules.judge(self._args, Answer(response, self._response.as_))
            if isinstance(outcome, TryAgain):
                return outcome
        return self._values

    def _heard(self, events: list[Event], most: int) -> list[Tell]:
        """`most` are the values that one of them may have."""
        before = len(self._values)
        for event in events:
            if self.ended:
                break
            if event.data == DONE:
                self.ended = True
                break
            self.events += 1
            if self.events > MOST_EVENTS:
                raise BadResponse(f"the stream has more than {MOST_EVENTS} events")
            if event.data.lstrip()[:1] in OPENS and holds_more(event.data, most):
                raise BadResponse(f"an event of the stream has more than {most} values")
            self._take(event)
        return self._told(before)

    def _take(self, event: Event) -> None:
        value = self._value(event)
        if (event.failed or self._response.rules.rules) and self._judged(event, value) == "empty":
            return
        each = self._streaming.each
        if each is None:
            self._values.append(value)
        else:
            found = each.value(value)
            several = found if not each.singular else [] if nothing(found) else [found]
            self._values += several
        if self._limit is not None and len(self._values) >= self._limit:
            del self._values[self._limit :]
            self.ended = True

    def _value(self, event: Event) -> Any:
        try:
            return decode.loads(event.data)
        except ValueError as error:
            if not self._splitter.strict:
                return event.data.decode("utf-8", "replace")
            redactor = self._response.redactor
            told = decode.snippet(redactor.text(event.data.decode("utf-8", "replace")), 200)
            text = f"event {self.events} of the stream cannot be read as JSON ({error}): {told}"
            raise BadResponse(redactor.text(text)) from None

    def _judged(self, event: Event, value: Any) -> str:
        """The rules of the tool hold for each event: `body` is the event there."""
        heard = Heard(self._head.status, self._head.headers, value, event.failed)
        outcome = self._response.rules.judge(self._args, heard)
        if isinstance(outcome, TryAgain):  # too late: some of it was told
            raise outcome.error
        return outcome

    def _told(self, before: int) -> list[Tell]:
        """What is new, as progress."""
        new, join = self._values[before:], self._streaming.join
        if not new:
            return []
        if join is not None:
            return self._told_joined(join.join(map(to_text, new)))
        first = max(len(new) - MOST_AT_ONCE, 0)
        return [
            self._tell(before + index, to_text(value))
            for index, value in enumerate(new[first:], first + 1)
        ]

    def _told_joined(self, text: str) -> list[Tell]:
        """A secret may come in pieces, each of which is none."""
        text = self._untold + text
        end = len(text) - self._response.redactor.begun(text)
        self._untold = text[end:]
        return [self._tell(len(self._values), text[:end])] if end else []

    def _tell(self, progress: int, text: str) -> Tell:
        text = self._response.redactor.text(text[: MOST_TOLD + LONGEST_SECRET])
        return Tell(progress, message=text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}…")


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, as the rules about answers read it."""

    status: int
    headers: Mapping[str, str]
    body: Any
    failed: bool

    def loosely(self) -> Any:
        return self.body
