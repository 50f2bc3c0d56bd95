"""YAML bytes → plain JSON values that know their places: no tags, no surprises, no bombs."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from gateway.capability.file import yaml_trouble as trouble
from gateway.capability.file.yaml_build import Builder, Spot, Stop
from gateway.domain.issue import Issue, Severity

Key = str | int
NOWHERE: Spot = (None, None, None)
_STEP = re.compile(r"""\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]|([\w$-]+)""")


@dataclass(frozen=True, slots=True)
class Parsed:
    """`tree` is made of dicts, lists and JSON scalars, and may be partial when there are `issues`.

    Aliased parts are one shared object: read the tree, never write to it.
    """

    file: str
    tree: Any
    issues: tuple[Issue, ...]
    spot: Spot = NOWHERE

    def where(self, path: Sequence[Key], *, at_key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at `path`, or of its key.

        A path that leads further than the file does gives the last key that is there.
        """
        spot, inside = self.spot, True
        for step in path:
            spot, inside = _step(spot, step)
            if not inside:
                break
        wanted = spot[0] if at_key or not inside else spot[1]
        mark = wanted or spot[1] or spot[0]
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def spot_of(self, path: Sequence[Key]) -> Spot:
        """Where the value at `path` and all that is in it stand; nowhere if it is not there."""
        spot, inside = self.spot, True
        for step in path:
            spot, inside = _step(spot, step)
            if not inside:
                return NOWHERE
        return spot

    def issue(
        self,
        path: Sequence[Key],
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> Issue:
        """A finding about the value at `path`, with the place filled in."""
        line, column = self.where(path, at_key=at_key)
        return Issue(self.file, message, line, column, dotted(path), hint, severity)


def parse(data: bytes, file: str) -> Parsed:
    """One YAML document, or the issues that refuse it. Never raises, whatever the bytes."""
    refused = trouble.of_bytes(data, file)
    if refused:
        return Parsed(file, None, (refused,))
    builder = Builder(data, file)
    try:
        tree, spot = builder.document()
    except Stop as stop:
        return Parsed(file, None, (*builder.issues, stop.issue))
    except (yaml.YAMLError, UnicodeError) as error:
        issue = trouble.of_libyaml(error, data, file)
        told = {known.line for known in builder.issues}  # the first trouble of a line explains it
        return Parsed(file, None, (*builder.issues, *(() if issue.line in told else (issue,))))
    return Parsed(file, tree, tuple(builder.issues), spot)


def dotted(path: Sequence[Key]) -> str:
    """`tools.get_repo.errors[0].status`; a key with other characters stands in brackets."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif re.fullmatch(r"[\w$-]+", step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{step[:80]!r}]")
    return "".join(parts)


def steps(place: str) -> tuple[Key, ...]:
    """The path of what `dotted` made."""
    found: list[Key] = []
    for index, quoted, plain in _STEP.findall(place):
        found.append(int(index) if index else ast.literal_eval(quoted) if quoted else plain)
    return tuple(found)


def _step(spot: Spot, step: Key) -> tuple[Spot, bool]:
    children = spot[2]
    if isinstance(children, dict) and step in children:
        return children[step], True
    if isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
        return children[step], True
    return spot, False
