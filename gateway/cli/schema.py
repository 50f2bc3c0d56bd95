"""`capgate schema`: the JSON Schema of a file kind, for editors."""

import click

from gateway.config.schema import SCHEMAS, render


@click.command("schema")
@click.argument("kind", type=click.Choice(sorted(SCHEMAS)), default="capability")
def command(kind: str) -> None:
    """Print the JSON Schema of a file, for editors.

    Of capability files, or of gateway.yaml.
    """
    click.echo(render(kind), nl=False)
