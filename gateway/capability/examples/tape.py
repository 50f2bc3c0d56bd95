"""Notes what one call of a tool sent and got, above the credential: for recording and comparing."""

from dataclasses import dataclass, field, replace
from typing import Any

from gateway.capability.compiled import CompiledTool, Oversize, TryAgain
from gateway.capability.flow import (
    Effect,
    Ended,
    Flow,
    Left,
    Read,
    Reader,
    Run,
    Send,
    Tell,
    advance,
)
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse


@dataclass(slots=True)
class Exchange:
    """A request as it was rendered, and the last answer to it; None when there was none."""

    request: HttpRequest
    response: HttpResponse | None = None

    def noting(self, read: Read) -> Read:
        """`read`, with what it is given noted."""

        def noted(response: HttpResponse) -> Any | TryAgain:
            self.response = response
            return read(response)

        return noted


@dataclass(slots=True)
class Tape:
    """The exchanges of one call, in order."""

    exchanges: list[Exchange] = field(default_factory=list)


def taped(tool: CompiledTool) -> tuple[CompiledTool, Tape]:
    """`tool` for one call, with its answers kept nowhere but on the tape."""
    tape = Tape()
    plan = replace(tool.plan, cache_ttl=None)
    if tool.run is not None:
        return replace(tool, plan=plan, run=_Watched(tool.run, tape)), tape

    def request(args: JsonObject) -> HttpRequest:
        made = tool.request(args)
        tape.exchanges.append(Exchange(made))
        return made

    def read(args: JsonObject, response: HttpResponse) -> ToolResult | TryAgain | Oversize:
        tape.exchanges[-1].response = response
        return tool.read(args, response)

    return replace(tool, plan=plan, request=request, read=read), tape


class _Watched:
    """A flow whose requests go by the tape."""

    def __init__(self, run: Run, tape: Tape) -> None:
        self._run = run
        self._tape = tape

    def __call__(self, args: JsonObject, left: Left) -> Flow:
        return self._watched(self._run(args, left))

    def _watched(self, flow: Flow) -> Flow:
        came: Any = None
        error: GatewayError | None = None
        try:
            while True:
                effect = advance(flow, came, error)
                if isinstance(effect, Ended):
                    return effect.result
                came = error = None
                try:
                    came = yield self._noted(effect)
                except GatewayError as thrown:
                    error = thrown
        finally:
            flow.close()

    def _noted(self, effect: Effect) -> Effect:
        if not isinstance(effect, Send):
            return effect
        exchange = Exchange(effect.request)
        self._tape.exchanges.append(exchange)
        plan = replace(effect.plan, cache_ttl=None)
        make = effect.reader
        reader = None if make is None else lambda head: _Noting(make(head), exchange)
        return replace(effect, plan=plan, read=exchange.noting(effect.read), reader=reader)


class _Noting:
    """A reader whose body goes by the tape too."""

    def __init__(self, reader: Reader, exchange: Exchange) -> None:
        self._reader = reader
        self._exchange = exchange
        self._body = bytearray()

    @property
    def ended(self) -> bool:
        return self._reader.ended

    @property
    def held(self) -> int:
        return self._reader.held

    def feed(self, data: bytes) -> list[Tell]:
        self._body += data
        return self._reader.feed(data)

    def done(self, response: HttpResponse) -> Any | TryAgain:
        whole = HttpResponse(response.status, response.headers, bytes(self._body))
        self._exchange.response = whole
        return self._reader.done(response)
