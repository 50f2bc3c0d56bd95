"""`poll:` a request starts a long job, then it is asked after until it is done.

The job goes on without us: whoever stops waiting says where it can be found again. It is asked
after with GET, at our own origin only, with the headers of the request that started it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from gateway.capability.answers.decode import Answer, snippet
from gateway.capability.answers.response import ResponseMap
from gateway.capability.compiled import Oversize, Plan, TryAgain
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Expression, Scope
from gateway.capability.expressions.path import Path
from gateway.capability.expressions.template import Template
from gateway.capability.flow import Flow, Left, Send, Tell, Wait
from gateway.capability.sending.links import LinkError, led_to, origin, path_of
from gateway.credentials.secret import Secrets
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BadResponse, DeadlineExceeded, GatewayError, Reached, UpstreamFailed
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.waits import asked_wait

CREATED: Final = 201
ACCEPTED: Final = 202
SEE_OTHER: Final = 303
READS: Final = ("GET", "HEAD")
SHORTEST: Final = 0.1  # seconds between two looks, whatever an API says
MOST_SHOWN: Final = 200  # characters of a job's path
MOST_STATE: Final = 60  # characters of its state
MONITORS: Final = ("operation-location", "azure-asyncoperation")  # of the job, not of its result
STATES: Final = ("state", "status", "phase", "stage")


@dataclass(frozen=True, slots=True)
class Look:
    """What one answer says of the job: when it is `over`, one of `failed`, `result` and `then`.

    `then` is where the result is, `job` where to look next, `wait` the seconds it asks for.
    """

    over: bool
    result: ToolResult | Oversize | None = None
    failed: UpstreamFailed | None = None
    then: str | None = None
    job: str | None = None
    wait: float | None = None
    progress: float | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Polling:
    """Begins the flow of one call. `plan` is of the request that starts the job, `looking` of the
    others; `own` are headers of that one alone, in lower case; `hidden` are query pairs that our
    credential adds.
    """

    render: Callable[[JsonObject, Secrets | None], HttpRequest]
    plan: Plan
    looking: Plan
    response: ResponseMap
    url: Path | None
    every: float
    max_wait: float
    until: Expression | None
    fail_when: Expression | None
    message: Template | None
    progress: Path | None
    then: Path | None
    own: frozenset[str]
    hidden: frozenset[str]
    wall: Callable[[], float]

    def __call__(self, args: JsonObject, left: Left, secrets: Secrets | None = None) -> Flow:
        request = self.render(args, secrets)
        look: Look = yield Send(request, self.plan, partial(self.look, args, request, first=True))
        watch = Watch(self, request, left, look)
        while not watch.look.over:
            probe = watch.probe()
            try:
                yield Wait(watch.pause())
                look = yield Send(probe, self.looking, partial(self.look, args, probe))
            except GatewayError as error:
                raise watch.told(error) from None
            if watch.saw(look) and not look.over:
                yield Tell(watch.progress, message=look.state)
        if watch.look.failed is not None:
            raise watch.look.failed
        if watch.look.result is not None:
            return watch.look.result
        try:
            read = partial(self.response.read, args)
            result: ToolResult | Oversize = yield Send(watch.fetch(), self.looking, read)
        except GatewayError as error:
            raise watch.told(error) from None
        return result

    def look(
        self, args: JsonObject, asked: HttpRequest, response: HttpResponse, *, first: bool = False
    ) -> Look | TryAgain:
        """What an answer says. Raises UpstreamFailed and BadResponse for one that says nothing.

        That a job failed is an answer: it is not asked for again.
        """
        answer = Answer(response, self.response.as_, self.response.lists)
        body = answer.loosely()
        scope = {"args": args, "vars": self.response.constants, "body": body}
        scope |= {"status": answer.status, "headers": answer.headers}
        if self.fail_when is not None and self.fail_when.holds(scope):
            return Look(True, failed=self.response.rules.failure(scope, self.message))
        if first and answer.status == SEE_OTHER and answer.headers.get("location"):
            return Look(False, job=self._led(asked, answer.headers["location"]))
        outcome = self.response.rules.judge(args, answer)
        if isinstance(outcome, TryAgain):
            return outcome
        job = self._job(asked, answer, body, first=first)
        if outcome == "empty" or self._over(scope, job if first else None):
            return self._ended(args, asked, response, body)
        if first and job is None and asked.method != "GET":
            text = f"{self.response.who} answered {answer.status} without the URL of its job"
            raise BadResponse(text)
        return Look(
            False,
            job=job,
            wait=asked_wait(_only_wait(answer.headers), self.wall()),
            progress=self._progress(body),
            state=self._state(body),
        )

    def _over(self, scope: Scope, job: str | None) -> bool:
        """By the author's word; else what is not 202 is the result, unless it leads to a job."""
        if self.until is not None:
            return self.until.holds(scope)
        return scope["status"] != ACCEPTED and job is None

    def _ended(
        self, args: JsonObject, asked: HttpRequest, response: HttpResponse, body: Any
    ) -> Look | TryAgain:
        if self.then is not None:
            return Look(True, then=self._led(asked, _first(self.then.value(body))))
        result = self.response.read(args, response)
        return result if isinstance(result, TryAgain) else Look(True, result)

    def _job(self, asked: HttpRequest, answer: Answer, body: Any, *, first: bool) -> str | None:
        """Where to look for the job; None when the answer does not say."""
        if first and self.url is not None:
            link = _first(self.url.value(body))
            return None if link is None else self._led(asked, link)
        if self.url is not None or not (first or answer.status == ACCEPTED):
            return None
        link = self._told_in_headers(answer)
        if link is None and first and (self.until is not None or answer.status == ACCEPTED):
            link = body.get("url") if isinstance(body, dict) else None
        return None if link is None else self._led(asked, link)

    def _told_in_headers(self, answer: Answer) -> str | None:
        """A monitor tells the state in its body, a `Location` by its status."""
        if self.until is None and answer.status not in (CREATED, ACCEPTED):
            return None
        names = ("location", *MONITORS) if self.until is None else (*MONITORS, "location")
        return next((answer.headers[name] for name in names if answer.headers.get(name)), None)

    def _led(self, asked: HttpRequest, link: Any) -> str:
        try:
            return led_to(asked.url, link, self.hidden)
        except LinkError as error:
            text = f"{self.response.who} answered with a URL of its job that {error}"
            raise BadResponse(text) from None

    def _progress(self, body: Any) -> float | None:
        found = None if self.progress is None else _first(self.progress.value(body))
        return found if isinstance(found, int | float) and not isinstance(found, bool) else None

    def _state(self, body: Any) -> str | None:
        """What the API calls the state of the job, if that is plain to see."""
        for name in STATES if isinstance(body, dict) else ():
            if isinstance(body.get(name), str):
                return snippet(self.response.redactor.text(body[name]), MOST_STATE)
        return None


