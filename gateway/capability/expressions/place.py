"""A place in a capability file that is being compiled: what can be read there, who hears of faults.

A fault is reported and the compiling goes on, so that an author sees all of them at once.
"""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.capability.expressions.language import Names, Position
from gateway.capability.expressions.template import Template, compile_template
from gateway.capability.expressions.values import TemplateError
from gateway.domain.issue import Severity

Key = str | int

UNREAD = ("",)  # stands among what is read for all that a faulty template was to read


class Report(Protocol):
    """Hears of one fault. `path` leads to it from the file's root."""

    def __call__(
        self,
        path: tuple[Key, ...],
        message: str,
        hint: str | None = None,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """`reads` gathers what all templates below this place read; it is shared with `at(...)`."""

    path: tuple[Key, ...]
    names: Names
    report: Report
    reads: set[tuple[str, ...]] = field(default_factory=set)

    def at(self, *keys: Key) -> "Place":
        return Place((*self.path, *keys), self.names, self.report, self.reads)

    def knowing(self, names: Names) -> "Place":
        """The same place, where these can be read too."""
        return Place(self.path, {**self.names, **names}, self.report, self.reads)

    def fault(self, message: str, hint: str | None = None) -> None:
        self.report(self.path, message, hint)

    def warn(self, message: str, hint: str | None = None) -> None:
        self.report(self.path, message, hint, severity=Severity.WARNING)

    def unread(self, error: TemplateError) -> None:
        """A fault in a template: no argument is called unused for it."""
        self.fault(str(error), error.hint)
        self.reads.add(UNREAD)

    def template(self, source: str, position: Position) -> Template:
        """`source` compiled; a faulty one is reported and gives an empty text."""
        try:
            found = compile_template(source, position=position, names=self.names)
        except TemplateError as error:
            self.unread(error)
            return compile_template("", position=position, names=self.names)
        self.reads.update(found.reads)
        return found
