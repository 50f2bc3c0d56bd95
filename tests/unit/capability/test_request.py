"""gateway/capability/sending/request.py and its parts: what goes out, and what is refused where."""

import json

import msgspec
import pytest

from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import Refused
from gateway.capability.file.model import Capability
from gateway.capability.sending.request import Asked, compile_request
from gateway.capability.sending.shared import SecretScope, Shared
from gateway.capability.sending.url_path import compile_path
from gateway.credentials.secret import Secrets
from gateway.domain.issue import Severity
from gateway.errors import BackendUnavailable, InvalidArguments
from tests.peers.signing import signed

STRING = {"type": "string"}
AUTHS = {}  # template → its file's `auth:`, compiled
NEEDED = {"type": "string", "required": True}
ENVIRON = {"TOKEN": "t0ps3cret/+", "USER": "ann"}


def compiled(tool, file=None):
    """The request template of a tool, and the faults found: (dotted path, message, severity)."""
    tool = {"description": "d", **tool}
    spec = {
        "capability": 1,
        "description": "d",
        "base_url": "https://api.example/v1",
        "tools": {"t": tool},
        **(file or {}),
    }
    capability = msgspec.convert(spec, Capability)
    faults = []

    def report(path, message, _hint=None, *, severity=Severity.ERROR):
        faults.append((".".join(map(str, path)), message, severity))

    shared = Shared(capability, Secrets(capability.secrets, ENVIRON), report)
    return compile_one(capability.tools["t"], shared), faults


def compile_one(spec, shared):
    wanted = spec.response.as_ if spec.response else "auto"
    asked = Asked(spec, spec.args, {}, wanted, spec.idempotency_key)
    made = compile_request(asked, shared, ("tools", "t"))
    AUTHS[made] = shared.auth
    return made


def authorised(made, request):
    return signed(AUTHS[made], request)


def template(tool, file=None):
    found, faults = compiled(tool, file)
    assert faults == []
    return found


def sent(tool, args, file=None):
    return template(tool, file).render(args)


def query_of(query, args, declared=None):
    declared = {name: {} for name in args} if declared is None else declared
    return sent({"args": declared, "get": "/x", "query": query}, args).url.partition("?")[2]


def json_of(body, args, declared=None):
    declared = {name: {} for name in args} if declared is None else declared
    return json.loads(sent({"args": declared, "post": "/x", "json": body}, args).body)


# paths


def test_path_values_are_encoded_into_their_segment():
    tool = {"args": {"a": NEEDED, "b": NEEDED}, "get": "/r/{{ args.a }}/{{ args.b }}/end"}
    assert sent(tool, {"a": "x y/z", "b": "naïve?#;é"}).url == (
        "https://api.example/v1/r/x%20y%2Fz/na%C3%AFve%3F%23%3B%C3%A9/end"
    )


def test_segments_filter_keeps_slashes_and_takes_lists():
    tool = {"args": {"p": NEEDED}, "get": "/c/{{ args.p | segments }}"}
    assert sent(tool, {"p": "docs/a b.md"}).url == "https://api.example/v1/c/docs/a%20b.md"
    assert sent(tool, {"p": ["a/b", "c"]}).url == "https://api.example/v1/c/a%2Fb/c"


@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "",
        "../../admin?x=",
        "a/../b",
        "a\\..\\b",
        "%2e%2e%2f",
        "%2E",
        "%252e%252e%255c",
        "..%2f",
        "%25252525252e",
        "..;/x",
        "a\r\nb",
        "a\0b",
        "\x85",
        "\ud800",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/r/{{ args.a }}/s", "/r/{{ args.a | segments }}"])
def test_value_that_could_climb_or_vanish_is_refused(path, value):
    """T1, I47: encoding cannot keep a dot segment in its place, so it is refused."""
    with pytest.raises(Refused) as caught:
        sent({"args": {"a": NEEDED}, "get": path}, {"a": value})
    assert caught.value.position in ("path", "args")
    assert isinstance(caught.value, InvalidArguments)
    assert "a: " in str(caught.value)


