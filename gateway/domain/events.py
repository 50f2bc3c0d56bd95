"""What happened, as frozen values. Observers (audit, metrics, logging) are told, never asked."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Status
from gateway.domain.tool import JsonObject


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """One JSON-RPC request: `outcome` is `ok`, `cancelled` or the error code as text.

    `method` is the client's own word, empty for what is no message: who shows it bounds it.
    `seconds` run from the decoded request to the bytes of its answer.
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
    """One search for tools; `total` of them fitted."""

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


@dataclass(frozen=True, slots=True)
class Queried:
    """One request to a backend that is no tool call; `method` is MCP's, `outcome` as in
    CallFinished.
    """

    id: str
    backend: str
    method: str
    caller: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Notice:
    """What a backend's server says to all its clients: an MCP notification that belongs to no
    request in flight, such as `notifications/resources/updated` or `/message`.

    Not an `Event`: it goes through `runtime/notices.py` to the clients whom it concerns; `caller`
    names the only one who may hear of it, where there is one.
    """

    backend: str
    method: str
    params: JsonObject
    caller: str | None = None


Event = RequestAnswered | CallFinished | Searched | Reloaded | BackendChanged | Queried

Observer = Callable[[Event], None]  # must not block, must not raise
