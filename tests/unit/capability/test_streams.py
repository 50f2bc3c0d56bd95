"""gateway/capability/flows/streams.py and events.py: events however they are cut, told and kept."""

import json

import pytest

from gateway.capability.compiled import TryAgain
from gateway.capability.examples.checking import check
from gateway.capability.flow import Send, Tell, Work
from gateway.capability.flows.events import splitter
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.errors import BadResponse, DeadlineExceeded, UpstreamFailed
from gateway.http.message import HttpResponse
from tests.peers.bodies import compiled, loaded

SSE = "text/event-stream"
CHAT = (
    b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'
    b': a comment\n\nevent: ping\ndata: {"choices":[]}\n\n'
    b'data: {"choices":[{"delta":{"content":"lo"}}]}\r\n\r\n'
    b"data: [DONE]\n\ndata: {not json\n\n"
)
EACH = "$.choices[0].delta.content"


def flow_of(response, args=None, **tool):
    declared = {name: {} for name in args or {}}
    made = compiled({"args": declared, "get": "/s", "response": response, **tool}).tool
    return made.run(args or {}, lambda: 9.0)


def played(body, response, *, kind=SSE, cuts=None, status=200, **more):
    """The result, and the progress told, of a body that comes in pieces."""
    flow = flow_of(response, **more)
    send = next(flow)
    head = HttpResponse(status, {"content-type": kind} if kind else {}, b"")
    reader = send.reader(head)
    told = []
    for piece in cuts or [body]:
        told += reader.feed(piece)
        if reader.ended:
            break
    work = flow.send(reader.done(head))
    assert isinstance(work, Work)
    with pytest.raises(StopIteration) as stop:
        flow.send(work.do())
    return stop.value.value, told


def value(*args, **kwargs):
    return json.loads(played(*args, **kwargs)[0].structured)


def errors(response, **tool):
    found = loaded({"get": "/s", "response": response, **tool}).issues
    return [issue.message for issue in found if issue.severity is Severity.ERROR]


def test_what_counts_of_each_event_is_told_and_joined():
    result, told = played(CHAT, {"as": "sse", "each": EACH, "join": True})
    assert result.content == ({"type": "text", "text": "Hello"},)
    assert told == [Tell(2, message="Hello")]
    one = [bytes([byte]) for byte in CHAT]
    again, told = played(CHAT, {"as": "sse", "each": EACH, "join": True}, cuts=one)
    assert again == result
    assert told == [Tell(1, message="Hel"), Tell(2, message="lo")]


def test_without_join_the_result_is_the_list_and_each_is_told():
    result, told = played(CHAT, {"as": "sse", "each": EACH})
    assert json.loads(result.structured) == ["Hel", "lo"]
    assert told == [Tell(1, message="Hel"), Tell(2, message="lo")]
    assert value(b"data: 1\n\ndata: two\n\n", {"as": "sse"}) == [1, "two"]
    assert value(CHAT, {"as": "sse", "each": EACH, "join": ", "}) == "Hel, lo"


def test_a_path_to_several_values_gives_them_all():
    body = b'{"i":[1,2]}\n{"i":[]}\n{"i":[3]}\n'
    assert value(body, {"as": "ndjson", "each": "$.i[*]"}, kind=None) == [1, 2, 3]


def test_the_result_of_a_stream_is_selected_mapped_and_cut_like_any():
    body = b"".join(b'{"id":%d,"text":"%s"}\n' % (i, b"x" * 50) for i in range(100))
    given = {"as": "ndjson", "map": {"n": "$.id"}, "select": "$[?@.id > 97]"}
    assert value(body, given, kind=None) == [{"n": 98}, {"n": 99}]
    result, _ = played(body, {"as": "ndjson", "max_bytes": 1000}, kind=None)
    assert (result.meta["total"], len(result.structured) <= 1000) == (100, True)
    text, _ = played(b"data: a\n\n" * 500, {"as": "sse", "join": True, "max_bytes": 256})
    assert "…[+" in text.content[0]["text"]
    assert text.meta["truncated"]


def test_a_limit_ends_the_stream_as_soon_as_it_is_reached():
    lines = [b'{"n":%d}\n' % i for i in range(5)]
    flow = flow_of({"as": "ndjson", "each": "$.n", "limit": "{{ args.rows }}"}, {"rows": 2})
    reader = next(flow).reader(HttpResponse(200, {}, b""))
    assert reader.feed(lines[0]) == [Tell(1, message="0")]
    assert not reader.ended
    assert reader.feed(b"".join(lines[1:])) == [Tell(2, message="1")]
    assert reader.ended
    assert reader.done(HttpResponse(200, {}, b"")) == [0, 1]