@pytest.mark.parametrize(
    "value", ["...", "a..b", "..x", ".hidden", "a.b", "~", "%", "100%", "%" + "25" * 9 + "2e"]
)
def test_harmless_dots_and_percents_pass(value):
    url = sent({"args": {"a": NEEDED}, "get": "/{{ args.a }}"}, {"a": value}).url
    assert url == f"https://api.example/v1/{value.replace('%', '%25')}"


@pytest.mark.parametrize(("a", "b"), [(".", "x"), ("%", "2e"), ("%2", "e"), ("%252", "e%2e")])
def test_neighbours_cannot_make_a_dot_segment_together(a, b):
    declared = {"a": NEEDED, "b": NEEDED}
    with pytest.raises(Refused) as caught:
        sent({"args": declared, "get": "/r/{{ args.a }}{{ args.b }}"}, {"a": a, "b": b})
    assert caught.value.position == "path"


def test_literal_beside_a_value_cannot_make_a_dot_segment():
    tool = {"args": {"a": NEEDED}, "get": "/r/%2e{{ args.a }}/x"}
    assert sent(tool, {"a": "git"}).url.endswith("/r/%2egit/x")
    with pytest.raises(Refused):
        sent(tool, {"a": "%2e"})


def test_segments_value_cannot_have_an_empty_segment():
    for value in ("/a", "a//b", "a/", []):
        with pytest.raises(Refused):
            sent({"args": {"a": NEEDED}, "get": "/r/{{ args.a | segments }}"}, {"a": value})


def test_numbers_booleans_and_vars_stand_in_paths_as_text():
    tool = {"args": {"n": {"required": True}}, "get": "/{{ vars.org }}/{{ args.n }}"}
    file = {"vars": {"org": "a b"}}
    assert sent(tool, {"n": 7}, file).url == "https://api.example/v1/a%20b/7"
    assert sent(tool, {"n": True}, file).url == "https://api.example/v1/a%20b/true"


def test_expressions_in_paths_are_encoded_as_a_whole():
    tool = {"args": {"a": NEEDED, "b": NEEDED}, "get": "/r/{{ args.a ~ '/' ~ args.b }}"}
    assert sent(tool, {"a": "x", "b": "é"}).url == "https://api.example/v1/r/x%2F%C3%A9"
    with pytest.raises(Refused):
        sent(tool, {"a": "..", "b": "x"})


def test_route_names_the_arguments_and_no_values():
    tool = {"args": {"a": NEEDED}, "delete": "/r/{{ args.a }}/{{ vars.v }}"}
    found = sent(tool, {"a": "hidden"}, {"vars": {"v": "w"}})
    assert found.route == "DELETE https://api.example/v1/r/{a}/{vars.v}"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/a?b=1", "'?' and '#'"),
        ("/a#b", "'?' and '#'"),
        ("/a//b", "empty segment"),
        ("/a/../b", "'.' and '..'"),
        ("/a/%2e%2e/b", "'.' and '..'"),
        ("/a\n", "control character"),
        ("/100%", "escape"),
        ("/{{ args.b }}", "args.b is not declared"),
        ("/{{ args.o }}", "must always be there"),
        ("/{{ args }}", "as a whole"),
        ("/{{ rest }}", "as a whole"),
        ("/{% if args.a %}x{% endif %}", "no {% %}"),
    ],
)
def test_faulty_path_is_told_at_its_place(path, says):
    _, faults = compiled({"args": {"a": NEEDED, "o": STRING}, "get": path})
    assert [fault[0] for fault in faults] == ["tools.t.get"]
    assert says in faults[0][1]


def test_path_without_its_first_slash_is_a_fault():
    said = []
    compile_path("x", Place((), {}, lambda *fault: said.append(fault)))
    assert [message for _, message, _ in said] == ["a path starts with '/'"]


def test_default_is_enough_for_a_path():
    assert template({"args": {"a": {"default": "x"}}, "get": "/{{ args.a }}"})


