"""`capgate serve`: the gateway itself, over HTTP or stdio."""

import asyncio

import click

from gateway import app
from gateway.cli.common import config_options, read_config, refused
from gateway.config.load import STANDARD_OUTPUT
from gateway.config.variables import Place, over_stdio
from gateway.credentials.secret import environment

try:
    import uvloop
except ImportError:  # not made for this system: the standard loop serves as well
    new_loop = asyncio.new_event_loop
else:
    new_loop = uvloop.new_event_loop


@click.command("serve")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0: any free one.")
@click.option("--mock", is_flag=True, help="Answer from the files' examples; call no API.")
@click.option("--stdio", is_flag=True, help="Speak MCP on stdin and stdout, not HTTP.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="What to log, and all that is worse.",
)
@config_options
def command(  # noqa: PLR0913 (one parameter an option)
    host: str | None,
    port: int | None,
    log_level: str | None,
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    mock: bool,
    stdio: bool,
) -> None:
    """Serve capability files and MCP servers at /mcp.

    The files are those in ./capabilities, or in the folders that gateway.yaml names; the servers
    those of its `backends:` and of the .mcp.json it names.
    """
    said: dict[Place, object] = {}
    if host is not None:
        said["server", "host"] = host
    if port is not None:
        said["server", "port"] = port
    if log_level is not None:
        said["log", "level"] = log_level
    settings = read_config(config, said, capabilities)
    stdio = stdio or over_stdio(environment())
    if stdio and not settings.config.meta_mcp.enabled:
        raise click.UsageError("meta_mcp.enabled is false, and over stdio there is nothing else")
    audit = settings.config.audit
    if stdio and audit.enabled and audit.file == STANDARD_OUTPUT:
        raise click.UsageError("audit.file is standard output, and over stdio that is the client's")
    serve = app.serve_stdio if stdio else app.serve
    with asyncio.Runner(loop_factory=new_loop) as runner, refused():
        raise SystemExit(runner.run(serve(settings, mock=mock)))
