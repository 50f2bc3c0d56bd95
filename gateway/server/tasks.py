"""tasks/…: work that a server goes on with after its answer, in the words of the client's own era.

No task crosses from one era to the other. Source: 2025-11-25, basic/utilities/tasks; SEP-2663.
"""

from gateway.domain.naming import Owned
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.relay import relayed
from gateway.protocol.task_ids import TASK, TASK_ID, begun, renamed
from gateway.runtime.view import View
from gateway.server.asked import Asked, Refused, Waiting, context_of, text_of
from gateway.server.capabilities import has_tasks_extension
from gateway.server.offered import not_found, require
from gateway.server.views import Views

REQUIRED: JsonObject = {"requiredCapabilities": {"extensions": {mcp.TASKS_EXTENSION: {}}}}


class Tasks:
    def __init__(self, views: Views) -> None:
        self._views = views

    async def of_one(self, asked: Asked) -> bytes:
        """Any of the methods about one task. Legacy clients hear of the task from then on."""
        view = self._admitted(asked)
        id = text_of(asked.request.params, TASK_ID)
        owned = asked.surface.task(view, id)
        if owned is None:
            raise Refused(jsonrpc.INVALID_PARAMS, f"no task {shown(id)}")
        params = {**asked.request.params, TASK_ID: owned.name}
        result = await view.query(owned.backend, asked.request.method, params)
        if asked.hearing is not None:
            asked.hearing.follow(mcp.TASK_STATUS, owned, id)
        if id != owned.name:
            result = renamed(result, lambda own: asked.surface.task_id(Owned(owned.backend, own)))
        return relayed(result, asked.revision)

    def begun_by(self, call: Waiting) -> Waiting:
        """`call`, a legacy tools/call; who began a task by it hears of that task."""

        async def begin(asked: Asked) -> bytes:
            raw = await call(asked)
            id = begun(raw)
            if id is not None and asked.hearing is not None and asked.surface.name:
                asked.hearing.follow(mcp.TASK_STATUS, Owned(asked.surface.name, id), id)
            return raw

        return lambda asked: begin(asked) if TASK in asked.request.params else call(asked)

    async def list(self, asked: Asked) -> bytes:
        """Those of one backend, page by page as it has them."""
        view, request = self._admitted(asked), asked.request
        result = await view.query(asked.surface.name, request.method, request.params)
        return relayed(result, asked.revision)

    def _admitted(self, asked: Asked) -> View:
        """Raises Refused where the surface has no tasks, or the client does not say it has."""
        view = self._views.view(asked.caller, context_of(asked))
        if not asked.revision.modern:
            require(asked, view)
        elif not has_tasks_extension(asked.surface.capabilities(view, asked.revision)):
            raise Refused(*not_found(asked.request.method))
        else:
            declared(asked.client.capabilities)
        return view


def declared(capabilities: JsonObject) -> None:
    """Raises Refused for a modern client that does not say it knows the tasks extension."""
    if not has_tasks_extension(capabilities):
        reason = "declare the tasks extension among the client's capabilities"
        raise Refused(mcp.MISSING_CAPABILITY, reason, REQUIRED)