# queries and forms


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b&c=d+e", "k=a+b%26c%3Dd%2Be"),
        (True, "k=true"),
        (2.5, "k=2.5"),
        (10**20, "k=100000000000000000000"),
        (["a b", 1, None], "k=a+b&k=1"),
        ([], ""),
        ({"x": 1, "y&": ["p", "q"]}, "k%5Bx%5D=1&k%5By%26%5D=p&k%5By%26%5D=q"),
        ([{"x": 1}], "k=%7B%22x%22%3A1%7D"),
        (None, ""),
        ("", "k="),
        ("\r\n\0", "k=%0D%0A%00"),
        (b"\xc3\xa9", "k=%C3%A9"),
    ],
)
def test_query_encoding(value, expected):
    assert query_of({"k": "{{ args.v }}"}, {"v": value}) == expected


def test_query_styles_by_filter_and_by_name():
    args = {"v": ["a", "b"]}
    assert query_of({"k": "{{ args.v | join(',') }}"}, args) == "k=a%2Cb"
    assert query_of({"k[]": "{{ args.v }}"}, args) == "k%5B%5D=a&k%5B%5D=b"
    assert query_of({"k": "{{ args.v | tojson }}"}, args) == "k=%5B%22a%22%2C%22b%22%5D"


def test_query_literals_templates_and_the_rest_keep_their_order():
    query = {"state": "open", "n": 30, "all": [1, True], "...": "{{ rest }}", "q": "x{{ args.q }}"}
    declared = {"q": STRING, "page": {}, "labels": {}}
    args = {"labels": ["x"], "q": "y", "page": 2}
    assert query_of(query, args, declared) == (
        "state=open&n=30&all=1&all=true&page=2&labels=x&q=xy"
    )
    assert query_of(query, {}, declared) == "state=open&n=30&all=1&all=true"


def test_whole_query_is_all_arguments_in_the_order_of_the_file():
    declared = {"url": {}, "width": {}}
    assert query_of("{{ args }}", {"width": 1, "url": "a?b"}, declared) == "url=a%3Fb&width=1"


def test_form_is_encoded_like_a_query():
    tool = {"args": {"a": {}, "b": {}}, "post": "/x", "form": {"a": "{{ args.a }}", "c": 1}}
    tool["form"]["..."] = "{{ rest }}"
    found = sent(tool, {"a": "x y", "b": ["1", "2"]})
    assert found.body == b"a=x+y&c=1&b=1&b=2"
    assert ("Content-Type", "application/x-www-form-urlencoded") in found.headers


def test_defaults_of_the_file_come_first_and_a_tool_overrules_them():
    tool = {"args": {"q": {}}, "get": "/x", "query": {"b": "mine", "q": "{{ args.q }}"}}
    file = {"query": {"a": 1, "b": 2, "q": 3}}
    assert sent(tool, {}, file).url.endswith("/x?a=1&b=mine")


@pytest.mark.parametrize(
    ("query", "place", "says"),
    [
        ("{{ 1/0 }}", "query", "only args or rest can become query names"),
        ({"...": "{{ {'a': 1} }}"}, "query....", "only args or rest can become query names"),
        ({"k": "{{ args.z }}"}, "query.k", "not declared"),
        ({"{{ args.a }}": 1}, "query.{{ args.a }}", "name cannot be a template"),
        ("a=b", "query", "needs one expression"),
        ({"...": {"a": 1}}, "query....", "needs one expression"),
        ("{{ args.a }}", "query", "only args or rest"),
        ({"...": "{{ args.a }}"}, "query....", "only args or rest"),
        ({"...": "{{ rest }}", "a": 1}, "query.a", "sent twice"),
        ({"...": "{{ args }}", "a": "{{ args.a }}"}, "query.a", "sent twice"),
    ],
)
def test_faulty_query_is_told_at_its_place(query, place, says):
    _, faults = compiled({"args": {"a": STRING}, "get": "/x", "query": query})
    assert [fault[0] for fault in faults] == [f"tools.t.{place}"]
    assert says in faults[0][1]


# JSON, GraphQL, text, bytes


