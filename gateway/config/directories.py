"""`capabilities.directories`: which folders are read, and whose files are in them."""

import os
from pathlib import Path

from msgspec import structs

from gateway.config.model import Capabilities, Directory


def paths(settings: Capabilities) -> tuple[str, ...]:
    """The folders alone."""
    return tuple(path_of(one) for one in settings.directories)


def path_of(directory: str | Directory) -> str:
    return directory if isinstance(directory, str) else directory.path


def compat(settings: Capabilities, file: str) -> str | None:
    """Of the folder that `file` is in; of the innermost, where one is in another."""
    if not any(isinstance(one, Directory) for one in settings.directories):
        return None
    whole = os.path.abspath(file)  # noqa: PTH100  of text alone: a link keeps its own place
    found, longest = None, -1
    for one in settings.directories:
        folder = os.path.abspath(path_of(one))  # noqa: PTH100
        inside = whole == folder or whole.startswith(folder.rstrip(os.sep) + os.sep)
        if inside and len(folder) > longest:
            found, longest = one, len(folder)
    return found.compat if isinstance(found, Directory) else None


def beside(directory: str | Directory, folder: Path) -> str | Directory:
    """The same, seen from where the process runs."""
    path = str(folder / Path(path_of(directory)).expanduser())
    return path if isinstance(directory, str) else structs.replace(directory, path=path)
