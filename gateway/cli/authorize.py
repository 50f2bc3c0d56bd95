"""`capgate authorize`: let the gateway use an MCP server that wants a person's permission."""

import asyncio
import contextlib
import webbrowser

import click
import msgspec

from gateway.cli.common import QUIET, mcp_servers, read_config
from gateway.config.backends import Backend
from gateway.config.issues import report
from gateway.credentials.means import Shared
from gateway.credentials.oauth.challenge import Wanted, wanted
from gateway.credentials.oauth.interactive import Interactive
from gateway.credentials.oauth.settings import OAuth
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import environment
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest
from gateway.http.outgoing import Outgoing
from gateway.protocol.eras import LATEST_LEGACY
from gateway.runtime.mcp_servers import McpServers

SECONDS = 15.0
CAP = 1 << 20
REFUSED = 401


@click.command("authorize")
@click.argument("server", metavar="SERVER")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option("-c", "--config", metavar="FILE", help="gateway.yaml to read.")
def command(server: str, config: str | None, *, show: bool) -> None:
    """Let a person allow the gateway to use SERVER.

    Prints the page on which that is done, and waits for it. The browser has to run on this machine.
    A gateway that is running finds the permission within a minute.
    """
    configured = read_config(config, QUIET)
    servers = mcp_servers(configured)
    name = configured.config.aliases.get(server, server)
    backend = servers.sound.get(name)
    if backend is None:
        raise click.ClickException(_unknown(server, name, servers))
    url = backend.http_url or backend.sse_url or backend.ws_url
    if url is None or backend.oauth is None or not backend.oauth.enabled:
        raise click.ClickException(f"server {name!r} has no oauth:, so nobody is to be asked")
    try:
        asyncio.run(_authorize(name, url, backend, backend.oauth, show=show))
    except GatewayError as error:
        raise click.ClickException(error.explain()) from None


def _unknown(server: str, name: str, servers: McpServers) -> str:
    if name in servers.broken:
        return report(servers.broken[name])
    there = ", ".join(sorted({*servers.sound, *servers.broken})) or "none"
    return f"no MCP server {server!r} (there: {there})"


async def _authorize(name: str, url: str, backend: Backend, settings: OAuth, *, show: bool) -> None:
    http = Outgoing()
    shared = Shared(http, environment(), Redactor())
    authorizer = Interactive(settings, shared.means(name, url))
    try:
        page = await authorizer.begin(await _challenge(http, url, backend))
        click.echo(f"Open this page in a browser on this machine, within 10 minutes:\n\n{page}\n")
        if show:
            await asyncio.to_thread(webbrowser.open, page)
        await authorizer.settled()
        click.echo(f"The gateway may use {name} now.")
    finally:
        await authorizer.aclose()
        await http.aclose()


async def _challenge(http: Outgoing, url: str, backend: Backend) -> Wanted:
    """What the server says to a request without a token."""
    hello = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": LATEST_LEGACY.version,
            "capabilities": {},
            "clientInfo": {"name": "capgate", "version": "authorize"},
        },
    }
    headers = {
        **backend.headers,
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    web = url.replace("ws", "http", 1) if url.startswith("ws") else url
    request = HttpRequest("POST", web, tuple(headers.items()), msgspec.json.encode(hello))
    with contextlib.suppress(GatewayError):  # it is asked for its metadata next, and that tells
        answer = await http.send(request, seconds=SECONDS, cap=CAP, private=True)
        if answer.status == REFUSED:
            return wanted(answer.headers)
    return Wanted()
