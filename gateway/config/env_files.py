"""`env_files:` of gateway.yaml: variables for its references, beneath those of the process.

One that is not there is passed over, as users know it from mcp-gateway. What stands in one is most
likely a secret: no message shows it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.capability.file import variables
from gateway.capability.file.yaml import Parsed
from gateway.config.expand import content_of
from gateway.domain.issue import Issue

KEY = "env_files"

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=(.*)")
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)\"""")
_COMMENT = re.compile(r"(?:^|\s)\#.*")
_NOTHING = re.compile(r"\s*(?:\#.*)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def with_files(
    parsed: Parsed, environ: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[Issue, ...]]:
    """`environ` on top of what the files that the tree names say, each on top of those before."""
    tree = parsed.tree
    files = tree.get(KEY) if isinstance(tree, dict) else None
    if not isinstance(files, list) or not files:
        return environ, ()  # what it is instead is told of its shape
    found: dict[str, str] = {}
    issues: list[Issue] = []
    for index, name in enumerate(files):
        if not isinstance(name, str):
            continue
        try:
            found.update(_of(Path(parsed.file).parent, variables.expand(name, environ)))
        except ValueError as problem:
            issues.append(parsed.issue((KEY, index), str(problem)))
    return {**found, **environ}, tuple(issues)


def _of(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    path = folder / Path(name).expanduser()
    return read(content_of(path), path.name) if path.exists() else iter(())


def read(text: str, file: str) -> Iterator[tuple[str, str]]:
    """Names and values. Raises ValueError with the line that is neither."""
    for number, line in enumerate(text.splitlines(), 1):
        if _NOTHING.fullmatch(line):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match[2].strip()) if match else None
        if match is None or value is None:
            raise ValueError(f"line {number} of {file} is no NAME=value")
        yield match[1], value


def _value(text: str) -> str | None:
    """What is meant by it: quotes and comments are no part of it. None: a quote without end."""
    if text[:1] not in ("'", '"'):
        return _COMMENT.sub("", text, count=1).strip()
    found = _QUOTED.match(text)
    if found is None or not _NOTHING.fullmatch(text, found.end()):
        return None
    if found[1] is not None:
        return found[1]
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), found[2])
