"""The command `capgate`: one file a command, each loaded only when it is asked for."""

import gc
import importlib
from pathlib import Path

import click

from gateway import __version__
from gateway.credentials.secret import environment

COMMANDS = {  # name → module; the order of the help page
    "serve": "serve",
    "validate": "validate",
    "tools": "tools",
    "search": "search",
    "call": "call",
    "new": "new",
    "authorize": "authorize",
    "client-config": "client_config",
    "schema": "schema",
}


class Commands(click.Group):
    """Imports a command's module on first use: `serve` does not wait for what `validate` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"gateway.cli.{module}").command
        return command


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
