"""What happened, as frozen values. Observers (audit, metrics, logging) are told, never asked."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Status


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """One JSON-RPC request: `outcome` is `ok` or the error code as text.

    `seconds` run from bytes in to bytes out.
    """

    method: str
    era: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CallFinished:
    """One tool call on any road.

    `outcome` is `ok`, `tool_error`, `cancelled` or the code of a GatewayError.
    """

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
    """One reload of files.

    `changed` and `removed` name backends; `issues` holds every finding of the new state.
    """

    version: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    issues: tuple[Issue, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class BackendChanged:
    """A backend that stays on offer fares otherwise than before: `was` → `health`."""

    backend: str
    was: Status
    health: Health


Event = RequestAnswered | CallFinished | Searched | Reloaded | BackendChanged

Observer = Callable[[Event], None]  # must not block, must not raise
