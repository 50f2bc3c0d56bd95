"""`capgate convert`: files of mcp-gateway become capability files, for review."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.common import echo_json, json_option
from gateway.cli.drafts import for_review, tell, told_in_json
from gateway.cli.writing import write_new
from gateway.config.folder import look, read
from gateway.domain.issue import Issue
from gateway.domain.text import counted
from gateway.importers.base import Note
from gateway.importers.fulcrum.several import Several, convert_all

FRAGMENT = "gateway.yaml.part"  # an ending that no capability folder reads


@click.command("convert")
@click.argument("source", metavar="IN", type=click.Path(exists=True))
@click.argument("folder", metavar="OUT", type=click.Path(file_okay=False, path_type=Path))
@click.option("--merge", is_flag=True, help="One file for all tools of one API.")
@click.option(
    "--force", is_flag=True, help="Write over files that are there, even into a live folder."
)
@json_option
def command(source: str, folder: Path, *, merge: bool, force: bool, as_json: bool) -> None:
    """Make capability files of files for mcp-gateway ("fulcrum").

    IN is one file, or a folder with all that is in it. What they say of MCP servers becomes
    OUT/gateway.yaml.part, to be copied into gateway.yaml. IN stays as it is.

    Exit code 0: something came over, 1: nothing did, 2: the command line is wrong.
    """
    if folder.resolve() in (Path(source).resolve(), Path(source).resolve().parent):
        raise click.UsageError("OUT is where the files are: name another folder")
    files, unread = _files(source)
    if not files and not unread:
        raise click.UsageError(f"no .yaml files in {source}")
    several = convert_all(files, merge=merge)
    texts = {draft.file: draft.text for draft in several.imported.drafts}
    if several.backends:
        texts[FRAGMENT] = several.backends
    for_review(folder, force=force)
    write_new({folder / name: text for name, text in texts.items()}, force=force)
    skipped = (*unread, *several.imported.skipped)
    if as_json:
        echo_json(_in_json(folder, several, skipped))
    else:
        _show(folder, several, skipped)
    raise SystemExit(0 if texts else 1)


def _files(source: str) -> tuple[dict[str, bytes], tuple[Note, ...]]:
    found = look([source])
    files: dict[str, bytes] = {}
    unread = [
        Note(file, issue.message) for file, issue in {**found.refused, **found.unlisted}.items()
    ]
    for file, entry in sorted(found.entries.items()):
        content = read(entry)
        if isinstance(content, bytes):
            files[file] = content
        else:
            why = content.message if isinstance(content, Issue) else "is being written just now"
            unread.append(Note(file, why))
    return files, tuple(unread)


def _show(folder: Path, several: Several, skipped: tuple[Note, ...]) -> None:
    imported = several.imported
    tell(imported.notes, skipped, err=False)
    if several.backends:
        click.echo(f"\nfor gateway.yaml ({folder / FRAGMENT}):\n\n{several.backends}")
    tools = sum(len(draft.tools) for draft in imported.drafts)
    parts = [counted(tools, "tool"), counted(len(imported.drafts), "file")]
    made = f"{parts[0]} in {parts[1]}"
    if several.servers:
        made += f", {counted(len(several.servers), 'MCP server')}"
    where = f" written to {folder}" if imported.drafts or several.backends else ""
    click.echo(f"{made}{where}; {counted(len(skipped), 'file')} left out")
    if imported.drafts:
        click.echo(f"next: look through them, then capgate validate {folder}")


def _in_json(folder: Path, several: Several, skipped: tuple[Note, ...]) -> dict[str, Any]:
    imported = several.imported
    return {
        "files": {str(folder / draft.file): list(draft.tools) for draft in imported.drafts},
        "servers": list(several.servers),
        **told_in_json(imported.notes, skipped),
    }
