"""What an importer made, written into a folder for review, and told to a person or a program."""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.capability.file.model import BACKEND_NAME
from gateway.cli.common import QUIET, echo_json
from gateway.cli.writing import write_new
from gateway.config import load
from gateway.credentials.secret import environment
from gateway.domain.text import counted
from gateway.importers.base import Imported, Note
from gateway.importers.writing import printable

FOLDER = "imported"
WIDTH = 100  # characters of places that are named of a note that many have
MANY = 25  # tools whose tokens are shown one by one

Command = TypeVar("Command", bound=Callable[..., Any])


def draft_options(command: Command) -> Command:
    """`-o` and `--force`: where the files go."""
    folder = click.option(
        "-o",
        "--output",
        metavar="DIR",
        default=FOLDER,
        show_default=True,
        help="Folder for the files; - prints them.",
    )
    force = click.option(
        "--force", is_flag=True, help="Write over files that are there, even into a live folder."
    )
    return folder(force(command))


def name_option(command: Command) -> Command:
    """`--name`."""
    name = click.option(
        "--name", callback=_named, help="Of the backend, in place of one made of the title."
    )
    return name(command)


def _named(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not re.fullmatch(BACKEND_NAME, name):
        hint = "a-z, 0-9 and '_', a letter first, at most 32 characters"
        raise click.BadParameter(f"{name!r} is no backend name ({hint})")
    return name


def deliver(imported: Imported, output: str, *, force: bool, as_json: bool) -> None:
    """Writes, tells, and ends with exit code 0 if anything was imported, else 1."""
    folder = None if output == "-" else Path(output)
    if folder is not None and imported.drafts:
        _write(imported, folder, force=force)
    if as_json:
        echo_json(_in_json(imported, folder))
    else:
        _show(imported, folder)
    raise SystemExit(0 if imported.drafts else 1)


def _write(imported: Imported, folder: Path, *, force: bool) -> None:
    for_review(folder, force=force)
    write_new({folder / draft.file: draft.text for draft in imported.drafts}, force=force)


def for_review(folder: Path, *, force: bool) -> None:
    """Raises click.UsageError when what is written there is served at once."""
    if not force and _is_live(folder):
        raise click.UsageError(
            f"tools in {folder} are served at once: review them in another folder first"
        )


def _is_live(folder: Path) -> bool:
    """Whether it is in a folder that the configuration here serves, as far as it can be read."""
    environ = environment()
    loaded = load.load(load.locate(None, environ), environ, QUIET)
    listed = loaded.config.capabilities.directories if loaded.config else ("capabilities",)
    paths = [each if isinstance(each, str) else each.path for each in listed]
    inside = folder.resolve()
    return any(inside.is_relative_to(Path(path).resolve()) for path in paths)


def _show(imported: Imported, folder: Path | None) -> None:
    """To standard error what there is to say, when standard output is the file."""
    err = folder is None
    for draft in imported.drafts:
        if folder is None:
            click.echo(draft.text, nl=False)
        _show_tokens(draft.tokens, err=err)
    tell(imported.notes, imported.skipped, err=err)
    click.echo(_summary(imported, folder), err=err)
    if folder is not None and imported.drafts:
        click.echo(f"next: look through them, then capgate validate {folder}")


def _show_tokens(tokens: Any, *, err: bool) -> None:
    for name, count in sorted(tokens.items())[:MANY]:
        click.echo(f"{count:6d} tokens  {name}", err=err)
    if len(tokens) > MANY:
        click.echo(f"   and {counted(len(tokens) - MANY, 'more tool')}", err=err)


def tell(notes: Iterable[Note], skipped: Iterable[Note], *, err: bool) -> None:
    """A line for each; foreign words in it move no cursor and start no line."""
    for text in _grouped(notes):
        click.echo(f"note: {text}", err=err)
    for text in _grouped(skipped):
        click.secho(f"left out: {text}", fg="yellow", err=err)


def _grouped(notes: Iterable[Note]) -> list[str]:
    """What is said of many places is said once."""
    places: dict[str, list[str]] = {}
    for note in notes:
        places.setdefault(note.text, []).extend([note.where] if note.where else [])
    return [printable(f"{_places(found)}{text}") for text, found in places.items()]


def _places(found: list[str]) -> str:
    if not found:
        return ""
    shown = [found[0]]
    for place in found[1:]:
        if len(", ".join([*shown, place])) > WIDTH:
            break
        shown.append(place)
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return f"{', '.join(shown)}{more}: "


def _summary(imported: Imported, folder: Path | None) -> str:
    tools = sum(len(draft.tools) for draft in imported.drafts)
    tokens = sum(sum(draft.tokens.values()) for draft in imported.drafts)
    cost = f", about {tokens:,} tokens" if tokens else ""
    left = f"; {counted(len(imported.skipped), 'operation')} left out" if imported.skipped else ""
    return f"{counted(tools, 'tool')}{cost}, in {_files(imported, folder)}{left}"


def _files(imported: Imported, folder: Path | None) -> str:
    if folder is not None and len(imported.drafts) == 1:
        return str(folder / imported.drafts[0].file)
    where = f" in {folder}" if folder is not None and imported.drafts else ""
    return f"{counted(len(imported.drafts), 'file')}{where}"


def _in_json(imported: Imported, folder: Path | None) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": str(folder / draft.file) if folder else draft.file,
                "tools": [{"name": name, "tokens": draft.tokens.get(name)} for name in draft.tools],
                **({} if folder else {"text": draft.text}),
            }
            for draft in imported.drafts
        ],
        **told_in_json(imported.notes, imported.skipped),
    }


def told_in_json(notes: Iterable[Note], skipped: Iterable[Note]) -> dict[str, Any]:
    return {
        "notes": [asdict(note) for note in notes],
        "skipped": [asdict(note) for note in skipped],
    }