@pytest.mark.parametrize(
    ("as_", "kind", "body", "events"),
    [
        ("ndjson", "application/x-ndjson", b'{"a":1}\r\n\n [2] \n3', [{"a": 1}, [2], 3]),
        ("ndjson", "application/json", b"1\n2", [1, 2]),
        ("ndjson", SSE, b"data: 1\n\ndata: 2", [1, 2]),
        ("sse", "application/jsonl", b"1\n2\n", [1, 2]),
        ("sse", "application/json-seq", b"\x1e{\n1:2}".replace(b"1", b'"1"') + b"\n\x1e3\n", None),
        ("sse", "application/json", b'{\n"a": 1\n}', [{"a": 1}]),
        ("sse", "text/plain", b"\xef\xbb\xbfdata: x\ndata: y\nid: 3\n\n", ["x\ny"]),
        ("sse", SSE, b"", []),
    ],
)
def test_a_stream_is_read_as_it_says_else_as_its_tool_says(as_, kind, body, events):
    for cuts in ([body], [bytes([byte]) for byte in body]):
        found = value(body, {"as": as_}, kind=kind, cuts=cuts)
        assert found == (events if events is not None else [{"1": 2}, 3])


def test_a_line_that_is_no_json_is_an_error_that_names_it():
    with pytest.raises(BadResponse, match=r"event 2 of the stream cannot be read as JSON .*: \{x"):
        value(b'{"a":1}\n{x\n', {"as": "ndjson"}, kind=None)


def test_an_event_that_is_an_error_fails_the_call():
    body = b'data: 1\n\nevent: error\ndata: {"error":{"message":"overloaded"}}\n\n'
    with pytest.raises(UpstreamFailed, match=r"^api\.t failed: overloaded$"):
        value(body, {"as": "sse"})


def test_rules_hold_for_each_event():
    body = b'{"n":1}\n{"error":"quota"}\n{"n":2}\n'
    fail = [{"when": "body.error", "message": "No: {{ body.error }}"}]
    with pytest.raises(UpstreamFailed, match=r"^No: quota$"):
        value(body, {"as": "ndjson"}, kind=None, errors=fail)
    skip = [{"when": "body.error", "then": "empty"}]
    assert value(body, {"as": "ndjson", "each": "$.n"}, kind=None, errors=skip) == [1, 2]
    again = [{"when": "body.error", "then": "retry", "message": "later"}]
    with pytest.raises(UpstreamFailed, match=r"^later$"):
        value(body, {"as": "ndjson"}, kind=None, errors=again)


def test_an_answer_of_nothing_can_be_asked_for_again():
    flow = flow_of({"as": "sse"}, errors=[{"status": 202, "then": "retry", "message": "soon"}])
    head = HttpResponse(202, {}, b"")
    assert isinstance(next(flow).reader(head).done(head), TryAgain)


def test_no_success_is_read_like_any_answer():
    flow = flow_of({"as": "sse"}, errors=[{"status": 404, "then": "empty"}])
    send = next(flow)
    with pytest.raises(UpstreamFailed, match="HTTP 500"):
        send.read(HttpResponse(500, {}, b"broken"))
    result = send.read(HttpResponse(404, {}, b""))
    with pytest.raises(StopIteration) as stop:
        flow.send(result)
    assert stop.value.value is result


def test_what_breaks_off_says_how_much_had_come():
    for pieces, said in (
        ([], "timeout$"),
        ([b"data: 1\n\n"], "timeout, after 1 event$"),
        ([b"data: 1\n\ndata: 2\n\n", b"data: 3"], "timeout, after 2 events$"),
    ):
        flow = flow_of({"as": "sse"})
        reader = next(flow).reader(HttpResponse(200, {"content-type": SSE}, b""))
        for piece in pieces:
            reader.feed(piece)
        with pytest.raises(DeadlineExceeded, match=said):
            flow.throw(DeadlineExceeded("timeout"))


