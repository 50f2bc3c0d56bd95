"""The command `capgate`: one file a command, each loaded only when it is asked for."""

import gc
from pathlib import Path

import click

from gateway.cli.lazy import LazyGroup
from gateway.credentials.secret import environment
from gateway.version import __version__

COMMANDS = {  # name → module; the order of the help page
    "serve": "serve",
    "validate": "validate",
    "tools": "tools",
    "search": "search",
    "call": "call",
    "explain": "explain",
    "record": "record",
    "new": "new",
    "import": "import_",
    "convert": "convert",
    "lock": "lock",
    "key": "key",
    "authorize": "authorize",
    "client-config": "client_config",
    "schema": "schema",
}


class Commands(LazyGroup):
    modules = COMMANDS


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="capgate")
@click.pass_context
def cli(context: click.Context) -> None:
    """One MCP endpoint for your REST APIs and MCP servers."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise click.ClickException("the working directory is there no more") from None
    environ = environment()
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        context.color = False


def main() -> None:
    """The process of one command. Starting makes no garbage worth 50 ms; `serve` collects again."""
    gc.disable()
    cli(prog_name="capgate")
