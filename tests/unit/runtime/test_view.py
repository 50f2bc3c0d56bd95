"""The one road of a tool call: what bounds it, what is told of its end, what names it in logs."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from gateway.domain.call import Call, Handler
from gateway.domain.catalog import Catalog
from gateway.domain.client import Context
from gateway.domain.events import CallFinished
from gateway.domain.identity import Identity
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import Tool, ToolRef, ToolResult, text_result
from gateway.domain.tracing import Span, Trace
from gateway.errors import (
    IN_VAIN,
    BackendNotFound,
    BackendUnavailable,
    DeadlineExceeded,
    ToolNotFound,
    UpstreamFailed,
)
from gateway.log import ABOUT, JsonLines
from gateway.runtime.road import Road
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View

REF = ToolRef("shop", "buy")
ANN = Identity("ann")


def a_view(handler: Handler, events: list[object], timeout: float = 5.0) -> View:
    listing = Listing("shop", "A shop", (Tool(REF, {"name": "buy"}),))
    routes = MappingProxyType({"shop": handler})
    snapshot = Snapshot(1, Catalog([listing]), routes=routes, request_timeout=timeout)
    return View(snapshot, events.append, ANN)


async def well(_: Call) -> ToolResult:
    return text_result("bought")


async def badly(_: Call) -> ToolResult:
    return text_result("sold out", is_error=True)


async def refused(_: Call) -> ToolResult:
    raise UpstreamFailed("HTTP 422 from shop.buy")


async def broken(_: Call) -> ToolResult:
    raise KeyError("a fault of ours")


async def never(_: Call) -> ToolResult:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [
        (well, "ok"),
        (badly, "tool_error"),
        (refused, "upstream_error"),
        (broken, "internal_error"),
        (never, "timeout"),
    ],
)
async def test_each_end_of_a_call_is_told_exactly_once(handler: Handler, outcome: str) -> None:
    """I46."""
    events: list[object] = []
    view = a_view(handler, events, timeout=0.01)
    [ended] = await asyncio.gather(view.call(REF, {}), return_exceptions=True)
    assert isinstance(ended, Exception) is (handler not in (well, badly))
    [told] = events
    assert isinstance(told, CallFinished)
    assert (told.backend, told.tool, told.caller, told.outcome) == ("shop", "buy", "ann", outcome)


async def test_a_cancelled_call_is_told_as_such() -> None:
    events: list[CallFinished] = []
    entered = asyncio.Event()

    async def waits(_: Call) -> ToolResult:
        entered.set()
        return await never(_)

    task = asyncio.create_task(a_view(waits, events).call(REF, {}))
    await entered.wait()
    task.cancel()
    [ended] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
    assert [told.outcome for told in events] == ["cancelled"]


@pytest.mark.parametrize(
    ("most", "within", "expected"), [(5.0, None, 5.0), (5.0, 2.0, 2.0), (5.0, 9.0, 5.0)]
)
async def test_a_caller_may_allow_less_time_never_more(
    most: float, within: float | None, expected: float
) -> None:
    left: list[float] = []

    async def measure(call: Call) -> ToolResult:
        left.append(call.deadline - asyncio.get_running_loop().time())
        return text_result("")

    await a_view(measure, [], most).call(REF, {}, within)
    assert expected - 0.5 < left[0] <= expected


async def test_a_late_answer_is_an_error_that_may_have_had_its_effect() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await a_view(never, []).call(REF, {}, 0.005)
    assert caught.value.explain().startswith(
        "shop:buy did not answer within 5 ms (timeout; sent_unknown)\nnext: allow more time"
    )


async def test_more_time_than_the_gateway_allows_is_not_advised() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await a_view(never, [], 0.005).call(REF, {}, 5)
    assert str(caught.value.hint).startswith("ask for less; ")


async def test_a_call_of_what_does_not_exist_is_told_of_and_names_the_nearest() -> None:
    events: list[object] = []
    view = a_view(well, events)
    with pytest.raises(ToolNotFound) as tool:
        await view.call(ToolRef("shop", "by"), {})
    with pytest.raises(BackendNotFound) as backend:
        await view.call(ToolRef("shpo", "buy"), {})
    assert tool.value.hint == "did you mean 'buy'?"
    assert backend.value.hint == "did you mean 'shop'?"
    assert [(one.tool, one.outcome, one.known) for one in events] == [
        ("by", "tool_not_found", False),
        ("buy", "server_not_found", False),
    ]


async def test_a_server_that_is_down_is_said_to_come_back_only_if_it_may() -> None:
    for issues, advice in ((), "try again later"), ((Issue("f", "x"),), IN_VAIN):
        listing = Listing("shop", "", (), Health(Status.DOWN, "why", issues))
        view = View(Snapshot(1, Catalog([listing])), lambda _event: None)
        with pytest.raises(BackendUnavailable, match=r"'shop' is down \(why\)") as raised:
            await view.call(REF, {})
        assert raised.value.explain().endswith(f"next: {advice}")


async def test_log_lines_within_a_call_say_which_and_later_ones_do_not() -> None:
    ids: list[str] = []
    lines: list[str] = []
    trace = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    def line() -> str:
        return JsonLines(None).format(logging.makeLogRecord({"msg": "said"}))

    async def speaks(call: Call) -> ToolResult:
        ids.append(call.id)
        lines.append(line())
        return text_result("")

    view = a_view(speaks, [])
    await view.call(REF, {})
    view.context = Context(trace=trace)
    await view.call(REF, {})
    first, second = map(json.loads, lines)
    assert [first["call_id"], second["call_id"]] == ids
    assert len(set(ids)) == 2
    about = (second["caller"], second["backend"], second["tool"], second["method"])
    assert about == ("ann", *REF, "tools/call")
    assert "trace_id" not in first
    assert second["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert not json.loads(line()).keys() & set(ABOUT)


class Spans:
    """A tracer of one span, and all that it was told."""

    trace = Trace("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01")

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, facts: Mapping[str, str], trace: Trace | None) -> Span:
        self.told += [facts, trace]
        return self

    def end(self, outcome: str, facts: Mapping[str, str]) -> None:
        self.told += [outcome, facts]


async def test_a_call_that_is_traced_is_told_begun_and_ended_and_goes_on_as_its_span() -> None:
    spans, theirs = Spans(), Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    seen: list[Trace | None] = []

    async def looks(call: Call) -> ToolResult:
        seen.append(call.context.trace)
        return text_result("", is_error=True)

    view = a_view(looks, [])
    view.snapshot = replace(view.snapshot, road=Road(tracer=spans))
    view.context = Context(id=7, trace=theirs)
    await view.call(REF, {})
    assert seen == [spans.trace]
    facts, parent, outcome, after = spans.told
    assert isinstance(facts, dict)
    told = (facts["method"], facts["backend"], facts["name"], facts["request"])
    assert told == ("tools/call", *REF, "7")
    assert parent == theirs
    assert outcome == "tool_error"
    assert after == {"rule": "", "reached": ""}