def test_json_keeps_types_and_leaves_out_what_is_missing():
    body = {
        "fields": {
            "summary": "{{ args.title }}",
            "description": "{{ args.body }}",
            "labels": ["{{ args.label }}", "{{ args.gone }}"],
            "timetracking": {"estimate": "{{ args.estimate }}"},
            "list": ["{{ args.gone }}"],
            "assignee": "{{ args.assignee }}",
            "literal": {"empty": {}, "none": None, "list": []},
        },
        "source": "mcp:{{ args.title | lower }}",
    }
    names = ("title", "body", "label", "gone", "estimate", "assignee")
    declared = {name: {} for name in names}
    args = {"title": 'D "x"\n', "label": {"deep": [1]}, "assignee": None}
    assert json_of(body, args, declared) == {
        "fields": {
            "summary": 'D "x"\n',
            "labels": [{"deep": [1]}],
            "assignee": None,
            "literal": {"empty": {}, "none": None, "list": []},
        },
        "source": 'mcp:d "x"\n',
    }


def test_json_root_is_never_left_out():
    assert json_of({"a": "{{ args.a }}"}, {}, {"a": {}}) == {}
    assert json_of(["{{ args.a }}"], {}, {"a": {}}) == []
    assert json_of("{{ args.a }}", {}, {"a": {}}) == {}
    assert json_of(None, {}, {}) is None


def test_arguments_own_empties_are_kept():
    assert json_of({"a": "{{ args.a }}", "b": "{{ args.b }}"}, {"a": {}, "b": []}) == {
        "a": {},
        "b": [],
    }


def test_json_splice_adds_the_rest_and_never_overrules_the_author():
    declared = {"kind": {}, "extra": {}, "x": {}}
    body = {"kind": "{{ args.kind }}", "in": {"...": "{{ args.extra }}", "z": 1}}
    body["..."] = "{{ rest }}"
    args = {"kind": "k", "extra": {"z": 2, "y": 3}, "x": None}
    assert json_of(body, args, declared) == {"kind": "k", "in": {"z": 1, "y": 3}, "x": None}


def test_argument_that_a_json_splice_would_drop_is_a_fault():
    tool = {"args": {"kind": {}}, "post": "/x", "json": {"kind": "fix", "...": "{{ rest }}"}}
    assert compiled(tool)[1][0][:2] == ("tools.t.json.kind", "args.kind would be dropped for this")


def test_splice_of_something_else_than_an_object_is_refused():
    with pytest.raises(Refused):
        json_of({"...": "{{ args.a }}"}, {"a": [1]})
    assert json_of({"...": "{{ args.a }}", "b": 1}, {"a": None}) == {"b": 1}


def test_graphql_query_is_literal_and_variables_have_types():
    tool = {
        "args": {"first": {}, "after": {}},
        "post": "/graphql",
        "graphql": {
            "query": "query($first: Int) { a }",
            "variables": {"first": "{{ args.first }}", "after": "{{ args.after }}"},
        },
    }
    assert json.loads(sent(tool, {"first": 5}).body) == {
        "query": "query($first: Int) { a }",
        "variables": {"first": 5},
    }
    with pytest.raises(Refused):
        sent(tool, {"first": "\ud800"})
    tool["graphql"]["query"] = "{ a(x: {{ args.first }}) }"
    assert compiled(tool)[1][0][0] == "tools.t.graphql.query"


def test_text_and_bytes_bodies():
    tool = {"args": {"t": {"type": "integer"}}, "post": "/x", "text": "n={{ args.t }}"}
    found = sent(tool, {"t": 3})
    assert (found.body, found.headers[-1][1]) == (b"n=3", "text/plain; charset=utf-8")
    tool = {"args": {"b": STRING}, "put": "/x", "bytes": "{{ args.b | b64decode }}"}
    found = sent(tool, {"b": "/wA="})
    assert found.body == b"\xff\x00"
    assert ("Content-Type", "application/octet-stream") in found.headers
    assert sent(tool, {}).body == b""
    tool["bytes"] = "é{{ args.b }}"
    assert compiled(tool)[0].render({"b": "x"}).body == "éx".encode()
    with pytest.raises(Refused):
        compiled(tool)[0].render({"b": "\ud800"})
    assert sent(tool | {"args": {"b": {}}, "bytes": "{{ args.b }}"}, {"b": 5}).body == b"5"
    tool["bytes"] = "{{ args.b | b64decode }}"
    with pytest.raises(Refused):
        sent(tool, {"b": "no base64!"})


