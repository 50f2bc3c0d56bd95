"""`/openai/tools`: what a caller may use, as functions for OpenAI's API."""

from collections.abc import Sequence
from functools import partial

import msgspec

from gateway.domain import openai
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool, ToolRef
from gateway.protocol.jsonrpc import encode
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.server.reply import Later, Reply

PATH = "/openai/tools"
MOST_KEPT = 64 << 20  # bytes of answers, and of functions


class Functions:
    """The page. It is written anew only when what the caller sees has changed, and each function
    when its tool has: in a thread then, for ten thousand of them take 100 ms.
    """

    def __init__(self, current: Current, most: int = MOST_KEPT) -> None:
        self._current = current
        self._most = most
        self._kept: dict[Identity, tuple[object, Reply]] = {}
        self._made: dict[ToolRef, tuple[Tool, str, msgspec.Raw]] = {}
        self._size = 0

    def __call__(self, caller: Identity) -> Reply | Later:
        view = View(self._current.get(), lambda _event: None, caller)
        seen = [its.tools for its in view.backends.values()]
        known = self._kept.get(view.beholder)
        if known is not None and known[0] == seen:
            return known[1]
        return partial(self._written, view.beholder, seen)

    def _written(self, who: Identity, seen: Sequence[Sequence[Tool]]) -> Reply:
        """One at a time."""
        tools = (tool for tools in seen for tool in tools)
        reply = Reply(200, encode(openai.answer(tools, self._function)))
        self._size += len(reply.body)
        if self._size > self._most:
            self._kept.clear()
            self._made.clear()
            self._size = len(reply.body)
        self._kept[who] = (seen, reply)
        return reply

    def _function(self, tool: Tool, name: str) -> msgspec.Raw:
        known = self._made.get(tool.ref)
        if known is not None and known[0] is tool and known[1] == name:
            return known[2]
        made = msgspec.Raw(encode(openai.function(tool, name)))
        self._size += len(memoryview(made))
        self._made[tool.ref] = (tool, name, made)
        return made
