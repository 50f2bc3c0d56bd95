"""`{header: …}` and `{status: true}` in a map: what the head of an answer says."""

import json

import pytest

from gateway.capability.answers.head import headers_read
from gateway.capability.examples.checking import check
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.errors import BadResponse, OutputMismatch
from gateway.http.message import HttpResponse
from tests.unit.capability.flows import HEAD, Played, answer, faults, loaded, tool_of

LOCATION = "{id: {header: Location}, created: {status: true}}"


def mapped(spec, response, request="get: /x", **rest):
    more = "".join(f"\n{key}: {value}" for key, value in rest.items())
    tool = tool_of(f"{request}\nresponse: {{map: {spec}}}{more}")
    return json.loads(tool.read({}, response).structured)


def fault(spec, more=""):
    return faults(f"get: /x\nresponse: {{map: {spec}}}{more}")


def test_a_header_and_the_status_stand_where_the_author_puts_them():
    told = {"x": 1, "size": 7}
    spec = "{a: $.x, tag: {header: ETag}, at: {code: {status: true}, b: $.size}, z: {const: 1}}"
    result = mapped(spec, answer(told, 201, etag='"v1"'))
    assert list(result.items()) == [
        ("a", 1),
        ("tag", '"v1"'),
        ("at", {"code": 201, "b": 7}),
        ("z", 1),
    ]


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_empty_answer_is_its_headers_and_status(status):
    response = HttpResponse(status, {"location": "/things/7?x=a%2Fb"}, b"")
    assert mapped(LOCATION, response, "post: /x") == {"id": "/things/7?x=a%2Fb", "created": status}
    bare = HttpResponse(status, {}, b"")
    assert mapped(LOCATION, bare, "post: /x") == {"created": status}


def test_a_head_request_gives_what_only_headers_say():
    response = HttpResponse(200, {"content-type": "image/png", "content-length": "1234"}, b"")
    spec = "{size: {header: Content-Length, as: integer}, type: {header: Content-Type}}"
    assert mapped(spec, response, "head: /x") == {"size": 1234, "type": "image/png"}


def test_whether_something_is_there_is_the_status_that_a_rule_lets_pass():
    spec = "{status: {status: true}}"
    rule = "[{status: 404, then: ok}]"
    assert mapped(spec, HttpResponse(404, {}, b""), "head: /x", errors=rule) == {"status": 404}
    tool = tool_of(f"head: /x\nresponse: {{map: {spec}}}\nerrors: [{{status: 404, then: empty}}]")
    assert json.loads(tool.read({}, HttpResponse(404, {}, b"")).structured) == {}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "412", 412),
        ("integer", " 412 ", 412),
        ("integer", "-3", -3),
        ("integer", "123456789012345678901234567890", 123456789012345678901234567890),
        ("integer", "4.5", "4.5"),
        ("integer", "0412", "0412"),
        ("integer", "bytes 0-1/2", "bytes 0-1/2"),
        ("integer", "true", "true"),
        ("integer", "", ""),
        ("number", "4.5", 4.5),
        ("number", "4", 4),
        ("number", "NaN", "NaN"),
        ("number", "1e999", "1e999"),
        ("number", "[1]", "[1]"),
    ],
)
def test_a_header_asked_for_as_a_number_is_one_or_stays_text(kind, text, value):
    """T12."""
    spec = f"{{n: {{header: X-Total, as: {kind}}}}}"
    assert mapped(spec, answer({}, **{"x-total": text})) == {"n": value}


def test_a_header_that_is_not_there_is_left_out_or_its_default():
    spec = "{a: {header: X-A}, b: {header: X-B, default: null}, c: {header: X-C, default: 0}}"
    assert mapped(spec, answer({})) == {"b": None, "c": 0}
    assert mapped("{a: {b: {header: X-A}}}", answer({})) == {}, "nor an empty object around it"


def test_the_name_of_a_header_has_no_case():
    response = answer({}, **{"docker-content-digest": "sha256:1"})
    assert mapped("{d: {header: DOCKER-content-Digest}}", response) == {"d": "sha256:1"}


