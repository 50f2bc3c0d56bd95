"""`gateway_search_tools`: the best few tools for a request, in few tokens."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec

from gateway.domain.names import nearest
from gateway.domain.search import Match
from gateway.domain.signature import first_sentence, signature
from gateway.domain.tool import JsonObject, ToolResult, text_result
from gateway.meta.base import json_answer, read, schema
from gateway.runtime.view import View

SearchFormat = Literal["json", "lines"]
MOST = 50  # matches a single answer may hold
NAMED = 8  # servers named when nothing fits
ECHO = 200  # characters of the query that come back
COMPARED = 5  # words of a query that fits nothing, compared with the names of servers


class Arguments(msgspec.Struct):
    query: str
    limit: int = 5
    server: str | None = None


class SearchTools:
    definition: ClassVar[JsonObject] = {
        "name": "gateway_search_tools",
        "description": "Find tools on all servers by what they do; then call gateway_invoke.",
        "inputSchema": schema(
            ("query",),
            query={"type": "string", "description": "words, e.g. current weather"},
            limit={"type": "integer", "default": 5},
            server={"type": "string"},
        ),
    }

    def __init__(self, search_format: SearchFormat = "json") -> None:
        self._format = search_format

    async def call(self, view: View, arguments: JsonObject) -> ToolResult:
        wanted = read(arguments, Arguments, self.definition)
        found = view.search(wanted.query, min(max(wanted.limit, 1), MOST), wanted.server)
        connecting = _connecting(view, wanted.server)
        if self._format == "lines":
            lines = _as_lines(found.matches, found.total)
            lines = [*(lines or [_nothing(view, wanted)]), *([connecting] if connecting else [])]
            return text_result("\n".join(lines))
        answer: dict[str, Any] = {
            "query": wanted.query[:ECHO],
            "matches": [row(match) for match in found.matches],
            "total": found.total,
        }
        if not found.matches:
            answer["note"] = _nothing(view, wanted)
        if connecting:
            answer["incomplete"] = connecting
        return json_answer(answer)


def row(match: Match) -> dict[str, str]:
    """A match as it is shown: where it is, its first sentence, what it takes."""
    return {
        "server": match.tool.ref.backend,
        "tool": match.tool.ref.name,
        "description": first_sentence(match.tool.description),
        "args": signature(match.tool),
    }


def _connecting(view: View, server: str | None) -> str | None:
    """Which servers are being connected for the first time, so that nobody knows their tools."""
    among = [view.backend(server)] if server else view.backends.values()
    names = [listing.name for listing in among if not listing.settled]
    if not names:
        return None
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"still being connected: {', '.join(names[:NAMED])}{more}; search again in a few seconds"


def _as_lines(matches: Sequence[Match], total: int) -> list[str]:
    lines = [
        f"{match.tool.ref.backend}.{match.tool.ref.name}({signature(match.tool)})"
        f" - {first_sentence(match.tool.description)}"
        for match in matches
    ]
    if total > len(lines) > 0:
        lines.append(f"({len(lines)} of {total})")
    return lines


def _nothing(view: View, wanted: Arguments) -> str:
    """No match: say so, and name the servers nearest to the words, or the first few."""
    names = [wanted.server] if wanted.server else list(view.backends)
    near: list[str] = []
    for word in list(dict.fromkeys(wanted.query[:ECHO].split()))[:COMPARED]:
        near += [name for name in nearest(word, names) if name not in near]
    shown = near or names
    if not shown:
        return "nothing matches: there are no servers yet"
    if len(shown) > NAMED and not near:
        return f"nothing matches; try other words, or gateway_list_servers names all {len(shown)}"
    return f"nothing matches; try other words, or gateway_list_tools of: {', '.join(shown[:NAMED])}"
