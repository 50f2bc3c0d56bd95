"""gateway/capability/tape: what a call sent and got, with the tool otherwise as it is."""

from dataclasses import replace

import pytest

from gateway.capability.compiled import CompiledTool, Plan
from gateway.capability.examples.tape import taped
from gateway.capability.flow import Send, Tell, Wait, at_once
from gateway.domain.tool import Tool, ToolRef, text_result
from gateway.errors import UpstreamFailed
from gateway.http.message import HttpRequest, HttpResponse

PLAN = Plan(1.0, 0, frozenset(), 1.0, True, 60.0, False, 1000)
OK = HttpResponse(200, {}, b"fine")


def tool(**kwargs):
    return CompiledTool(
        Tool(ToolRef("api", "t"), {"name": "t"}),
        PLAN,
        dict,
        lambda args: HttpRequest("GET", f"https://h/{args['id']}"),
        lambda _, response: text_result(response.body.decode()),
        **kwargs,
    )


def test_a_call_of_one_request_is_noted_and_not_cached():
    made, tape = taped(tool())
    request = made.request({"id": "x"})
    assert made.read({"id": "x"}, OK) == text_result("fine")
    assert [(each.request, each.response) for each in tape.exchanges] == [(request, OK)]
    assert made.plan == replace(PLAN, cache_ttl=None)


def test_what_is_tried_again_is_noted_once_with_its_last_answer():
    made, tape = taped(tool())
    made.request({"id": "x"})
    made.read({}, HttpResponse(503, {}, b""))
    made.read({}, OK)
    assert [each.response for each in tape.exchanges] == [OK]


def run(_args, _left):
    first = yield Send(HttpRequest("GET", "https://h/1"), PLAN, lambda response: response.status)
    yield Wait(1.0)
    yield Tell(1.0)
    try:
        yield Send(HttpRequest("GET", "https://h/2"), PLAN, lambda response: response.status)
    except UpstreamFailed as error:
        return text_result(f"{first}, then {error}")
    return text_result("no error")


def test_a_flow_is_noted_and_gets_what_comes_and_what_is_thrown():
    made, tape = taped(tool(run=run))
    flow = made.run({}, lambda: 1.0)
    send = next(flow)
    assert send.plan.cache_ttl is None
    assert flow.send(send.read(OK)) == Wait(1.0)
    assert flow.send(None) == Tell(1.0)
    flow.send(None)
    with pytest.raises(StopIteration) as stop:
        flow.throw(UpstreamFailed("gone"))
    assert stop.value.value == text_result("200, then gone")
    urls = [(each.request.url, each.response) for each in tape.exchanges]
    assert urls == [("https://h/1", OK), ("https://h/2", None)]


class Reader:
    ended = False

    def __init__(self, _head):
        self.heard = b""

    def feed(self, data):
        self.heard += data
        return [Tell(len(self.heard))]

    def done(self, response):
        return self.heard, response.body


def test_a_stream_is_noted_as_a_whole():
    def stream(_args, _left):
        came = yield Send(HttpRequest("GET", "https://h/s"), PLAN, lambda _: None, Reader)
        return text_result(str(came))

    made, tape = taped(tool(run=stream))
    flow = made.run({}, lambda: 1.0)
    told = []
    came = at_once(next(flow), told.append)(OK)
    assert (came, told) == ((b"fine", b""), [Tell(4)])
    with pytest.raises(StopIteration):
        flow.send(came)
    assert tape.exchanges[0].response == OK