def test_a_map_that_reads_the_answer_is_of_all_of_a_list():
    """Lists are where totals come from."""
    spec = '{names: "$[*].name", total: {header: X-Total-Count, as: integer}}'
    items = [{"name": "a"}, {"name": "b"}]
    assert mapped(spec, answer(items, **{"x-total-count": "412"})) == {
        "names": ["a", "b"],
        "total": 412,
    }
    plain = mapped('{name: "$.name"}', answer(items))
    assert plain == [{"name": "a"}, {"name": "b"}], "others are of each element, as ever"


def test_after_select_it_is_of_what_was_selected():
    tool = tool_of(f"post: /x\nresponse: {{select: $.data, map: {{n: $.n, {LOCATION[1:-1]}}}}}")
    found = tool.read({}, answer({"data": {"n": 1}}, 201, location="/7"))
    assert json.loads(found.structured) == {"n": 1, "id": "/7", "created": 201}
    found = tool.read({}, answer({}, 201, location="/7"))
    assert json.loads(found.structured) == {"id": "/7", "created": 201}


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<h1>Done"), ("application/json", b"{oops"), ("application/x", b"\xff\x00")],
)
def test_a_body_that_nobody_looks_at_may_be_anything(kind, body):
    response = HttpResponse(201, {"content-type": kind, "location": "/7"}, body)
    assert mapped(LOCATION, response, "post: /x") == {"id": "/7", "created": 201}
    with pytest.raises(BadResponse, match="cannot be read as JSON"):
        mapped("{id: {header: Location}, n: $.n}", response, "post: /x")


def test_what_it_gives_is_held_to_the_promised_output():
    output = "{type: object, properties: {n: {type: integer, required: true}}}"
    spec = "{n: {header: X-N, as: integer}}"
    assert mapped(spec, answer({}, **{"x-n": "7"}), output=output) == {"n": 7}
    with pytest.raises(OutputMismatch):
        mapped(spec, answer({}, **{"x-n": "seven"}), output=output)


def test_a_secret_that_a_header_repeats_is_taken_out():
    """I43."""
    text = HEAD + "    get: /x\n    response: {map: {at: {header: Location}}}\n"
    redactor = Redactor()
    secret = "s3cret-of-the-api"
    found = load(text.encode(), "api.yaml", environ={"KEY": secret}, redactor=redactor)
    result = found.capability.tools["t"].read({}, answer({}, location=f"/x?key={secret}"))
    assert secret not in result.structured.decode()
    assert secret not in result.content[0]["text"]


# In flows


def test_a_step_gives_its_headers_to_those_after_it_and_to_the_result():
    text = """
steps:
  - id: made
    post: /x
    response: {map: {at: {header: Location}, code: {status: true}}}
  - {id: read, get: "/y", query: {at: "{{ steps.made.at }}"}, when: steps.made.code == 201}
response: {map: {at: $.made.at, code: $.made.code}}
"""
    played = Played(tool_of(text), [HttpResponse(201, {"location": "/7"}, b""), answer({})])
    assert played.urls == ["/x", "/y?at=%2F7"]
    assert played.value == {"at": "/7", "code": 201}
    played = Played(tool_of(text), [answer({}, 200)])
    assert played.value == {"code": 200}


def test_of_a_job_it_is_the_answer_that_brings_the_result():
    text = f"post: /jobs\npoll: {{}}\nresponse: {{map: {{n: $.n, {LOCATION[1:-1]}}}}}"
    answers = [answer(None, 202, location="/jobs/1"), answer({"n": 1}, location="/7")]
    assert Played(tool_of(text), answers).value == {"n": 1, "id": "/7", "created": 200}
    then = text.replace("poll: {}", "poll: {then: $.at}")
    answers = [*answers[:1], answer({"at": "/r"}, location="/no"), answer({"n": 2}, 203)]
    assert Played(tool_of(then), answers).value == {"n": 2, "created": 203}