def test_free_text_inside_a_text_body_is_warned_of():
    tool = {"args": {"t": STRING}, "post": "/x", "text": "SELECT {{ args.t }}"}
    _, [(place, message, severity)] = compiled(tool)
    assert (place, severity) == ("tools.t.text", Severity.WARNING)
    assert "without escaping" in message
    tool["args"]["t"] = {"type": "string", "pattern": "^[a-z]+$"}
    assert compiled(tool)[1] == []
    tool["text"] = "{{ args | tojson }}, {{ vars.v }}"
    assert compiled(tool, {"vars": {"v": 1}})[1][0][1] == (
        "args stands in this text without escaping"
    )
    assert compiled(tool | {"args": {"t": STRING}, "text": "{{ args.t }}"})[1] == []


@pytest.mark.parametrize(
    ("tool", "place", "says"),
    [
        ({"get": "/x", "idempotency_key": "Host"}, "idempotency_key", "connection"),
        (
            {"get": "/x", "idempotency_key": "X", "headers": {"x": 1}},
            "idempotency_key",
            "elsewhere",
        ),
    ],
)
def test_faulty_tool_is_told_at_its_place(tool, place, says):
    _, faults = compiled(tool)
    assert [fault[0] for fault in faults] == [f"tools.t.{place}".rstrip(".")]
    assert says in faults[0][1]


def test_all_faults_of_a_tool_are_told_at_once():
    tool = {"get": "/{{ args.a }}", "query": {"b": "{{ args.b }}"}, "headers": {"Host": "x"}}
    assert [fault[0] for fault in compiled(tool)[1]] == [
        "tools.t.get",
        "tools.t.headers.Host",
        "tools.t.query.b",
    ]


# headers


def test_headers_have_defaults_that_authors_overrule():
    file = {"headers": {"accept": "a/b", "X-One": "1", "X-Two": 2}}
    tool = {"get": "/x", "headers": {"x-one": "mine", "X-Two": None}}
    found = dict(sent(tool, {}, file).headers)
    assert found.pop("User-Agent").startswith("capgate/")
    assert found == {"accept": "a/b", "x-one": "mine"}


def test_header_values_are_text_and_missing_ones_are_not_sent():
    """T11: true, numbers and objects have a text form."""
    tool = {
        "args": {"a": {}, "b": {}, "c": {}, "d": {}},
        "get": "/x",
        "headers": {f"X-{name}": f"{{{{ args.{name} }}}}" for name in "abcd"},
    }
    found = dict(sent(tool, {"a": True, "b": 3, "c": {"k": "naïve"}, "d": None}).headers)
    assert (found["X-a"], found["X-b"], found["X-c"]) == ("true", "3", '{"k":"naïve"}')
    assert "X-d" not in found


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0", "\x7f", "\ud800", "a\tb"])
def test_header_value_that_could_end_its_line_is_refused(value):
    tool = {"args": {"a": {}}, "get": "/x", "headers": {"X-A": "v{{ args.a }}"}}
    with pytest.raises(Refused) as caught:
        sent(tool, {"a": value})
    assert caught.value.position == "header"
    assert "header X-A" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Trailer", "Upgrade"),
        *("Keep-Alive", "Proxy-Authorization", "proxy-connection", "..."),
    ],
)
def test_header_names_that_belong_to_the_connection_are_faults(name):
    _, faults = compiled({"get": "/x", "headers": {name: "v"}})
    assert [fault[0] for fault in faults] == [f"tools.t.headers.{name}"]


def test_header_that_stands_twice_or_cannot_be_sent_is_a_fault():
    _, faults = compiled({"get": "/x", "headers": {"X-A": 1, "x-a": 2, "X-B": "a\nb"}})
    assert [fault[0] for fault in faults] == ["tools.t.headers.x-a", "tools.t.headers.X-B"]


def test_idempotency_key_is_fresh_for_each_rendering():
    tool = {"post": "/x", "idempotency_key": "Idempotency-Key"}
    first, second = (dict(sent(tool, {}).headers)["Idempotency-Key"] for _ in range(2))
    assert first != second
    assert len(first) == 36


# secrets and auth