def test_progress_is_bounded_and_without_secrets():
    redactor = Redactor()
    redactor.learn("k3y-4711-x")
    made = compiled({"get": "/s", "response": {"as": "ndjson"}}).tool
    flow = made.run({}, lambda: 9.0)
    send = next(flow)
    reader = send.reader(HttpResponse(200, {}, b""))
    object.__setattr__(reader._response, "redactor", redactor)
    (told,) = reader.feed(b'"it is k3y-4711-x"\n')
    assert told.message == "it is ***"
    (told,) = reader.feed(b'"%s"\n' % (b"x" * 5000))
    assert len(told.message) == 1001
    many = reader.feed(b"1\n" * 1000)
    assert (len(many), many[-1].progress) == (16, 1002)
    assert [each.progress for each in many] == sorted(each.progress for each in many)


@pytest.mark.parametrize("as_", ["sse", "ndjson"])
def test_an_event_that_never_ends_is_refused_i60(as_):
    events = splitter(as_, "", 1000)
    assert events.feed(b"data: " + b"x" * 900) == []
    with pytest.raises(BadResponse, match="larger than 1000 bytes"):
        events.feed(b"x" * 101)


def test_too_many_events_are_refused():
    with pytest.raises(BadResponse, match="more than 100000 events"):
        value(b"1\n" * 100_001, {"as": "ndjson"}, kind=None)


@pytest.mark.parametrize(
    ("response", "tool", "message"),
    [
        ({"as": "sse", "join": True, "select": "$[0]"}, {}, "joined texts have nothing to select"),
        ({"as": "sse", "each": "$.a["}, {}, ""),
        ({"as": "sse"}, {"cache": "5m"}, "a stream cannot be kept"),
        (
            {"as": "ndjson"},
            {"paginate": {"items": "$", "link": True}},
            "a stream, and 'paginate' too",
        ),
    ],
)
def test_what_does_not_go_with_a_stream_is_refused(response, tool, message):
    found = errors(response, **tool)
    assert any(message in said for said in found), found


def test_examples_and_mocks_read_a_stream_at_once():
    tool = {
        "get": "/s",
        "response": {"as": "sse", "each": EACH, "join": True},
        "examples": [
            {"args": {}, "reply": {"text": CHAT.decode()}, "result": "Hello"},
            {
                "args": {},
                "reply": {"headers": {"content-type": SSE}, "text": "event: error\ndata: no\n\n"},
                "error": "api.t failed: no",
            },
            {"args": {}, "reply": {"status": 503}, "error": "HTTP 503 from api.t"},
        ],
    }
    assert [str(issue) for issue in check(loaded(tool))] == []


def test_it_asks_for_what_it_expects_and_is_never_cached():
    tool = {"get": "/s", "response": {"as": "sse"}}
    made = compiled(tool, {"cache": "5m"}).tool
    send = next(made.run({}, lambda: 9.0))
    assert isinstance(send, Send)
    assert send.plan.cache_ttl is None
    assert ("Accept", "text/event-stream") in send.request.headers


@pytest.mark.parametrize("size", range(1, 9))
def test_a_secret_that_comes_in_pieces_is_in_no_progress_i43(size):
    text = "it is k3y-4711-x, k3y-4712; k3"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    redactor = Redactor()
    redactor.learn("k3y-4711-x")
    flow = compiled({"get": "/s", "response": {"as": "ndjson", "join": ""}}).tool.run({}, float)
    reader = next(flow).reader(HttpResponse(200, {}, b""))
    object.__setattr__(reader._response, "redactor", redactor)
    told = [reader.feed(json.dumps(piece).encode() + b"\n") for piece in pieces]
    said = "".join(each.message for tells in told for each in tells)
    assert said == "it is ***, k3y-4712; "  # the rest is told by the result


def test_one_event_of_very_many_values_is_refused_but_not_a_whole_answer_f4():
    """An event is read between the turns of others, an answer that was no stream in a thread."""
    body = json.dumps([0] * 60_000).encode()
    with pytest.raises(BadResponse, match="an event of the stream has more than 50000 values"):
        value(body + b"\n", {"as": "ndjson"}, kind=None)
    assert value(json.dumps("," * 60_000).encode() + b"\n", {"as": "ndjson", "join": ""}, kind=None)
    reader = next(flow_of({"as": "ndjson"})).reader(
        HttpResponse(200, {"content-type": "application/json"}, b"")
    )
    assert (reader.feed(body), reader.held) == ([], len(body))
    assert len(reader.done(HttpResponse(200, {}, b""))[0]) == 60_000
