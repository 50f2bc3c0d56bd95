"""How issues are shown to a person at a terminal (with the offending line) and to a program (JSON).

Only `capgate validate` and a start that fails show lines of files, without what looks like a
credential in them: a log names the place alone.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gateway.credentials.looks import starred
from gateway.domain.issue import Issue, Severity

WIDTH = 100  # characters of a line that are shown
LEAD = 20  # characters kept before the column when a long line is cut

Lines = Callable[[str], Sequence[str]]  # a file's lines; none when it cannot be read


def report(issues: Iterable[Issue], lines: Lines | None = None) -> str:
    """All issues, a paragraph each, in order of file and line, then their number."""
    found = sorted(issues, key=lambda issue: (issue.file, issue.line, issue.column))
    lines = lines or LinesOf()
    return "\n\n".join([*(show(issue, lines(issue.file)) for issue in found), summary(found)])


def show(issue: Issue, lines: Sequence[str] = ()) -> str:
    """One issue: where, what, the line with a mark under the column, the hint.

    capabilities/weather.yaml:14:12  tools.now.response.map.temp
      error: not a JSONPath: '$.main..' ends in '..'
        14 |     temp: $.main..
           |           ^
      hint: '$..temp' finds temp at any depth
    """
    head = f"{issue.where}  {issue.path}" if issue.path else issue.where
    parts = [head, f"  {issue.severity}: {issue.message}"]
    if 0 < issue.line <= len(lines):
        parts += _excerpt(issue, starred(lines[issue.line - 1]))
    if issue.hint:
        parts.append(f"  hint: {issue.hint}")
    return "\n".join(parts)


def summary(issues: Iterable[Issue]) -> str:
    """Such as `2 errors, 1 warning`; `no issues` when there are none."""
    counts = Counter(issue.severity for issue in issues)
    nouns = {Severity.ERROR: "error", Severity.DEGRADED: "degraded", Severity.WARNING: "warning"}
    parts = [
        f"{counts[severity]} {noun}{'s' if counts[severity] > 1 and noun != 'degraded' else ''}"
        for severity, noun in nouns.items()
        if counts[severity]
    ]
    return ", ".join(parts) or "no issues"


def as_json(issue: Issue) -> dict[str, Any]:
    """For `--json`: every field, `line` and `column` null when unknown."""
    return {
        "file": issue.file,
        "line": issue.line or None,
        "column": issue.column or None,
        "path": issue.path,
        "severity": str(issue.severity),
        "message": issue.message,
        "hint": issue.hint,
    }


class LinesOf:
    """Reads each file once. What cannot be read, or is not text, has no lines."""

    def __init__(self) -> None:
        self._known: dict[str, Sequence[str]] = {}

    def __call__(self, file: str) -> Sequence[str]:
        if file not in self._known:
            self._known[file] = _lines(Path(file))
        return self._known[file]


def _lines(path: Path) -> Sequence[str]:
    try:
        if not path.is_file():
            return ()
        return path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return ()


def _excerpt(issue: Issue, line: str) -> list[str]:
    column = min(max(issue.column, 1), len(line) + 1)
    start = 0 if column <= WIDTH - LEAD else column - 1 - LEAD
    shown = "".join(map(_visible, line[start : start + WIDTH]))
    number = str(issue.line)
    parts = [f"    {number} | {shown.rstrip()}"]
    if issue.column:
        before = "".join(map(_visible, line[start : column - 1]))
        parts.append(f"    {' ' * len(number)} | {' ' * _columns(before)}^")
    return parts


def _visible(character: str) -> str:
    """A character as a terminal may show it: no control, no change of the writing direction."""
    if character == "\t":
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _columns(text: str) -> int:
    """Columns of a terminal that `text` takes: wide characters two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    combining = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - combining
