"""`capgate search`: what an agent would find."""

import click

from gateway.cli.common import QUIET, config_options, echo_json, json_option, read_config, with_view
from gateway.domain.search import Found, Match
from gateway.domain.signature import first_sentence, signature
from gateway.meta.search_tools import row
from gateway.runtime.view import View


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--server", help="Search this server only.")
@config_options
@json_option
def command(
    words: tuple[str, ...],
    limit: int,
    server: str | None,
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Find tools by what they do.

    Ranked as gateway_search_tools ranks them. Exits with 1 when nothing matches.
    """

    async def search(view: View) -> Found:
        return view.search(" ".join(words), limit, server)

    found = with_view(read_config(config, QUIET, capabilities), search, server)
    if as_json:
        echo_json({"matches": [_scored(match) for match in found.matches], "total": found.total})
        return
    for match in found.matches:
        ref = match.tool.ref
        click.secho(f"{ref}", bold=True, nl=False)
        click.echo(f"({signature(match.tool)})\n    {first_sentence(match.tool.description)}")
    if not found.matches:
        click.echo("nothing matches")
        raise SystemExit(1)


def _scored(match: Match) -> dict[str, object]:
    return {**row(match), "score": round(match.score, 3)}
