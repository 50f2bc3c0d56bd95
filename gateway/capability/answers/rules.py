"""`errors:` what an answer means. The first rule that matches decides, a tool's before the file's.

Without a rule 2xx is a result and anything else an error; JSON in it changes nothing. The body is
read for a rule only when its status fits and it asks for the body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Protocol

from gateway.capability.answers.decode import snippet, tidy
from gateway.capability.answers.scrub import cleaned
from gateway.capability.compiled import TryAgain
from gateway.capability.expressions.language import Expression, Position, Scope
from gateway.capability.expressions.path import compile_path
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import Template, compile_expression
from gateway.capability.expressions.values import TemplateError, to_text
from gateway.capability.file.model import ErrorRule
from gateway.credentials.redact import Redactor
from gateway.errors import LATER, UpstreamFailed

Then = Literal["fail", "retry", "ok", "empty"]
Outcome = Literal["ok", "empty"] | TryAgain

SUCCESS: Final = range(200, 300)
UNAUTHORIZED: Final = 401
TOO_MANY: Final = 429
SERVER_FAULT: Final = 500  # and above
MOST_TEXT: Final = 500  # characters of an error page that are told
MOST_MESSAGE: Final = 4_000  # characters of an author's message
OUR_KEY: Final = "the gateway's own credential was refused: the operator's affair, not yours"
MESSAGES: Final = tuple(
    compile_path(source)
    for source in (
        "$.error.message",
        "$.error_description",
        "$.message",
        "$.detail",
        "$.title",
        "$.errors[0].message",
        "$.error",
    )
)


@dataclass(frozen=True, slots=True)
class Rule:
    statuses: frozenset[int] | None  # None: any
    when: Expression | None
    then: Then
    message: Template | None


class Judged(Protocol):
    """An answer, or one event of it. `failed`: it calls itself an error."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def failed(self) -> bool: ...
    def loosely(self) -> Any:
        """What rules read as `body`; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """`who` is the tool in messages, such as `gh.create_issue`."""

    who: str
    rules: tuple[Rule, ...]
    constants: Mapping[str, Any]  # `vars` of the file
    redactor: Redactor

    def judge(self, args: Mapping[str, Any], answer: Judged) -> Outcome:
        """Whether the answer is a result, an empty one, or to be asked for again.

        Raises UpstreamFailed with what the model should know.
        """
        status = answer.status
        near = [rule for rule in self.rules if rule.statuses is None or status in rule.statuses]
        fine = status in SUCCESS and not answer.failed
        if not near and fine:
            return "ok"
        scope = {
            "args": args,
            "vars": self.constants,
            "status": status,
            "headers": answer.headers,
            "body": answer.loosely(),
        }
        for rule in near:
            if rule.when is None or rule.when.holds(scope):
                return self._decided(rule, scope)
        if fine:
            return "ok"
        raise self.failure(scope, None)

    def _decided(self, rule: Rule, scope: Scope) -> Outcome:
        if rule.then == "ok" or rule.then == "empty":  # noqa: PLR1714  pyright narrows this alone
            return rule.then
        error = self.failure(scope, rule.message)
        if rule.then == "retry":
            return TryAgain(error)
        raise error

    def failure(self, scope: Scope, message: Template | None) -> UpstreamFailed:
        """The error of an answer, in the author's words or the API's.

        Secrets go before anything is cut, by us or by the template: half of one is not found.
        """
        told = {name: cleaned(scope[name], self.redactor) for name in ("headers", "body")}
        scope = {**scope, **told}
        said = message.text(scope) if message else None
        text = tidy(str(said))[:MOST_MESSAGE] if said else self._default(scope)
        failed = UpstreamFailed(self.redactor.text(text), hint=_hint(scope["status"]))
        failed.unwell = scope["status"] >= SERVER_FAULT
        return failed

    def _default(self, scope: Scope) -> str:
        status = scope["status"]
        head = f"{self.who} failed" if status in SUCCESS else f"HTTP {status} from {self.who}"
        told = snippet(_told(scope["body"]), MOST_TEXT)
        return f"{head}: {told}" if told else head


def _hint(status: int) -> str | None:
    if status == UNAUTHORIZED:
        return OUR_KEY
    return LATER if status == TOO_MANY or status >= SERVER_FAULT else None


def _told(body: Any) -> str:
    """The API's own message, or all its text."""
    if isinstance(body, str):
        return body
    for path in MESSAGES:
        found = path.value(body)
        if isinstance(found, str) and found.strip():
            return found
    return to_text(body) if body else ""


def compile_rules(rules: Sequence[ErrorRule], place: Place) -> tuple[Rule, ...]:
    """Faults are reported to `place`, which stands at `errors`."""
    return tuple(_rule(rule, place.at(index)) for index, rule in enumerate(rules))


@cache
def of_graphql() -> tuple[Rule, ...]:
    """After all rules of the author's: what has errors failed, whatever data came with them."""
    when = compile_expression("body.errors", names={"body": None})
    return (Rule(frozenset(SUCCESS), when, "fail", None),)


def _rule(rule: ErrorRule, place: Place) -> Rule:
    when = None
    if rule.when is not None:
        try:
            when = compile_expression(rule.when, names=place.names)
        except TemplateError as error:
            place.at("when").fault(str(error), error.hint)
    message = None
    if rule.message is not None:
        message = place.at("message").template(rule.message, Position.MESSAGE)
    return Rule(_statuses(rule.status), when, rule.then, message)


def _statuses(given: int | str | tuple[int | str, ...] | None) -> frozenset[int] | None:
    """Codes and classes such as `4xx`, written out."""
    if given is None:
        return None
    found: set[int] = set()
    for each in given if isinstance(given, tuple) else (given,):
        if isinstance(each, int):
            found.add(each)
        else:
            first = int(each[0]) * 100
            found.update(range(first, first + 100))
    return frozenset(found)
