"""The files that a command makes: all of them or none, each in one step, or one line that says why.

Whoever reads such a file meets the old text or the new one, never a part.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

FEW = 5  # files that are named


def write_new(texts: Mapping[Path, str | bytes], *, force: bool) -> None:
    """As `write`, but over what is there only with `force`."""
    there = [str(path) for path in texts if os.path.lexists(path)]
    if there and not force:
        more = f" and {len(there) - FEW} more" if len(there) > FEW else ""
        names = f"{', '.join(sorted(there)[:FEW])}{more}"
        text = f"already there: {names}; nothing was written (--force writes over them)"
        raise click.ClickException(text)
    write(texts)


def write(texts: Mapping[Path, str | bytes]) -> None:
    """Folders are made as needed; links stay links. Raises click.ClickException."""
    staged: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            with _told(path):
                target = path.resolve()
                staged[target] = _beside(target)
                _stage(target, staged[target], text.encode() if isinstance(text, str) else text)
        for target, temporary in staged.items():
            with _told(target):
                temporary.replace(target)
    finally:
        _discard(staged.values())


def _beside(target: Path) -> Path:
    """Hidden, so that nobody who watches the folder takes it for a file."""
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _stage(target: Path, temporary: Path, data: bytes) -> None:
    if target.parent.is_file():
        raise OSError(0, "its folder is a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_file():
        raise OSError(0, "it is no regular file")
    temporary.write_bytes(data)
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o7777)


def _discard(temporary: Iterable[Path]) -> None:
    for path in temporary:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"{path} cannot be written: {reason.lower()}") from None
    except RuntimeError:  # before Python 3.13
        raise click.ClickException(f"{path} cannot be written: links go round") from None
