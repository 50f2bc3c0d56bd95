"""Flows, bodies and credentials in any disrepair: told at load, or they can be carried out."""

import copy
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.capability.examples.checking import check
from gateway.capability.examples.rehearsal import rehearse
from gateway.capability.file.yaml import parse
from gateway.capability.load import load
from gateway.credentials.opening import Means, opened
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import Secrets
from gateway.domain.issue import Severity
from gateway.errors import GatewayError
from gateway.http.message import HttpResponse
from tests.property.test_load import ODD, edited, places

ENVIRON = {"X": "secret-value-1"}
WHOLE = parse((Path(__file__).parent / "kinds.yaml").read_bytes(), "kinds.yaml").tree
AUTHS = [None, *WHOLE.pop("x-auths")]
KEYS = st.sampled_from(
    [
        *("paginate", "poll", "steps", "cache", "retry", "response", "query", "headers", "json"),
        *("form", "multipart", "xml", "text", "bytes", "graphql", "errors", "when", "each", "join"),
        *("as", "select", "map", "limit", "until", "fail_when", "then", "every", "max_wait"),
        *("message", "progress", "cursor", "page", "offset", "size", "next_url", "link", "items"),
        *("max_pages", "max_items", "while", "from", "value", "start", "variable", "id", "args"),
        *("data", "filename", "content_type", "login", "token", "token_header", "cookie", "basic"),
        *("handshake", "grant", "expires", "renew_on", "header", "prefix", "idempotency_key"),
    ]
)
MORE = st.sampled_from(
    [
        *(False, 10**30, "body.a ==", "steps.two", "steps.nope.x", "{{ steps.two.id }}", "-1s"),
        *("nan", "{{ token }}", "{{ body }}", [None], [[]], {"query": "n"}, {"json": "a..b"}),
        *({"query": "x", "value": "{{"}, {"from": "$.n"}, {"get": "/x"}, [{"id": "a"}]),
        *([{"id": "a", "get": "/x", "when": "steps.b"}, {"id": "b", "get": "/y"}], {"as": "sse"}),
        *({"as": "json", "join": ","}, {"items": "$", "link": False}, "<a>{{ args.t }}</a>", "<a"),
    ]
)
BODIES = st.sampled_from(
    [
        *(
            b"",
            b"{}",
            b"[]",
            b"null",
            b"{",
            b"\xff\xfe\0",
            b"<a><b>1</b></a>",
            b'data: {"a":1}\n\n',
        ),
        b'{"items":[1,{"id":2}],"next":"n","state":"done","url":"/x","links":{"status":"//evil"}}',
        b'{"items":{"a":1},"next":{"a":[]},"progress":1e300,"state":"failed","token":"t"}',
        b'{"next":%b,"items":[1]}' % (b"9" * 300),
    ]
)
KINDS = ("application/json", "text/plain", "text/xml", "text/event-stream", "image/png", "")
TOLD = ("Traceback", "object has no", "msgspec", "NoneType", "<class", "jinja2", "Expected `")


@st.composite
def damaged(draw):
    tree = copy.deepcopy(WHOLE)
    name = draw(st.sampled_from(sorted(tree["tools"])))
    tree["tools"] = {name: tree["tools"][name]}
    auth = draw(st.sampled_from(AUTHS))
    if auth is not None:
        tree["auth"] = copy.deepcopy(auth)
    for _ in range(draw(st.integers(0, 2))):
        inner = [path for path in places(tree) if path[:1] in (("auth",), ("tools",)) and path[1:]]
        path = draw(st.sampled_from(inner))
        value = draw(ODD | MORE)
        tree = edited(tree, path, value, draw(st.integers(0, 3)) == 0)
        if draw(st.booleans()) and isinstance(tree.get("tools", {}).get(name), dict):
            tree["tools"][name][draw(KEYS)] = draw(ODD | MORE)
    return json.dumps(tree).encode()


@st.composite
def answers(draw):
    headers = {"content-type": draw(st.sampled_from(KINDS))}
    if draw(st.booleans()):
        headers |= {"location": draw(st.sampled_from(["/j", "//evil", "\n"])), "retry-after": "-1"}
    status = draw(st.sampled_from([200, 200, 201, 202, 204, 303, 401, 404, 500]))
    return HttpResponse(status, headers, draw(BODIES))


async def unsent(*_, **__):
    raise AssertionError("nothing is sent to open a credential")


def unwanted():
    raise LookupError


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(), st.lists(answers(), min_size=3, max_size=3), st.sampled_from(["x", "a/../b", 3]))
def test_what_is_wrong_with_a_flow_is_told_and_the_rest_works_i50(data, replies, given_value):
    redactor = Redactor()
    found = load(data, "f.yaml", environ=ENVIRON, redactor=redactor)
    wrong = [issue for issue in found.issues if issue.severity is Severity.ERROR]
    assert (found.capability is None) == bool(wrong)
    for issue in found.issues:
        said = f"{issue.message} {issue.hint}"
        assert issue.message
        assert issue.line > 0
        assert not any(word in said for word in TOLD), said
    if found.capability is None:
        return
    check(found)
    if found.capability.auth is not None:
        means = Means("f", found.capability.origin, unsent, unwanted, redactor)
        if found.capability.auth.auth.oauth2 is None:
            opened(found.capability.auth, means)
    for compiled in found.tools.values():
        declared = compiled.tool.tool.properties
        try:
            args = compiled.tool.prepare(dict.fromkeys(declared, given_value))
            rehearse(compiled, args, replies, Secrets(found.secrets, ENVIRON))
        except GatewayError:
            continue
