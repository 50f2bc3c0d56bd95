"""`capgate lock`: pins the definitions of tools as they are now, and tells what changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import (
    QUIET,
    config_options,
    echo_json,
    json_option,
    read_config,
    with_view,
)
from gateway.cli.writing import write
from gateway.config import lock_file
from gateway.config.issues import report
from gateway.config.observing import Lock
from gateway.domain.issue import Severity
from gateway.domain.listing import Listing, Status
from gateway.domain.pinning import Pinning
from gateway.domain.pins import Moved, Pin, Pins, moved, pin_of
from gateway.domain.text import counted
from gateway.runtime.view import View

UNPINNED = {**QUIET, ("lock", "enabled"): False}  # what backends offer, not what pins let through


@dataclass(slots=True)
class Made:
    """New pins, what moved by backend, and why some backends keep the pins they had."""

    pins: dict[str, Mapping[str, Pin]] = field(default_factory=dict)
    moved: dict[str, list[Moved]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is offered; `whole`: no file is broken, so that a backend which is not there is gone."""

    listings: Mapping[str, Listing]
    whole: bool


@click.command("lock")
@click.option(
    "--backend",
    "chosen",
    metavar="NAME",
    multiple=True,
    help="Pin this one anew, leave the others; may be repeated.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when something differs.")
@config_options
@json_option
def command(
    chosen: tuple[str, ...],
    config: str | None,
    capabilities: tuple[str, ...],
    *,
    check: bool,
    as_json: bool,
) -> None:
    """Pin the definitions of all tools in gateway.lock.

    Tells what changed since it was last written, in words. A server that does not answer keeps its
    pins. Exit code 0: done, 1: with --check, something differs or could not be looked at, 2: the
    configuration or the file is broken.
    """
    lock = read_config(config, QUIET, capabilities).config.lock
    before = _read(lock)

    async def look(view: View) -> tuple[Seen, list[str]]:
        broken = any(issue.severity is Severity.ERROR for issue in view.snapshot.issues)
        return Seen(view.backends, not broken), [view.backend(name).name for name in chosen]

    only = chosen[0] if len(chosen) == 1 else None
    seen, names = with_view(read_config(config, UNPINNED, capabilities), look, only)
    made = _made(before, seen, lock, names)
    stale = bool(made.moved) or not Path(lock.file).exists()
    if stale and not check:
        write({Path(lock.file): lock_file.written(Pins(made.pins))})
    if as_json:
        echo_json(_in_json(lock.file, made, written=stale and not check))
    else:
        _tell(lock, before, made, check=check)
    raise SystemExit(1 if check and (made.moved or made.unknown) else 0)


def _read(lock: Lock) -> Pins:
    """The pins there are; ends with exit code 2 where they cannot be read."""
    pins, issues = lock_file.load(lock.file)
    if issues:
        click.echo(report(issues), err=True)
        raise SystemExit(2)
    return pins or Pins()


def _made(before: Pins, seen: Seen, lock: Lock, chosen: list[str]) -> Made:
    made = Made()
    covers = Pinning(before, lock.on_change, lock.backends).covers
    left_out = [name for name in chosen if not covers(name)]
    if left_out:
        text = f"{left_out[0]!r} is not pinned: lock.backends does not name it"
        raise click.ClickException(text)
    names = before.backends.keys() | seen.listings.keys()
    asked = set(chosen) or {name for name in names if covers(name)}
    for name in sorted(names):
        old = before.backends.get(name, {})
        kept = old if chosen else {}
        new = _anew(made, name, old, seen) if name in asked else kept
        if new:
            made.pins[name] = new
        if found := [*moved(old, new)]:
            made.moved[name] = found
    return made


def _anew(made: Made, name: str, old: Mapping[str, Pin], seen: Seen) -> Mapping[str, Pin]:
    """What is pinned of a backend from now on."""
    listing = seen.listings.get(name)
    why = _unknown(listing, whole=seen.whole)
    if why is not None:
        made.unknown[name] = why
        return old
    return {} if listing is None else _pinned(listing, old)


def _unknown(listing: Listing | None, *, whole: bool) -> str | None:
    """Why it is not known what the backend offers; None where it is."""
    if listing is None:
        return None if whole else "it is not there, and some file is broken"
    if not listing.settled or (not listing.tools and listing.health.status is not Status.OK):
        return str(listing.health)
    return None


def _pinned(listing: Listing, old: Mapping[str, Pin]) -> Mapping[str, Pin]:
    """A definition that is equal to the pinned one stays written as it is."""
    fresh = {tool.ref.name: pin_of(tool.definition) for tool in listing.tools}
    return {name: old[name] if old.get(name) == pin else pin for name, pin in fresh.items()}


# -- what is told -----------------------------------------------------------------------------


def _tell(lock: Lock, before: Pins, made: Made, *, check: bool) -> None:
    for name, found in made.moved.items():
        if name not in before.backends:
            click.echo(f"{name}  + {counted(len(found), 'tool')}")
        elif name not in made.pins:
            click.echo(f"{name}  - {counted(len(found), 'tool')}: no longer pinned")
        else:
            click.echo("\n".join(_lines(name, found)))
    for name, why in made.unknown.items():
        kept = "keeps its pins" if name in made.pins else "is not pinned"
        click.echo(f"{name}  {kept}: {why}", err=True)
    if not lock.enabled:
        click.echo("lock.enabled is false: nothing is held to these pins", err=True)
    file = Path(lock.file).name
    click.echo(_checked(file, made) if check else _written(file, made))


def _checked(file: str, made: Made) -> str:
    if made.moved:
        return f"{counted(sum(map(len, made.moved.values())), 'tool')} not as in {file}"
    rest = " that could be looked at" if made.unknown else ""
    return f"all tools{rest} are as in {file}"


def _written(file: str, made: Made) -> str:
    tools = sum(map(len, made.pins.values()))
    pinned = f"{counted(tools, 'tool')} of {counted(len(made.pins), 'server')} pinned"
    return f"{file}: {pinned}" + ("" if made.moved else "; nothing has changed")


def _lines(backend: str, found: list[Moved]) -> Iterator[str]:
    for tool, changes in found:
        for change in changes:
            yield f"{backend}:{tool}  {change}"
            if change.was or change.now:
                yield f"    was: {change.was}"
                yield f"    now: {change.now}"


def _in_json(file: str, made: Made, *, written: bool) -> dict[str, Any]:
    changes = [
        {"server": name, "tool": tool, "change": str(change.sort), "text": change.text}
        | ({"was": change.was, "now": change.now} if change.was or change.now else {})
        for name, found in made.moved.items()
        for tool, its in found
        for change in its
    ]
    unknown = [{"server": name, "reason": why} for name, why in made.unknown.items()]
    tools = sum(map(len, made.pins.values()))
    return {
        "file": file,
        "written": written,
        "tools": tools,
        "changes": changes,
        "unknown": unknown,
    }
