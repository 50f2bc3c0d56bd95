"""What the flow of a tool is compiled of, and the places in the file where its parts stand."""

from dataclasses import dataclass

from gateway.capability.answers.response import ResponseMap
from gateway.capability.compiled import Plan
from gateway.capability.expressions.language import Expression
from gateway.capability.expressions.place import Key, Place
from gateway.capability.expressions.template import compile_expression
from gateway.capability.expressions.values import TemplateError
from gateway.capability.file.model import ToolSpec
from gateway.capability.sending.shared import Shared


@dataclass(frozen=True, slots=True)
class Kit:
    """What a tool's flow is compiled of. `path` leads to the tool, `reads` gathers what is read."""

    spec: ToolSpec
    path: tuple[Key, ...]
    shared: Shared
    plan: Plan
    response: ResponseMap
    reads: set[tuple[str, ...]]

    def at(self, *keys: Key) -> Place:
        """Where arguments and constants can be read."""
        names = {"args": self.spec.args, "vars": self.shared.vars}
        return Place((*self.path, *keys), names, self.shared.report, self.reads)

    def answers(self, *keys: Key) -> Place:
        """Where an answer can be read too."""
        return self.at(*keys).knowing({"status": None, "headers": None, "body": None})


def condition(source: str | None, place: Place) -> Expression | None:
    if source is None:
        return None
    try:
        found = compile_expression(source, names=place.names)
    except TemplateError as error:
        place.unread(error)
        return None
    place.reads.update(found.reads)
    return found
