"""What happened, as frozen values. Observers (audit, metrics, logging) are told; they never decide."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.issue import Issue


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """One JSON-RPC request: `outcome` is `ok` or the error code as text; `seconds` from bytes in to bytes out."""

    method: str
    era: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CallFinished:
    """One tool call on any road. `outcome` is `ok`, `tool_error`, `cancelled` or the code of a GatewayError."""

    id: str
    backend: str
    tool: str
    caller: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Searched:
    matches: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reloaded:
    """One reload of files. `changed` and `removed` name backends; `issues` holds every finding of the new state."""

    version: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    issues: tuple[Issue, ...]
    seconds: float


Event = RequestAnswered | CallFinished | Searched | Reloaded

Observer = Callable[[Event], None]  # must not block, must not raise
