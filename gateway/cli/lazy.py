"""Groups of commands that import a command's module on first use.

`serve` does not wait for what `validate` needs.
"""

import importlib
from collections.abc import Mapping

import click


class LazyGroup(click.Group):
    """`modules`: name → module below `gateway.cli`, in the order of the help page."""

    modules: Mapping[str, str] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self.modules.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"gateway.cli.{module}").command
        return command
