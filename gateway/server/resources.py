"""resources/read, and the legacy resources/subscribe and /unsubscribe: by URI, asked of the server
whose the resource is.
"""

from gateway.protocol.relay import cacheable, relayed
from gateway.server.asked import Asked, Refused, context_of, text_of
from gateway.server.offered import not_found, only, require
from gateway.server.parking import Parking
from gateway.server.views import Views


class Resources:
    def __init__(self, views: Views, parking: Parking) -> None:
        self._views = views
        self._parking = parking

    async def read(self, asked: Asked) -> bytes:
        view = self._views.view(asked.caller)
        require(asked, view)
        uri = text_of(asked.request.params, "uri")
        owned = only(asked.surface.resource(view, uri), uri, asked.revision.resource_missing)

        async def run(asked: Asked) -> bytes:
            request, revision = asked.request, asked.revision
            view.context = context_of(asked)
            params = {**request.params, "uri": owned.name}
            result = await view.query(owned.backend, request.method, params)
            raw = relayed(result, revision)
            return cacheable(raw) if revision.caching and not result.modern else raw

        return await self._parking.carry(asked, run)

    async def subscribe(self, asked: Asked) -> bytes:
        """Whoever cannot be told anything unasked cannot subscribe."""
        view = self._views.view(asked.caller)
        require(asked, view)
        uri = text_of(asked.request.params, "uri")
        if asked.hearing is None:
            raise Refused(*not_found(asked.request.method))
        owned = only(asked.surface.resource(view, uri), uri, asked.revision.resource_missing)
        await asked.hearing.subscribe(owned, uri)
        return b"{}"

    async def unsubscribe(self, asked: Asked) -> bytes:
        """Of what it never subscribed to, too."""
        require(asked, self._views.view(asked.caller))
        uri = text_of(asked.request.params, "uri")
        if asked.hearing is not None:
            asked.hearing.unsubscribe(uri)
        return b"{}"
