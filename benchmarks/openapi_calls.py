"""Calls of imported tools as an MCP client makes them, and what became of each."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

import aiohttp

from benchmarks.openapi_prism import Exchange, Recorder

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
PATIENCE = 30.0  # seconds for a whole call


class Fate(StrEnum):
    """What became of a call."""

    ACCEPTED = "accepted"  # prism found nothing wrong with the request, and answered
    UNANSWERED = "unanswered"  # nor here, but it could not make up an answer of the document's
    REJECTED = "rejected"  # it says what is wrong
    CRASHED = "crashed"  # it failed while reading the request: nobody knows
    REFUSED = "refused"  # the gateway sent nothing
    LOST = "lost"  # a request went out, and nothing came back


@dataclass(frozen=True, slots=True)
class Called:
    """`text` says why, where it was not accepted. `structured` is None where no JSON came."""

    backend: str
    tool: str
    arguments: Mapping[str, Any]
    fate: Fate
    text: str
    exchange: Exchange | None
    structured: bool | None


class Client:
    """Sends MCP's `tools/call` to a gateway and reads beside it what the recorder saw."""

    def __init__(self, session: aiohttp.ClientSession, port: int, recorder: Recorder) -> None:
        self._session = session
        self._origin = f"http://127.0.0.1:{port}"
        self._recorder = recorder
        self._ids = count(1)

    async def tools(self, backend: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await self._ask(backend, "tools/list", cursor))["result"]
            found += page["tools"]
            if "nextCursor" not in page:
                return found
            cursor = {"cursor": page["nextCursor"]}

    async def call(self, backend: str, tool: str, arguments: Mapping[str, Any]) -> Called:
        self._recorder.clear()
        params = {"name": tool, "arguments": arguments}
        try:
            answer = await self._ask(backend, "tools/call", params)
        except (TimeoutError, aiohttp.ClientError) as error:
            answer = {"error": {"message": f"{type(error).__name__} {error}"}}
        exchange = self._recorder.exchanges[-1] if self._recorder.exchanges else None
        fate, text = judged(exchange, answer)
        structured = has_structure(exchange, answer)
        return Called(backend, tool, arguments, fate, text, exchange, structured)

    async def _ask(self, backend: str, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
        }
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        message = {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": {**params, "_meta": META},
        }
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        url = f"{self._origin}/mcp/{backend}"
        async with self._session.post(url, json=message, headers=headers, timeout=timeout) as told:
            return dict(await told.json())


def judged(exchange: Exchange | None, answer: Mapping[str, Any]) -> tuple[Fate, str]:
    """What became of it, and why."""
    if exchange is None:
        return Fate.REFUSED, said(answer)
    if not exchange.status:
        return Fate.LOST, said(answer)
    violations = exchange.violations()
    if violations:
        return Fate.REJECTED, "; ".join(str(one) for one in violations)
    if exchange.own_failure():
        return Fate.UNANSWERED, exchange.own_failure()
    if exchange.status == 500 and "content-type" not in exchange.answered:
        return Fate.CRASHED, exchange.content[:300].decode(errors="replace")
    return Fate.ACCEPTED, ""


def has_structure(exchange: Exchange | None, answer: Mapping[str, Any]) -> bool | None:
    """Whether an answer in JSON came as structuredContent; None where it was no such answer."""
    if exchange is None or not 200 <= exchange.status < 300 or not exchange.content:
        return None
    kind = exchange.answered.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.endswith(("/json", "+json")):
        return None
    return "structuredContent" in answer.get("result", {})


def said(answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        return str(answer["error"].get("message"))
    return " ".join(str(block.get("text", "")) for block in answer["result"].get("content", ()))


def spread(items: Iterable[Any], most: int) -> list[Any]:
    """At most that many of them, evenly."""
    found = list(items)
    return found[:: max(1, math.ceil(len(found) / most))]
