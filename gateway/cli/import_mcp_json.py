"""`capgate import mcp-json`: a client's list of MCP servers becomes `backends:`."""

from pathlib import Path

import click

from gateway.cli.common import echo_json, json_option
from gateway.cli.drafts import tell, told_in_json
from gateway.cli.writing import write_new
from gateway.domain.text import counted
from gateway.importers.base import ImportFailed
from gateway.importers.mcp_json import Servers, read

LARGEST = 1 << 20  # bytes of such a file


@click.command("mcp-json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write here.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def command(file: Path, output: Path | None, *, force: bool, as_json: bool) -> None:
    """Make backends: of gateway.yaml from a client's list of MCP servers.

    FILE is a .mcp.json, claude_desktop_config.json, mcp.json of VS Code or Cursor, or the like. The
    text goes to standard output, what there is to say about it to standard error. Credentials are
    not copied: they become variables, whose names are told.

    Exit code 0: some server came over, 1: none did, 2: the file is no such list.
    """
    with file.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise click.UsageError(f"{file} is larger than {LARGEST >> 20} MiB")
    try:
        found = read(data, str(file))
    except ImportFailed as error:
        raise click.UsageError(str(error)) from None
    output = None if output == Path("-") else output
    if output is not None:
        write_new({output: found.text}, force=force)
    if as_json:
        echo_json(_in_json(found))
    else:
        if output is None:
            click.echo(found.text, nl=False)
        _tell(found, output)
    raise SystemExit(0 if found.names else 1)


def _tell(found: Servers, output: Path | None) -> None:
    """To standard error: standard output is the file."""
    tell(found.notes, found.skipped, err=True)
    if found.variables:
        click.echo(f"set where the gateway is started: {', '.join(found.variables)}", err=True)
    written = f" written to {output}" if output else ""
    click.echo(f"{counted(len(found.names), 'MCP server')}{written}", err=True)


def _in_json(found: Servers) -> dict[str, object]:
    return {
        "servers": list(found.names),
        "variables": list(found.variables),
        "text": found.text,
        **told_in_json(found.notes, found.skipped),
    }
