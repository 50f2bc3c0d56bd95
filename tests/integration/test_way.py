"""What was learned of how a server is reached, and when it is forgotten."""

import socket

import pytest

from gateway.backends.way import Way
from gateway.errors import BackendUnavailable
from gateway.http.direct import Direct
from gateway.transports import Http, Sse
from gateway.transports.base import Means
from tests.peers.mcp_server_scripted import Events


async def test_an_older_transport_that_leads_nowhere_any_more_is_forgotten() -> None:
    """A server that was updated would else be down until the next reload."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/mcp"
        http = Direct(public_only=False)
        way = Way(Http(url), Means("files", http))
        way.kind = Sse(url)
        with pytest.raises(BackendUnavailable):
            await way.open(Events())
        assert way.kind == Http(url)
        await http.aclose()
