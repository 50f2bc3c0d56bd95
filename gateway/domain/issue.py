"""A finding about an operator's file: where it is, what is wrong, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # the file is refused
    WARNING = "warning"  # it loads, but see to it
    DEGRADED = "degraded"  # it loads; its calls fail until the outside is mended (a missing secret)


@dataclass(frozen=True, slots=True)
class Issue:
    """`line` and `column` count from 1; 0 when unknown. `path` is the dotted place in the file."""

    file: str
    message: str
    line: int = 0
    column: int = 0
    path: str = ""
    hint: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def where(self) -> str:
        if not self.line:
            return self.file
        return (
            f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        )

    def __str__(self) -> str:
        head = f"{self.where}  {self.path}" if self.path else self.where
        text = f"{head}\n  {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text