SECRETS = {"secrets": {"key": "env:TOKEN", "gone": "env:GONE", "user": "env:USER"}}


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        ({"bearer": "{{ secrets.key }}"}, {"Authorization": "Bearer t0ps3cret/+"}, ""),
        (
            {"basic": {"username": "{{ secrets.user }}", "password": "p"}},
            {"Authorization": "Basic YW5uOnA="},
            "",
        ),
        (
            {"header": {"X-Api-Key": "{{ secrets.key }}", "X-V": "{{ vars.v }}"}},
            {"X-Api-Key": "t0ps3cret/+", "X-V": "w"},
            "",
        ),
        ({"query": {"key": "{{ secrets.key }}"}}, {}, "&key=t0ps3cret%2F%2B"),
    ],
)
def test_credential_is_added_apart_from_the_request(auth, headers, query):
    file = SECRETS | {"auth": auth, "vars": {"v": "w"}}
    made = template({"get": "/x", "query": {"a": 1}}, file)
    plain = made.render({})
    signed = authorised(made, plain)
    assert "t0ps3cret" not in f"{plain.url} {plain.headers}"
    assert repr(signed) == "HttpRequest(route='GET https://api.example/v1/x')"
    assert dict(signed.headers[len(plain.headers) :]) == headers
    assert signed.url == f"https://api.example/v1/x?a=1{query}"


def test_first_query_pair_may_be_the_credential():
    made = template({"get": "/x"}, SECRETS | {"auth": {"query": {"k": "v"}}})
    assert authorised(made, made.render({})).url == "https://api.example/v1/x?k=v"


def test_no_auth_leaves_the_request_as_it_is():
    for auth in ("none", None):
        made = template({"get": "/x"}, {"auth": auth})
        request = made.render({})
        assert authorised(made, request) is request


@pytest.mark.parametrize(
    ("tool", "auth", "place"),
    [
        ({"headers": {"authorization": "x"}}, {"bearer": "b"}, "tools.t.headers.authorization"),
        ({"headers": {"x-k": "x"}}, {"header": {"X-K": "b"}}, "tools.t.headers.x-k"),
        ({"query": {"k": "x"}}, {"query": {"k": "b"}}, "tools.t.query"),
        ({"args": {"k": {}}, "query": "{{ args }}"}, {"query": {"k": "b"}}, "tools.t.query"),
        ({"idempotency_key": "X-K"}, {"header": {"X-K": "b"}}, "tools.t.idempotency_key"),
        ({}, {"header": {"Host": "b"}}, "auth.header.Host"),
        ({}, {"header": {"X Y": "b"}}, "auth.header.X Y"),
        ({}, {"bearer": "{{ args.k }}"}, "auth.bearer"),
        ({}, {"bearer": "{{ secrets.nope }}"}, "auth.bearer"),
    ],
)
def test_what_auth_sets_nothing_else_can_set(tool, auth, place):
    _, faults = compiled({"get": "/x", **tool}, SECRETS | {"auth": auth})
    assert [fault[0] for fault in faults] == [place]


def test_auth_cannot_set_a_header_twice():
    _, faults = compiled({"get": "/x"}, {"auth": {"header": {"X-K": "a", "x-k": "b"}}})
    assert [fault[0] for fault in faults] == ["auth.header.X-K", "auth.header.x-k"]


def test_default_header_gives_way_to_auth():
    made = template({"get": "/x"}, {"auth": {"header": {"User-Agent": "me"}}})
    names = [name for name, _ in authorised(made, made.render({})).headers]
    assert names.count("User-Agent") == 1


def test_secrets_stand_in_requests_and_a_missing_one_is_named():
    tool = {
        "args": {"a": {}},
        "post": "/{{ secrets.user }}",
        "query": {"k": "{{ secrets.key }}"},
        "headers": {"X-K": "k={{ secrets.key }}"},
        "json": {"k": "{{ secrets.key }}"},
    }
    found = sent(tool, {}, SECRETS)
    assert found.url == "https://api.example/v1/ann?k=t0ps3cret%2F%2B"
    assert ("X-K", "k=t0ps3cret/+") in found.headers
    assert "ann" not in found.route
    tool["query"] = {"k": "{{ secrets.gone }}"}
    with pytest.raises(BackendUnavailable, match="missing secret env:GONE"):
        sent(tool, {}, SECRETS)


