"""`gateway.lock` → pinned definitions, or every reason why not; and back."""

from gateway.domain.issue import Issue
from gateway.domain.pins import Pins


def understand(data: bytes, file: str) -> tuple[Pins | None, tuple[Issue, ...]]:
    """The content of `file`."""
    return None, (Issue(file, "definitions cannot be pinned by this version yet"),)
