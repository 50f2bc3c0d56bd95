"""`gateway_list_tools`: the definitions of one server's tools, within a token budget."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import msgspec

from gateway.domain.listing import Status
from gateway.domain.names import did_you_mean
from gateway.domain.signature import first_sentence
from gateway.domain.tokens import estimate_tokens
from gateway.domain.tool import JsonObject, Tool, ToolResult
from gateway.errors import InvalidArguments, ToolNotFound
from gateway.meta.base import json_answer, read, schema
from gateway.runtime.view import View

BUDGET = 4_000  # tokens, when the caller names none
LONGEST = 128  # characters of a pattern: compiling one takes time by its length


class Arguments(msgspec.Struct):
    server: str
    names: list[str] | str = []
    pattern: str | None = None
    max_tokens: int = BUDGET

    @property
    def named(self) -> list[str]:
        """Models write a single name without its list, or all of them in one text."""
        if not isinstance(self.names, str):
            return self.names
        return [name for part in self.names.split(",") if (name := part.strip())]


class ListTools:
    definition: ClassVar[JsonObject] = {
        "name": "gateway_list_tools",
        "description": "Full schemas of a server's tools.",
        "inputSchema": schema(
            ("server",),
            server={"type": "string"},
            names={"type": "array", "items": {"type": "string"}},
            pattern={"type": "string", "description": "glob, e.g. get_*"},
            max_tokens={"type": "integer"},
        ),
    }

    async def call(self, view: View, arguments: JsonObject) -> ToolResult:
        wanted = read(arguments, Arguments, self.definition)
        if wanted.pattern and len(wanted.pattern) > LONGEST:
            raise InvalidArguments(f"a pattern may have {LONGEST} characters")
        tools = view.tools(wanted.server)
        health = view.backend(wanted.server).health
        if not tools and health.status is Status.DOWN:
            note = f"its tools are not known yet: it is {health}"
            return json_answer({"server": wanted.server, "tools": [], "note": note})
        chosen = _chosen(tools, wanted)
        answer: dict[str, Any] = {"server": wanted.server}
        answer.update(_within(chosen, max(wanted.max_tokens, 1), names_given=bool(wanted.named)))
        missing = _missing(tools, wanted)
        if missing:
            answer["missing"] = missing
        return json_answer(answer)


def _chosen(tools: Sequence[Tool], wanted: Arguments) -> Sequence[Tool]:
    if not (wanted.named or wanted.pattern):
        return tools
    names = set(wanted.named) if wanted.named else None
    pattern = wanted.pattern.casefold() if wanted.pattern else None
    chosen = [
        tool
        for tool in tools
        if (names is None or tool.ref.name in names)
        and (pattern is None or fnmatchcase(tool.ref.name.casefold(), pattern))
    ]
    if not chosen:
        known = [tool.ref.name for tool in tools]
        asked = wanted.named[0] if wanted.named else (wanted.pattern or "").strip("*?")
        fallback = f"gateway_list_tools with server {wanted.server!r} alone names all {len(known)}"
        raise ToolNotFound(
            f"no tool of server {wanted.server!r} fits", hint=did_you_mean(asked, known) or fallback
        )
    return chosen


def _missing(tools: Sequence[Tool], wanted: Arguments) -> list[str]:
    if not wanted.named:
        return []
    known = {tool.ref.name for tool in tools}
    return [name[:64] for name in wanted.named if name not in known][:20]


def _within(chosen: Sequence[Tool], budget: int, *, names_given: bool) -> dict[str, Any]:
    """Whole definitions if they fit the budget, else one line each, else as many lines as fit."""
    whole = _fitting((tool.definition for tool in chosen), budget)
    if len(whole) == len(chosen):
        return {"tools": whole}
    lines = _fitting(map(_line, chosen), budget) or [_line(chosen[0])]
    how = "fewer names" if names_given else "names (or pattern)"
    note = f"schemas left out to stay within {budget} tokens; ask again with {how}"
    if len(lines) < len(chosen):
        note = f"{len(lines)} of {len(chosen)} tools shown; {note}, or a higher max_tokens"
    return {"tools": lines, "note": note}


def _line(tool: Tool) -> JsonObject:
    return {"name": tool.ref.name, "description": first_sentence(tool.description)}


def _fitting(items: Iterable[JsonObject], budget: int) -> list[JsonObject]:
    """As many as fit. There may be ten thousand, so the rest is not looked at."""
    spent = 1
    found: list[JsonObject] = []
    for item in items:
        spent += len(msgspec.json.encode(item)) + 1
        if estimate_tokens(spent) > budget:
            break
        found.append(item)
    return found