def test_secrets_cannot_be_listed():
    scope = SecretScope(Secrets({"key": "env:TOKEN"}, ENVIRON))
    assert (list(scope), len(scope), scope["key"]) == ([], 0, ENVIRON["TOKEN"])


def test_empty_credential_is_refused():
    file = {"auth": {"bearer": "{{ vars.v }}"}, "vars": {"v": None}}
    made = template({"get": "/x"}, file)
    with pytest.raises(BackendUnavailable, match="the credential is empty"):
        authorised(made, made.render({}))


def test_examples_bring_secrets_of_their_own():
    made = template({"get": "/x", "query": {"k": "{{ secrets.gone }}"}}, SECRETS)
    stand_in = Secrets({"gone": "env:A"}, {"A": "example"})
    assert made.render({}, stand_in).url.endswith("?k=example")


def test_credential_with_a_line_break_is_refused_without_showing_it():
    made = compile_with({"K": "two\nlines"})
    with pytest.raises(BackendUnavailable) as caught:
        authorised(made, made.render({}))
    assert "two" not in str(caught.value)


def compile_with(environ):
    capability = msgspec.convert(
        {
            "capability": 1,
            "description": "d",
            "base_url": "https://api.example",
            "secrets": {"k": "env:K"},
            "auth": {"bearer": "{{ secrets.k }}"},
            "tools": {"t": {"description": "d", "get": "/x"}},
        },
        Capability,
    )
    shared = Shared(capability, Secrets(capability.secrets, environ), print)
    return compile_one(capability.tools["t"], shared)


# the whole


def test_uses_are_the_arguments_that_are_read_anywhere():
    declared = {name: {"required": True} for name in "abcdef"}
    tool = {
        "args": declared,
        "post": "/{{ args.a }}",
        "query": {"b": "{{ args.b }}"},
        "headers": {"X-C": "{{ args.c }}"},
        "json": {"d": ["{{ args.d | default(args.e) }}"]},
    }
    assert template(tool).uses == set("abcde")
    tool["query"]["..."] = "{{ rest }}"
    assert template(tool).uses == set("abcdef")


@pytest.mark.parametrize(
    "tool",
    [
        {"get": "/x", "query": {"k": "{{ args.v }}"}},
        {"get": "/x", "query": "{{ args }}"},
        {"post": "/x", "form": {"k": "{{ args.v }}"}},
        {"post": "/x", "json": {"k": "{{ args.v }}"}},
        {"post": "/x", "text": "k={{ args.v }}"},
    ],
)
def test_lone_surrogate_is_refused_in_every_position(tool):
    made, _ = compiled({"args": {"v": {}}, **tool})
    with pytest.raises(Refused, match="not valid Unicode"):
        made.render({"v": "\ud800"})


def test_url_that_no_server_takes_is_refused_by_its_size():
    with pytest.raises(Refused) as caught:
        query_of({"k": "{{ args.v }}"}, {"v": "x" * 70_000})
    assert caught.value.position == "size"


def test_text_of_a_million_characters_is_refused_by_its_size():
    tool = {"args": {"t": {"type": "integer"}}, "post": "/x", "text": "{{ args.t }}x"}
    with pytest.raises(Refused) as caught:
        sent(tool, {"t": "x" * 1_000_000})
    assert caught.value.position == "size"


def test_deeply_nested_values_are_refused_not_crashed_on():
    deep: object = 1
    for _ in range(3000):
        deep = {"a": deep}
    for tool in (
        {"args": {"v": {}}, "get": "/x", "query": {"k": "{{ args.v }}"}},
        {"args": {"v": {}}, "get": "/x", "query": "{{ args }}"},
        {"args": {"v": {}}, "post": "/x", "json": {"k": "{{ args.v }}"}},
        {"args": {"v": {"required": True}}, "get": "/{{ args.v }}"},
    ):
        with pytest.raises(Refused):
            sent(tool, {"v": deep})


def test_base_url_that_is_no_literal_is_a_fault():
    _, faults = compiled({"get": "/x"}, {"base_url": "https://{{ vars.host }}"})
    assert [fault[0] for fault in faults] == ["base_url"]