class Watch:
    """One job that is waited for. `look` is the last one at it."""

    def __init__(self, polling: Polling, request: HttpRequest, left: Left, look: Look) -> None:
        self.look = look
        self._polling, self._request, self._left = polling, request, left
        self._job = look.job or request.url
        self._began, self._waited = left(), 0.0
        self._looks = 0
        self.progress = -math.inf

    def probe(self) -> HttpRequest:
        return self._get(self._job)

    def fetch(self) -> HttpRequest:
        """The request for the result."""
        return self._get(self.look.then or self._job)

    def pause(self) -> float:
        """Seconds to wait now. Raises DeadlineExceeded when there are not as many.

        The API's own wish counts, and must fit; the author's pace ends with a look at the end.
        """
        every, rest = self._polling.every, self._rest()
        wish = self.look.wait
        seconds = min(every, rest) if wish is None else max(wish, min(every, SHORTEST))
        if rest <= 0 or seconds > rest:
            raise self._given_up()
        self._waited += seconds
        return seconds

    def saw(self, look: Look) -> bool:
        """Whether there is progress to tell: it must grow."""
        self._looks += 1
        self.look = look
        self._job = look.job or self._job
        progress = self._looks if look.progress is None else look.progress
        before, self.progress = self.progress, max(self.progress, progress)
        return self.progress > before

    def told(self, error: GatewayError) -> GatewayError:
        """`error`, met while the job goes on, with where it can be found."""
        if isinstance(error, DeadlineExceeded):
            if error.reached is Reached.COMPLETED:
                return error
            late = self._given_up()
            late.unwell = error.unwell
            return late
        hint = f"its job is at {self._shown()}"
        error.hint = f"{error.hint}; {hint}" if error.hint else hint
        if error.reached is Reached.NOT_SENT:
            error.reached = Reached.SENT_UNKNOWN
        return error

    def _given_up(self) -> DeadlineExceeded:
        shown = self._shown()
        text = f"{self._polling.response.who}: not done after {self._spent():.3g} s; it goes on"
        hint = "call it again later"
        if self._request.method not in READS:
            hint = f"look at {shown} later; calling this tool again starts another job"
        if self.look.wait:
            hint = f"it asks to be left alone for {math.ceil(self.look.wait)} s; {hint}"
        late = DeadlineExceeded(f"{text} at {shown}", hint=hint, reached=Reached.COMPLETED)
        late.unwell = False  # it answers; only the job takes long
        return late

    def _shown(self) -> str:
        text = self._polling.response.redactor.text(path_of(self._job))
        return snippet(text, MOST_SHOWN)

    def _spent(self) -> float:
        """Where nothing bounds the call, no time passes but what is waited."""
        return self._began - self._left() if self._began < math.inf else self._waited

    def _rest(self) -> float:
        return min(self._polling.max_wait - self._spent(), self._left())

    def _get(self, url: str) -> HttpRequest:
        request, own = self._request, self._polling.own
        if url == request.url and request.method == "GET":
            return request
        headers = tuple(pair for pair in request.headers if pair[0].lower() not in own)
        return HttpRequest("GET", url, headers, None, f"GET {origin(url)}/{{job}}")


def _only_wait(headers: Mapping[str, str]) -> Mapping[str, str]:
    """How much of a quota is left is no wish of the job's."""
    return {name: headers[name] for name in ("retry-after",) if name in headers}


def _first(found: Any) -> Any:
    """Of a path that gives a list the first; None when there is nothing."""
    if isinstance(found, list):
        found = found[0] if found else None
    return None if nothing(found) else found
