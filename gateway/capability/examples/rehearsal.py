"""A call played through offline: its flow asks, an example's replies answer, waits take no time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from gateway.capability.answers import binary
from gateway.capability.compile import Compiled
from gateway.capability.compiled import Oversize, TryAgain
from gateway.capability.flow import Ended, Flow, Send, Tell, Work, advance, at_once
from gateway.credentials.secret import Secrets
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse


@dataclass(slots=True)
class Rehearsal:
    """What came of it: the requests that went out, and the `result` or the `error`.

    `left` are the replies that nobody asked for. Without result and error the replies did not
    suffice: the last of the `requests` got none.
    """

    requests: list[HttpRequest] = field(default_factory=list)
    result: ToolResult | Oversize | None = None
    error: GatewayError | None = None
    left: int = 0

    @property
    def starved(self) -> bool:
        return self.result is None and self.error is None


def value_of(found: ToolResult | Oversize) -> Any:
    """What `result:` of an example says of it: its JSON, else its text, else its first block."""
    if isinstance(found, Oversize):
        return binary.link(found)
    if found.structured is not None:
        return msgspec.json.decode(found.structured)
    block = found.content[0] if found.content else {}
    return block.get("text", block)


def rehearse(
    compiled: Compiled, args: JsonObject, replies: Sequence[HttpResponse], secrets: Secrets
) -> Rehearsal:
    """Raises Refused when the first request cannot be rendered."""
    seen = Rehearsal()
    flow = _flow(compiled, args, secrets)
    rest = list(replies)
    came: Any = None
    error: GatewayError | None = None
    try:
        while True:
            effect = advance(flow, came, error)
            if isinstance(effect, Ended):
                seen.result = effect.result
                break
            came = error = None
            if isinstance(effect, Send):
                seen.requests.append(effect.request)
                if not rest:
                    return seen
            try:
                came = _carried_out(effect, rest)
            except GatewayError as failed:
                error = failed
    except GatewayError as failed:
        if not seen.requests:
            raise
        seen.error = failed
    finally:
        flow.close()
    seen.left = len(rest)
    return seen


def _carried_out(effect: Any, rest: list[HttpResponse]) -> Any:
    if isinstance(effect, Work):
        return effect.do()
    if not isinstance(effect, Send):
        return None
    found = at_once(effect, _unheard)(rest.pop(0))
    if isinstance(found, TryAgain):
        raise found.error
    return found


def _unheard(_: Tell) -> None:
    """Nobody waits for this call."""


def _flow(compiled: Compiled, args: JsonObject, secrets: Secrets) -> Flow:
    if compiled.begin is not None:
        return compiled.begin(args, lambda: math.inf, secrets)
    return _single(compiled, args, secrets)


def _single(compiled: Compiled, args: JsonObject, secrets: Secrets) -> Flow:
    """A tool of one request, as the shortest flow."""
    request = compiled.template.render(args, secrets)
    result: ToolResult | Oversize = yield Send(
        request, compiled.tool.plan, partial(compiled.tool.read, args)
    )
    return result