def test_examples_reply_with_headers():
    text = (
        f"post: /x\nresponse: {{map: {LOCATION}}}\nexamples:\n"
        "  - {reply: {status: 201, headers: {Location: /7}}, result: {id: /7, created: 201}}"
    )
    assert check(loaded(text)) == ()
    wrong = check(loaded(text.replace("result: {id: /7", "result: {id: /8")))
    assert [issue.path for issue in wrong] == ["tools.t.examples[0].result.id"]


# Faults, at load


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "authorization", "WWW-Authenticate", "Proxy-Authenticate", "Cookie"],
)
def test_headers_of_credentials_are_refused(name):
    found = fault(f"{{a: {{b: {{header: {name}}}}}}}")
    assert found == {
        "response.map.a.b.header": f"'{name}' is about a credential, which no result may hold"
    }


@pytest.mark.parametrize(
    ("auth", "name"),
    [
        ("{header: {X-Api-Key: k-e-y}}", "x-api-key"),
        ("{session: {handshake: {status: 409, header: X-Session-Id}}}", "X-Session-Id"),
        ("{session: {login: {post: /login}, token_header: X-Token}}", "X-TOKEN"),
    ],
)
def test_headers_of_this_files_own_credential_are_refused(auth, name):
    text = HEAD.replace('{query: {key: "{{ secrets.key }}"}}', auth)
    text += f"    get: /x\n    response: {{map: {{a: {{header: {name}}}}}}}\n"
    found = load(text.encode(), "api.yaml", environ={"KEY": "x"}, redactor=Redactor())
    assert found.capability is None
    assert any("is about a credential" in issue.message for issue in found.issues)


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ("{a: {header: X-A, as: int}}", "a.as", "a header is text, or integer or number"),
        ("{a: {header: X-A, as: [1]}}", "a.as", "a header is text, or integer or number"),
        ('{a: {header: "X A"}}', "a.header", "'X A' is no name of a header"),
        ('{a: {header: ""}}', "a.header", "'' is no name of a header"),
        ("{header: Location}", "", "this needs a name in the result"),
        ("{status: true}", "", "this needs a name in the result"),
        ("{a: {status: false}}", "a.status", "this cannot be mapped"),
        ("{a: {status: 1}}", "a.status", "this cannot be mapped"),
        ("{a: {header: 1}}", "a.header", "this cannot be mapped"),
        ("{a: {path: $.a, map: []}}", "a.map", "this cannot be mapped"),
        ("{a: {path: $.a, map: {b: {status: true}}}}", "a.map", "this cannot be mapped"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_place(spec, path, message):
    assert fault(spec) == {f"response.map.{path}".rstrip("."): message}


def test_a_path_below_these_names_is_a_path():
    body = {"header": "h", "status": "s"}
    assert mapped("{a: {header: $.header}, b: {status: $.status}}", answer(body)) == {
        "a": {"header": "h"},
        "b": {"status": "s"},
    }


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (
            "get: /x\nresponse: {select: '$.x[*]', map: {t: {header: X-T}}}",
            "'select' gives a list here, and a header or the status is of the answer as a whole",
        ),
        (
            "get: /x\npaginate: {items: $.d, link: true}\nresponse: {map: {t: {header: X-T}}}",
            "a header or the status is of one answer, and here is one for each page",
        ),
        (
            "steps: [{id: a, get: /x}]\nresponse: {map: {t: {u: {status: true}}}}",
            "a header or the status is of one answer, and here are several steps",
        ),
        (
            "get: /x\nresponse: {as: ndjson, map: {t: {header: X-T}}}",
            "a header or the status is of one answer, and a stream is a list of events",
        ),
    ],
)
def test_where_there_is_no_one_answer_it_is_refused(tool, message):
    assert faults(tool) == {"response.map": message}


def test_the_headers_that_a_tool_reads_are_known():
    text = """
steps:
  - {id: a, get: /x, response: {map: {at: {header: Location}, b: {c: {header: ETag}, d: $.d}}}}
  - {id: b, get: /y, response: {map: $.x}}
response: {map: {x: $.a}}
"""
    tool = loaded(text).parsed.tree["tools"]["t"]
    assert headers_read(tool) == {"location", "etag"}
    assert headers_read({"get": "/x", "response": {"map": "$.x"}}) == frozenset()
