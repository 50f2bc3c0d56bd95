"""What was made is loaded as the server would load it; what does not load is taken out.

The rule: nothing leaves the importer that `capgate validate` refuses.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.capability.examples.checking import check
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Issue, Severity
from gateway.domain.tokens import estimate_tokens
from gateway.importers.checking import environment

ROUNDS = 8  # of taking out what is refused: one tells at most some problems

_TOOL = re.compile(r"tools\.([a-z][a-z0-9_]*)")
_EXAMPLES = re.compile(r"tools\.[a-z0-9_]+\.examples\b")

Write = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Proven:
    """The text of those tools that load, empty when none does; about what each costs a model; and
    why each other one does not load.
    """

    text: str
    tokens: dict[str, int]
    refused: dict[str, str]


def prove(tree: dict[str, Any], file: str, write: Write) -> Proven:
    """What is wrong is taken out until the rest loads: examples first, then tools."""
    refused: dict[str, str] = {}
    tools: dict[str, Any] = dict(tree["tools"])
    for _ in range(ROUNDS):
        if not tools:
            return Proven("", {}, refused)
        text = write({**tree, "tools": tools})
        loaded = load(text.encode(), file, environ=environment(text), redactor=Redactor())
        faults = _faults(loaded, tools)
        if not faults:
            _release(loaded)
            return Proven(text, _tokens(loaded), refused)
        for name, why in faults.items():
            if why is None:
                tools[name] = {k: v for k, v in tools[name].items() if k != "examples"}
            else:
                refused[name] = why
                del tools[name]
        _release(loaded)
    return Proven("", {}, {**refused, **dict.fromkeys(tools, "the file does not load")})


def _tokens(loaded: Loaded) -> dict[str, int]:
    return {
        name: estimate_tokens(len(msgspec.json.encode(compiled.tool.tool.definition)))
        for name, compiled in loaded.tools.items()
    }


def _release(loaded: Loaded) -> None:
    if loaded.capability is not None:
        loaded.capability.secrets.release()


def _faults(loaded: Loaded, tools: Mapping[str, Any]) -> dict[str, str | None]:
    """Tool → why it is refused; None when only its example is wrong."""
    errors = [issue for issue in loaded.issues if issue.severity is Severity.ERROR]
    if not errors and loaded.tools:
        errors = [*check(loaded)]
    found: dict[str, str | None] = {}
    general: str | None = None  # of the file; or only that there is more
    for issue in errors:
        name = _named(issue, tools)
        if name is None:
            general = _said(issue)
        elif not _EXAMPLES.match(issue.path or ""):
            found[name] = _said(issue)
        else:
            found.setdefault(name, None)
    return found or dict.fromkeys(tools if general else (), general)


def _named(issue: Issue, tools: Iterable[str]) -> str | None:
    match = _TOOL.match(issue.path or "")
    return match[1] if match and match[1] in tools else None


def _said(issue: Issue) -> str:
    where = (issue.path or "").partition(".")[2].partition(".")[2]
    return f"{where}: {issue.message}" if where else issue.message
