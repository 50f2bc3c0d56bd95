"""Methods that no revision of MCP has: those of extensions that a server declares itself."""

from gateway.domain.tool import JsonObject
from gateway.protocol import mcp
from gateway.protocol.inbound import well_named
from gateway.protocol.relay import relayed
from gateway.server.asked import Asked, Refused, context_of
from gateway.server.offered import not_found
from gateway.server.views import Views


class Extensions:
    def __init__(self, views: Views) -> None:
        self._views = views

    async def carry(self, asked: Asked) -> bytes:
        """Hand it to the backend of the surface, as it is: what it means is between the two.

        Only where both speak the same era, and the backend says that it has more than MCP.
        """
        request, name = asked.request, asked.surface.name
        view = self._views.view(asked.caller, context_of(asked))
        listing = view.backends.get(name)
        same = listing is not None and listing.era == asked.revision.era
        if (
            not same
            or not well_named(request.method)
            or not _extends(asked.surface.capabilities(view, asked.revision))
        ):
            raise Refused(*not_found(request.method))
        return relayed(await view.query(name, request.method, request.params), asked.revision)


def _extends(offered: JsonObject) -> bool:
    extensions = offered.get("extensions") or {}
    return bool(extensions.keys() - {mcp.TASKS_EXTENSION} or offered.get("experimental"))
