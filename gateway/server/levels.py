"""logging/setLevel: how severe a message must be for a legacy client to see it."""

import contextlib

from gateway.errors import BackendUnavailable, Unsupported
from gateway.protocol import jsonrpc, mcp
from gateway.server.asked import Asked, Refused, text_of
from gateway.server.offered import has
from gateway.server.views import Views


class Levels:
    def __init__(self, views: Views) -> None:
        self._views = views

    async def set(self, asked: Asked) -> bytes:
        """Kept for the client, whose messages are filtered by it, and told to its backend.

        At `/mcp` there are many: each hears of it with the next call.
        """
        view, own = self._views.view(asked.caller), asked.surface.name
        if not has(asked.surface.capabilities(view, asked.revision), ("logging",)):
            raise Unsupported(f"{mcp.SET_LEVEL}: nothing here sends log messages")
        level = text_of(asked.request.params, "level")
        if level not in mcp.LOG_LEVELS:
            known = ", ".join(mcp.LOG_LEVELS)
            raise Refused(jsonrpc.INVALID_PARAMS, f"no log level; there are {known}")
        if asked.dialogue is not None:
            asked.dialogue.level = level
        if own and view.backends[own].era == "legacy":
            with contextlib.suppress(BackendUnavailable):  # it hears of it when it is back
                await view.query(own, mcp.SET_LEVEL, {"level": level})
        return b"{}"
