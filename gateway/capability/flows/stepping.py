"""`steps:` several requests in a row, each of which can read what came of those before.

What came is data, like an argument. A step that fails ends the call, and the error says what was
done before it: a call is never begun anew by itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from gateway.capability.answers.response import ResponseMap
from gateway.capability.compiled import Plan, TryAgain
from gateway.capability.expressions.language import Expression, Scope
from gateway.capability.flow import Flow, Left, Send, Tell, Work
from gateway.credentials.secret import Secrets
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import GatewayError, Reached
from gateway.http.message import HttpRequest, HttpResponse

READS: Final = ("GET", "HEAD")
LOOK_BACK: Final = "look before you repeat the call"


class Render(Protocol):
    def __call__(
        self, args: Mapping[str, Any], secrets: Secrets | None = None, more: Scope = ...
    ) -> HttpRequest: ...


class Came(NamedTuple):
    """What an answer comes to for the steps after it, and how many bytes it had."""

    value: Any
    size: int


@dataclass(frozen=True, slots=True)
class CompiledStep:
    id: str
    render: Render
    plan: Plan
    read: Callable[[JsonObject, HttpResponse], Any | TryAgain]
    when: Expression | None

    def came(self, args: JsonObject, response: HttpResponse) -> Came | TryAgain:
        value = self.read(args, response)
        return value if isinstance(value, TryAgain) else Came(value, len(response.body))


@dataclass(frozen=True, slots=True)
class Stepping:
    """Begins the flow of one call. `response` makes the result of `{id: value}`."""

    steps: tuple[CompiledStep, ...]
    response: ResponseMap

    def __call__(self, args: JsonObject, left: Left, secrets: Secrets | None = None) -> Flow:
        done = _Done()
        for number, step in enumerate(self.steps, 1):
            scope = {"args": args, "vars": self.response.constants, "steps": done.values}
            if step.when is not None and not step.when.holds(scope):
                continue
            try:
                request = step.render(args, secrets, {"steps": done.values})
                came = yield Send(request, step.plan, partial(step.came, args))
            except GatewayError as error:
                raise done.told(error, step.id) from None
            done.add(step.id, request, came)
            yield Tell(number, len(self.steps), step.id)
        try:
            finish = partial(self.response.finish, done.values, args)
            result: ToolResult = yield Work(done.size, finish)
        except GatewayError as error:
            raise done.told(error) from None
        return result


class _Done:
    """The steps that are done: what came of each, and whether one may have changed anything."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.size = 0
        self._changed: list[str] = []

    def add(self, id: str, request: HttpRequest, came: Came) -> None:
        self.values[id] = came.value
        self.size += came.size
        if request.method not in READS:
            self._changed.append(id)

    def told(self, error: GatewayError, id: str | None = None) -> GatewayError:
        """`error`, of this step or of the result, with what was done before it."""
        if not self.values:
            return error
        at = f"step {id}; " if id else ""
        error.args = (f"{error} ({at}completed: {', '.join(self.values)})",)
        if self._changed:
            error.hint = f"{', '.join(self._changed)} was carried out already: {LOOK_BACK}"
            if error.reached is Reached.NOT_SENT:
                error.reached = Reached.SENT_UNKNOWN
        return error
