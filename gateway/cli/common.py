"""What the commands share: which files to read, and how a person or a program gets the answer."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import click
import msgspec

from gateway import app
from gateway.backends.unusable import Unusable
from gateway.config import load
from gateway.config.backends import Backend
from gateway.config.issues import report
from gateway.config.variables import Place
from gateway.credentials.secret import environment
from gateway.domain.issue import Issue
from gateway.domain.tokens import estimate_tokens
from gateway.domain.tool import Tool
from gateway.errors import ConfigError, GatewayError
from gateway.runtime.configured import Configured
from gateway.runtime.mcp_servers import McpServers
from gateway.runtime.view import View

QUIET: dict[Place, Any] = {("log", "level"): "warning"}  # for commands whose answer is the output

Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")


def config_options(command: Command) -> Command:
    """`-c` and `--capabilities`: which configuration, and folders in place of its own."""
    chosen = click.option("-c", "--config", metavar="FILE", help="gateway.yaml to read.")
    folders = click.option(
        "--capabilities",
        metavar="DIR",
        multiple=True,
        help="Folder (or file) of capability files; may be repeated.",
    )
    return chosen(folders(command))


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def read_config(
    file: str | None, said: dict[Place, Any], folders: tuple[str, ...] = ()
) -> Configured:
    """The configuration with the command line on top; ends with exit code 2 and all its issues."""
    if folders:
        said = {**said, ("capabilities", "directories"): folders}
    environ = environment()
    source = load.locate(file, environ)
    loaded = load.load(source, environ, said)
    if loaded.config is None:
        click.echo(report(loaded.issues), err=True)
        raise SystemExit(2)
    understand = partial(_understand, source, environ, said)
    return Configured(source, loaded.config, understand, environ=loaded.environ)


def _understand(
    source: load.Source, environ: Mapping[str, str], said: dict[Place, Any], data: bytes
) -> load.Loaded:
    return load.understand(data, source.file, environ, said, source.beside)


@contextlib.contextmanager
def refused() -> Iterator[None]:
    """Ends with exit code 2 and all issues where a file that has to be read first cannot be."""
    try:
        yield
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None


def with_view(
    configured: Configured, do: Callable[[View], Awaitable[T]], only: str | None = None
) -> T:
    """Do something with the tools that are offered, in this process.

    Where `only` one server is asked for, no other MCP server is started.
    """

    async def run() -> T:
        async with app.offered(configured, only=only) as view:
            return await do(view)

    try:
        with refused():
            return asyncio.run(run())
    except GatewayError as error:
        raise click.ClickException(_for_a_person(error.explain())) from None


def _for_a_person(text: str) -> str:
    """The same advice, with the commands that do what the meta-tools do for an agent."""
    text = re.sub(r"gateway_list_tools with server '([^']+)'", r"'capgate tools \1'", text)
    return text.replace("gateway_list_servers names", "'capgate tools' names")


def mcp_servers(configured: Configured) -> McpServers:
    """Those of gateway.yaml and of the `.mcp.json` it names, read once; none is started."""
    configured.refresh(cold=True)
    servers = McpServers(configured, _unbuilt, configured.environ)
    servers.refresh(cold=True)
    return servers


def _unbuilt(name: str, _server: Backend) -> Unusable:
    return Unusable(name, "unknown", (Issue(name, "is not to be started"),))


def tokens_of(tool: Tool) -> int:
    """About what the tool's definition costs a model."""
    return estimate_tokens(len(msgspec.json.encode(tool.definition)))


def echo_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
