"""completion/complete: values for an argument of a prompt or of a resource template, asked of the
server whose it is.
"""

from collections.abc import Mapping
from typing import Any

from gateway.domain.call import Relayed
from gateway.domain.naming import Owned
from gateway.domain.text import shown
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.relay import relayed
from gateway.runtime.view import View
from gateway.server.asked import Asked, Refused, context_of, text_of
from gateway.server.capabilities import is_known
from gateway.server.offered import only, require
from gateway.server.views import Views

SAID = f"params.ref.type must be {mcp.REF_PROMPT} or {mcp.REF_RESOURCE}"
NOTHING_FITS = Relayed(b'{"completion":{"values":[]}}')


class Completion:
    def __init__(self, views: Views) -> None:
        self._views = views

    async def complete(self, asked: Asked) -> bytes:
        request = asked.request
        view = self._views.view(asked.caller, context_of(asked))
        require(asked, view)
        ref = request.params.get("ref")
        if type(ref) is not dict or ref.get("type") not in (mcp.REF_PROMPT, mcp.REF_RESOURCE):
            raise Refused(jsonrpc.INVALID_PARAMS, SAID)
        key = "name" if ref["type"] == mcp.REF_PROMPT else "uri"
        owned = _owner(asked, view, ref, key)
        params = {**request.params, "ref": {**ref, key: owned.name}}
        if _completes(view, owned.backend):
            result = await view.query(owned.backend, request.method, params)
        else:
            result = NOTHING_FITS
        return relayed(result, asked.revision)


def _owner(asked: Asked, view: View, ref: Mapping[str, Any], key: str) -> Owned:
    name = text_of(ref, key)
    if key == "uri":
        return only(asked.surface.template(view, name), name, jsonrpc.INVALID_PARAMS)
    owned = asked.surface.prompt(view, name)
    if owned is None:
        raise Refused(jsonrpc.INVALID_PARAMS, f"no prompt {shown(name)}")
    return owned


def _completes(view: View, backend: str) -> bool:
    """At `/mcp` some servers complete and some do not."""
    listing = view.backend(backend)
    return "completions" in listing.capabilities or not is_known(listing)
