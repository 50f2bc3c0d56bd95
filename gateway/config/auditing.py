"""`audit:` as what writes lines is made with; and what is wrong with it."""

import os
from collections.abc import Iterator
from pathlib import Path

from gateway.capability.file.units import size
from gateway.capability.file.yaml import Parsed
from gateway.config.observing import Audit
from gateway.domain.issue import Issue
from gateway.observe.audit_file import Rotation

SMALLEST = 1_000  # bytes of a file
STANDARD_OUTPUT = "-"


def rotation(audit: Audit) -> Rotation:
    """Raises ValueError for a size that is none."""
    wanted = audit.rotation.size
    never = wanted == 0 or (isinstance(wanted, str) and wanted.strip() == "0")
    return Rotation(0 if never else size(wanted), audit.rotation.keep)


def issues(parsed: Parsed, audit: Audit) -> Iterator[Issue]:
    """What no single value shows, at its line."""
    for path, message, hint in problems(audit):
        yield parsed.issue(("audit", *path), message, hint)


def problems(audit: Audit) -> Iterator[tuple[tuple[str | int, ...], str, str | None]]:
    """Places below `audit:`, messages and hints."""
    try:
        largest = rotation(audit).size
    except ValueError as error:
        yield ("rotation", "size"), str(error), "0: never"
    else:
        if 0 < largest < SMALLEST:
            yield ("rotation", "size"), f"less than {SMALLEST} bytes", "a line may take as many"
    for number, rule in enumerate(audit.redact):
        if rule.count(":") == 1 or "" in rule.split(":", 2):
            text = f"{rule!r} is neither a name nor backend:tool:name"
            yield ("redact", number), text, "such as *password*, or github:create_*:body"


def unwritable(audit: Audit) -> str | None:
    """Why nothing could be written from here, as far as a look tells. Blocking, for a moment."""
    if not audit.enabled or audit.file == STANDARD_OUTPUT:
        return None
    file = Path(audit.file)
    if file.is_dir():
        return f"{audit.file} is a folder"
    there = next(one for one in (file, *file.absolute().parents) if one.exists())
    if there != file and not there.is_dir():
        return f"{there} is no folder"
    return None if os.access(there, os.W_OK) else f"{there} may not be written to"
