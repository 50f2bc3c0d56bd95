"""What happened, as frozen values. Observers (audit, metrics, logging) are told, never asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.client import NOTHING
from gateway.domain.identity import ANONYMOUS, Identity
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


class CallFinished(NamedTuple):
    """One tool call on any road, also one that was refused. A tuple is made fastest.

    `outcome` is `ok`, `tool_error`, `cancelled` or the code of a GatewayError, `reached` how far it
    got where it failed. `rule` is the one that let it pass or did not; `denied`: it did not, also
    where its caller is told that there is no such thing. `known`: backend and tool
    are names of ours; else they are what the caller asked for. `request` is the id of its JSON-RPC
    request, `received` and `answered` are bytes: of the request's message, and of the result.
    """

    id: str
    backend: str
    tool: str
    caller: str
    outcome: str
    seconds: float
    who: Identity = ANONYMOUS
    rule: str = ""
    reached: str = ""
    known: bool = True
    arguments: JsonObject = NOTHING
    request: str | int | None = None
    received: int = 0
    answered: int = 0
    denied: bool = False


class MetaFinished(NamedTuple):
    """One call of a meta-tool that led to no call of a tool: a list, a search, a failed invoke."""

    id: str
    tool: str
    caller: str
    outcome: str
    seconds: float
    who: Identity = ANONYMOUS
    rule: str = ""
    arguments: JsonObject = NOTHING
    request: str | int | None = None
    received: int = 0
    answered: int = 0


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


class Queried(NamedTuple):
    """One request to a backend that is no tool call; `method` is MCP's, `about` the name or URI in
    it. The rest is as in CallFinished.
    """

    id: str
    backend: str
    method: str
    caller: str
    outcome: str
    seconds: float
    who: Identity = ANONYMOUS
    rule: str = ""
    reached: str = ""
    known: bool = True
    about: str = ""
    request: str | int | None = None
    received: int = 0
    answered: int = 0
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody was not let in: `reason` is the code of a GatewayError (`unauthenticated`, …)."""

    reason: str


@dataclass(frozen=True, slots=True)
class CircuitChanged:
    """The circuit breaker of a backend went from one state to another: `closed`, `open`,
    `half_open`.
    """

    backend: str
    was: str
    state: str


@dataclass(frozen=True, slots=True)
class Limited:
    """A request was refused, or had to wait in vain, for a limit: `backend`, `key`, `tool` or
    `concurrency`. `subject` is whose limit it is.
    """

    limit: str
    subject: str


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that is followed was read anew. `error` is why what it says does not count; None: it
    does. `warnings` are what was found beside.
    """

    file: str
    error: str | None = None
    warnings: tuple[str, ...] = ()


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


Event = (
    RequestAnswered
    | CallFinished
    | MetaFinished
    | Queried
    | Searched
    | Reloaded
    | BackendChanged
    | Refused
    | CircuitChanged
    | Limited
    | FileRead
)

Observer = Callable[[Event], None]  # must not block, must not raise
