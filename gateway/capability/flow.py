"""A call of several requests, as a generator that does nothing itself: it says what to do next.

Whoever drives it (the REST backend, the mock, `validate`) carries out each effect and sends back
what came of it, or throws in the GatewayError that it ended with. What the generator returns is the
result. So paging, polling and steps are written once, and tested without a network.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.capability.compiled import Oversize, Plan, TryAgain
from gateway.credentials.secret import Secrets
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse

SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Tell:
    """Progress, for the client that asked for it; never fails. Sends back None."""

    progress: float
    total: float | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Let `seconds` pass. Sends back None; throws DeadlineExceeded if the call has less left."""

    seconds: float


class Reader(Protocol):
    """Reads the body of one successful answer while it comes; `ended`: no more is wanted of it."""

    @property
    def ended(self) -> bool: ...

    @property
    def held(self) -> int:
        """Bytes of what was fed that only `done` reads: it may take as long as `Work`."""
        ...

    def feed(self, data: bytes) -> list[Tell]:
        """More of it, decompressed. Raises GatewayError when it cannot go on."""
        ...

    def done(self, response: HttpResponse) -> Any | TryAgain:
        """All that is wanted was fed; `response` is without its body. As `Send.read`."""
        ...


Read = Callable[[HttpResponse], Any | TryAgain]


@dataclass(frozen=True, slots=True)
class Send:
    """One request, carried out as `plan` says. Sends back what `read` makes of the answer.

    `read` is given the whole answer, maybe in a thread; TryAgain means: try again where the plan
    allows it. It raises GatewayError, which is thrown in if no further attempt mends it. With
    `reader`, the body of a success goes to a Reader made for that attempt out of what comes before
    the body, in the place of `read`.
    """

    request: HttpRequest
    plan: Plan
    read: Read
    reader: Callable[[HttpResponse], Reader] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """`do()`, on `size` bytes of what was read: it may take long. Sends back what it gives.

    What it raises is thrown in if it is a GatewayError.
    """

    size: int
    do: Callable[[], Any]


Effect = Send | Wait | Tell | Work
Flow = Generator[Effect, Any, ToolResult | Oversize]

Left = Callable[[], float]  # seconds that the call still has; infinity when nothing bounds it


class Run(Protocol):
    """Begins the flow of one call, with arguments that are prepared."""

    def __call__(self, args: JsonObject, left: Left) -> Flow: ...


class Begin(Protocol):
    """As `Run`; `secrets` stand in for the file's own, in examples."""

    def __call__(self, args: JsonObject, left: Left, secrets: Secrets | None = None) -> Flow: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """What a flow returned."""

    result: ToolResult | Oversize


def advance(flow: Flow, came: Any, error: GatewayError | None) -> Effect | Ended:
    """One step of a flow, with what came of the last effect. Raises what the flow raises.

    Its end is a value, because a StopIteration comes out of no thread, coroutine or generator.
    """
    try:
        return flow.send(came) if error is None else flow.throw(error)
    except StopIteration as stop:
        return Ended(stop.value)


def at_once(send: Send, tell: Callable[[Tell], None]) -> Read:
    """How to read an answer whose body is there as a whole, whether or not there is a Reader."""
    make = send.reader
    if make is None:
        return send.read

    def read(response: HttpResponse) -> Any | TryAgain:
        if response.status not in SUCCESS:
            return send.read(response)
        head = HttpResponse(response.status, response.headers, b"")
        reader = make(head)
        for told in reader.feed(response.body):
            tell(told)
        return reader.done(head)

    return read
