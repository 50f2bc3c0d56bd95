"""Keeping the garbage collector from stopping the loop while, and after, many files are loaded.

What a file comes to lives until the file changes, and dies by its reference counts: the collector
never finds anything in it. Yet a full run over 10,000 tools takes half a second, in which no
request is answered. So it waits during a reload, and what that made is set aside (`gc.freeze`).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FEW = 50  # files, whose making leaves so little that a last full run over it takes no time


@dataclass(slots=True)
class Made:
    files: int = 0


@contextmanager
def calm() -> Iterator[Made]:
    """No collection inside; tell what is given how many files were loaded."""
    made = Made()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield made
    finally:
        if 0 < made.files < FEW:
            gc.collect()
        if made.files:
            gc.freeze()
        if enabled:
            gc.enable()
