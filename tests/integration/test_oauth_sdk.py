"""A whole session with the `mcp` SDK's server, which the SDK's authorization server guards."""

import asyncio
import contextlib
import json
import math
import sys

import pytest

from gateway.credentials.backend_auth import build
from gateway.credentials.means import Shared
from gateway.credentials.oauth.settings import OAuth
from gateway.domain.call import Call
from gateway.domain.identity import ANONYMOUS
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import AuthorizationNeeded
from gateway.http.direct import Direct
from gateway.http.outgoing import Outgoing
from gateway.protocol import mcp
from gateway.session.session import Session
from gateway.transports.base import Means
from gateway.transports.http import Http
from tests.peers.oauth_world import visit
from tests.peers.programs import free_port, running


class Quiet:
    def changed(self, method):
        pass

    def said(self, method, params):
        pass

    def lost(self, reason):
        pass


@contextlib.contextmanager
def sdk_server(folder):
    port = free_port()
    argv = (sys.executable, "-m", "tests.peers.oauth_sdk_server", str(port))
    with running(argv, folder / "server.log", port) as program:
        yield f"{program.url}/mcp"


async def test_the_sdks_server_lets_the_gateway_in_and_renews_its_token(tmp_path):
    with sdk_server(tmp_path) as url:
        http, outgoing, ready = Direct(public_only=False), Outgoing(), asyncio.Event()
        shared = Shared(outgoing, {"XDG_STATE_HOME": str(tmp_path)})
        authorizer = build({}, None, OAuth(), shared.means("it", url, ready.set))
        means = Means("it", http, authorizer)
        async with asyncio.timeout(30):
            with pytest.raises(AuthorizationNeeded) as caught:
                await Session.open(Http(url), means, Quiet())
            await visit(caught.value.url)
            await authorizer.settled()
            assert ready.is_set()
            session = await Session.open(Http(url), means, Quiet())
            names = [tool["name"] for tool in await session.list_all(mcp.TOOLS_LIST)]
            assert names == ["whisper", "revoke"]
            assert await said(session, "whisper", word="hi") == "psst: hi"
            before = await authorizer.headers()
            await said(session, "revoke")
            assert await said(session, "whisper", word="again") == "psst: again"
            assert await authorizer.headers() != before
            await session.aclose()
        await authorizer.aclose()
        await outgoing.aclose()
        await http.aclose()
        await asyncio.sleep(0)  # the sockets close in a turn of their own; the server waits for it


async def said(session, tool, **arguments):
    call = Call("1", Tool(ToolRef("it", tool), {"name": tool}), arguments, ANONYMOUS, math.inf)
    outcome = await session.call(call, tool, arguments, {})
    return json.loads(outcome.raw)["content"][0]["text"]
