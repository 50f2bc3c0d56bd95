"""`capgate import`: other people's descriptions of an API become files for review."""

import click

from gateway.cli.lazy import LazyGroup

COMMANDS: dict[str, str] = {  # name → module; the order of the help page
    "openapi": "import_openapi",
    "postman": "import_postman",
    "mcp-json": "import_mcp_json",
}


class Imports(LazyGroup):
    modules = COMMANDS


@click.group("import", cls=Imports)
def command() -> None:
    """Make capability files from other descriptions.

    What is written is for review: nothing is served before you put it into a capability folder.
    """
