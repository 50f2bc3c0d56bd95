"""What one client can hold of the front at most: the values an operator may tune, and no rule."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and numbers."""

    head: float = 10.0  # for the request line and headers, from their first byte
    body: float = 30.0
    stalled: float = 45.0  # an answer waits unread
    idle: float = 75.0  # between requests
    connections: int = 8192
    largest_body: int = 1024 * 1024
