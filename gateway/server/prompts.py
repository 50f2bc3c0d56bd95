"""prompts/get: a prompt of the surface by its name, asked of the server whose it is."""

from gateway.domain.text import shown
from gateway.protocol import jsonrpc
from gateway.protocol.relay import relayed
from gateway.server.asked import Asked, Refused, context_of, text_of
from gateway.server.offered import require
from gateway.server.parking import Parking
from gateway.server.views import Views


class Prompts:
    def __init__(self, views: Views, parking: Parking) -> None:
        self._views = views
        self._parking = parking

    async def get(self, asked: Asked) -> bytes:
        view = self._views.view(asked.caller)
        require(asked, view)
        name = text_of(asked.request.params, "name")
        owned = asked.surface.prompt(view, name)
        if owned is None:
            reason = f"no prompt {shown(name)}; prompts/list names every prompt"
            raise Refused(jsonrpc.INVALID_PARAMS, reason)

        async def run(asked: Asked) -> bytes:
            request = asked.request
            view.context = context_of(asked)
            params = {**request.params, "name": owned.name}
            return relayed(await view.query(owned.backend, request.method, params), asked.revision)

        return await self._parking.carry(asked, run)
