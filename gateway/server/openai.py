"""`/openai/tools`: what a caller may use, as functions for OpenAI's API."""

from gateway.domain import openai
from gateway.domain.identity import Identity
from gateway.protocol.jsonrpc import encode
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.server.reply import Reply

PATH = "/openai/tools"
MOST_KEPT = 64 << 20  # bytes of answers


class Functions:
    """The page. It is written anew only when what the caller sees has changed."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._kept: dict[Identity, tuple[object, Reply]] = {}
        self._size = 0

    def __call__(self, caller: Identity) -> Reply:
        view = View(self._current.get(), lambda _event: None, caller)
        seen = [its.tools for its in view.backends.values()]
        known = self._kept.get(view.identity)
        if known is not None and known[0] == seen:
            return known[1]
        reply = Reply(200, encode(openai.answer(tool for tools in seen for tool in tools)))
        self._size += len(reply.body) - (len(known[1].body) if known is not None else 0)
        if self._size > MOST_KEPT:
            self._kept.clear()
            self._size = len(reply.body)
        self._kept[view.identity] = (seen, reply)
        return reply
