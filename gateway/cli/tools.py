"""`capgate tools`: what is offered, and what each tool costs a model in tokens."""

import click

from gateway.cli.common import (
    QUIET,
    config_options,
    echo_json,
    json_option,
    read_config,
    tokens_of,
    with_view,
)
from gateway.domain import openai
from gateway.domain.listing import Listing, Status
from gateway.domain.signature import first_sentence, signature
from gateway.domain.text import counted
from gateway.runtime.view import View

COLOURS = {Status.OK: "green", Status.DEGRADED: "yellow", Status.DOWN: "red"}


@click.command("tools")
@click.argument("server", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["openai"]),
    help="As functions for OpenAI's API, in JSON.",
)
@config_options
@json_option
def command(
    server: str | None,
    form: str | None,
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """List the tools of all servers, or of SERVER."""

    async def listings(view: View) -> list[Listing]:
        return [view.backend(server)] if server else list(view.backends.values())

    found = with_view(read_config(config, QUIET, capabilities), listings, server)
    if form is not None:
        echo_json(openai.answer(tool for listing in found for tool in listing.tools))
        return
    if as_json:
        echo_json({"servers": [_server(listing) for listing in found]})
        return
    for listing in found:
        _show(listing)
    tools = sum(len(listing.tools) for listing in found)
    click.echo(f"{counted(len(found), 'server')}, {counted(tools, 'tool')}")


def _server(listing: Listing) -> dict[str, object]:
    return {
        "name": listing.name,
        "description": listing.description,
        "status": str(listing.health),
        "tools": [tool.definition for tool in listing.tools],
    }


def _show(listing: Listing) -> None:
    click.secho(listing.name, bold=True, nl=False)
    click.echo(f"  {listing.description}", nl=False)
    click.secho(f"  {listing.health}", fg=COLOURS[listing.health.status])
    for tool in listing.tools:
        click.echo(f"  {tool.ref.name}({signature(tool)})  ~{tokens_of(tool)} tokens")
        click.secho(f"      {first_sentence(tool.description)}", dim=True)
