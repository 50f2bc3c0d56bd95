"""How memory is freed: not by stopping the loop, and not without the system getting it back.

The garbage collector must not run over everything while, and after, many files are loaded. What a
file comes to lives until the file changes, and dies by its reference counts: the collector never
finds anything in it. Yet a full run over 10,000 tools takes half a second, in which no request is
answered. So it waits during a reload, and what that made is set aside (`gc.freeze`).
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FEW = 50  # files, whose making leaves so little that a last full run over it takes no time
TUNED = {  # glibc's malloc: parameter → bytes
    -1: 128 * 1024,  # M_TRIM_THRESHOLD: free memory that it keeps at the end of its heap
    -3: 32 * 1024,  # M_MMAP_THRESHOLD: larger pieces stay out of the heap
}


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


def return_freed() -> None:
    """From now on the C library gives freed memory back at once, where it is glibc.

    By itself it takes ever larger pieces into its heap, where a small one that lives keeps all that
    is before it: 40 answers of 10 MB at a time left 200 MB behind for good.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            for parameter, size in TUNED.items():
                library.mallopt(parameter, size)
