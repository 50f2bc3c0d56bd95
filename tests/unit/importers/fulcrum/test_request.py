"""What a fulcrum file sends, and what is refused: each through the loader to the request."""

import json
from typing import Any

import pytest

from gateway.credentials.redact import Redactor
from gateway.http.message import HttpRequest
from gateway.importers.fulcrum.live import load
from gateway.importers.fulcrum.several import convert_all

HEAD = "fulcrum: '1.0'\nname: shop\ndescription: Buys things.\n"


def file(config: str, inputs: str = "{}", required: str = "[]", rest: str = "") -> bytes:
    return (
        f"{HEAD}schema: {{input: {{type: object, properties: {inputs}, required: {required}}}}}\n"
        f"providers: {{primary: {{service: rest, config: {config}}}}}\n{rest}"
    ).encode()


def sent(data: bytes, /, **args: Any) -> HttpRequest:
    loaded = load(data, "shop.yaml", environ={"KEY": "k-123456"}, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    tool = loaded.capability.tools["shop"]
    return tool.request(tool.prepare(args))


def body(request: HttpRequest) -> Any:
    return json.loads(request.body or b"null")


def refused(data: bytes) -> tuple[int, str]:
    loaded = load(data, "shop.yaml", environ={}, redactor=Redactor())
    assert loaded.capability is None
    (issue,) = loaded.issues
    return issue.line, issue.message


def notes(data: bytes) -> list[str]:
    loaded = load(data, "shop.yaml", environ={}, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    return [issue.message for issue in loaded.issues]


BASE = "base_url: 'https://shop.example/api'"
TEXT = "{q: {type: string}, n: {type: integer}}"


def test_inputs_are_sent_where_their_names_stand():
    data = file(
        f"{{{BASE}, path: '/items/{{q}}', params: {{limit: '{{n}}', fixed: a b}},"
        " headers: {X-Q: 'q={q}'}}",
        TEXT,
        "[q]",
    )
    request = sent(data, q="a/b c", n=5)
    assert request.method == "GET"
    assert request.url == "https://shop.example/api/items/a%2Fb%20c?limit=5&fixed=a+b"
    assert ("X-Q", "q=a/b c") in request.headers


def test_what_is_not_given_is_not_sent():
    data = file(f"{{{BASE}, path: /items, params: {{q: '{{q}}', n: '{{n}}'}}}}", TEXT)
    assert sent(data).url == "https://shop.example/api/items"
    assert sent(data, n=3).url == "https://shop.example/api/items?n=3"


def test_an_input_of_the_path_becomes_required():
    data = file(f"{{{BASE}, path: '/items/{{q}}'}}", TEXT)
    assert "q stands in the path: it is required now" in notes(data)


@pytest.mark.parametrize(
    "hostile",
    ["{env.KEY}", "{keychain.x}", "{{ secrets.key }}", "{n}", '"},"admin":true', "${KEY}"],
)
def test_what_a_caller_gives_is_never_looked_into(hostile: str):
    config = (
        f"{{{BASE}, path: /x, method: POST, headers: {{K: '{{env.KEY}}'}}, body: {{a: '{{q}}'}}}}"
    )
    assert body(sent(file(config, TEXT), q=hostile)) == {"a": hostile}


def test_a_query_in_the_path_becomes_pairs():
    data = file(f"{{{BASE}, path: '/items?a=1%202&q={{q}}', params: {{z: y}}}}", TEXT)
    assert sent(data, q="&x=1").url == "https://shop.example/api/items?a=1+2&q=%26x%3D1&z=y"


def test_an_endpoint_is_the_whole_url():
    data = file("{endpoint: 'https://shop.example/api/{q}?v=2'}", TEXT, "[q]")
    assert sent(data, q="x").url == "https://shop.example/api/x?v=2"


def test_inputs_have_other_names_outside():
    data = file(f"{{{BASE}, path: /s, param_map: {{q: query}}}}", TEXT)
    assert sent(data, q="x").url == "https://shop.example/api/s?query=x"


def test_static_parameters_fill_the_url_and_the_query():
    config = f"{{{BASE}, path: '/{{lang}}/s', static_params: {{lang: 'e n', n: 7, unit: m}}}}"
    data = file(config, "{n: {type: integer}}")
    assert sent(data).url == "https://shop.example/api/e%20n/s?lang=e+n&n=7&unit=m"
    assert sent(data, n=8).url == "https://shop.example/api/e%20n/s?lang=e+n&n=8&unit=m"


def test_a_static_parameter_named_elsewhere_is_not_sent_twice():
    config = f"{{{BASE}, path: /s, static_params: {{n: '10'}}, params: {{n: '{{n}}'}}}}"
    assert sent(file(config, TEXT)).url == "https://shop.example/api/s?n=10"


def test_values_of_a_body_keep_their_types_and_nulls_go():
    config = (
        f"{{{BASE}, path: /s, method: POST,"
        " body: {n: '{n}', deep: [{q: '{q}'}], said: 'n={n}', none: null, fixed: 1}}"
    )
    data = file(config, TEXT)
    assert body(sent(data, n=3)) == {"n": 3, "said": "n=3", "fixed": 1}
    assert body(sent(data, q="x")) == {"deep": [{"q": "x"}], "fixed": 1}


def test_a_body_that_is_json_in_a_text_is_json_before_anything_is_put_in():
    config = f"""{{{BASE}, path: /s, method: POST, body: '{{"q": "{{q}}", "n": {{n}}}}'}}"""
    assert body(sent(file(config, TEXT), q='", "x": "', n=2)) == {"q": '", "x": "', "n": 2}


def test_without_a_body_all_arguments_are_it():
    data = file(f"{{{BASE}, path: '/s/{{q}}', method: POST}}", TEXT, "[q]")
    assert body(sent(data, q="a", n=1)) == {"q": "a", "n": 1}
    data = file(f"{{{BASE}, path: /s, method: POST, static_params: {{kind: x, n: 4}}}}", TEXT)
    assert body(sent(data, q="a")) == {"kind": "x", "q": "a", "n": 4}
    data = file(f"{{{BASE}, path: /s, method: POST}}")
    assert sent(data).body is None


def test_a_form_is_sent_as_one():
    headers = "headers: {Content-Type: application/x-www-form-urlencoded}"
    config = f"{{{BASE}, path: /s, method: POST, {headers}, params: {{q: '{{q}}', n: '{{n}}'}}}}"
    request = sent(file(config, TEXT), q="a b&c", n=1)
    assert request.url == "https://shop.example/api/s"
    assert request.body == b"q=a+b%26c&n=1"
    config = f"{{{BASE}, path: /s, method: POST, {headers}, body: 'q={{q}}&k=v'}}"
    assert sent(file(config, TEXT), q="&").body == b"q=%26&k=v"


def test_plain_text_keeps_the_braces_of_its_own_language():
    config = (
        f"{{{BASE}, path: /sql, method: POST, body_content_type: text/plain,"
        " body: 'CREATE x { a: {n}, b: {other}, c: ''{q}'' }'}"
    )
    request = sent(file(config, TEXT, "[n]"), n=1)
    assert request.body == b"CREATE x { a: 1, b: {other}, c: '' }"


def test_a_default_in_the_braces_is_what_its_author_meant():
    config = f"{{{BASE}, path: /s, method: POST, body: {{n: '{{n|50}}', q: '{{q|}}'}}}}"
    data = file(config, TEXT)
    assert body(sent(data)) == {"n": 50}
    assert body(sent(data, n=2, q="x")) == {"n": 2, "q": "x"}
    assert "n is sent as '50' when a caller does not give it" in notes(data)


def test_braces_that_start_a_template_of_ours_are_text():
    config = f"{{{BASE}, path: /s, method: POST, body: {{t: '{{{{ args.q }}}} {{% if %}} {{q}}'}}}}"
    assert body(sent(file(config, TEXT), q="x")) == {"t": "{{ args.q }} {% if %} x"}


def test_inputs_that_nothing_sends_are_no_arguments_and_told_of():
    data = file(f"{{{BASE}, path: /s, params: {{q: '{{q}}'}}}}", TEXT)
    assert notes(data) == ["sent nowhere, and so no arguments: n"]


def test_a_name_that_is_not_declared_refuses_the_file_at_its_line():
    assert refused(file(f"{{{BASE}, path: '/s/{{x}}'}}", TEXT)) == (
        5,
        "{x} is no input of this file: nothing can be sent there",
    )


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{endpoint: '{q}'}", "the whole URL is an input"),
        ("{base_url: '{q}', path: /x}", "the whole URL is an input"),
        ("{endpoint: 'https://{q}/x'}", "the input {q} decides which host is called"),
        ("{base_url: 'https://{q}.shop.example', path: /x}", "the input {q} decides which host"),
        ("{path: /x}", "the URL does not start with http"),
        ("{}", "there is neither a base_url nor an endpoint"),
        ("{base_url: 'ftp://h'}", "the URL does not start with http"),
        (f"{{{BASE}, method: TRACE}}", "no tool can use the method TRACE"),
        (f"{{{BASE}, path_selector: {{parameter: q}}}}", "an input chooses between several paths"),
    ],
)
def test_a_caller_never_decides_where_a_request_goes(config: str, reason: str):
    line, message = refused(file(config, TEXT))
    assert line == 5
    assert reason in message


def test_the_operator_may_decide_the_host():
    data = file("{base_url: 'https://{env.KEY}.shop.example', path: /x}")
    assert sent(data).url == "https://k-123456.shop.example/x"


def test_a_list_in_the_query_is_told_of():
    data = file(f"{{{BASE}, path: /s, params: {{t: '{{t}}'}}}}", "{t: {type: array}}")
    assert sent(data, t=["a", "b"]).url == "https://shop.example/api/s?t=a&t=b"
    assert notes(data) == ["t is sent in the query as one pair for each, not as JSON"]


def test_defaults_fit_their_schemas_or_go():
    inputs = "{n: {type: integer, default: '5'}, m: {type: integer, default: x}, e: {default: ''}}"
    config = f"{{{BASE}, path: /s, params: {{n: '{{n}}', m: '{{m}}', e: '{{e}}'}}}}"
    data = file(config, inputs)
    assert sent(data).url == "https://shop.example/api/s?n=5"
    assert notes(data) == ["the default of m does not fit its own schema"]


def test_credentials_that_are_written_out_are_not_copied():
    data = file(
        "{base_url: 'https://shop.example', path: '/buy?api_key=s3cret-1', method: POST,"
        " headers: {Authorization: Basic s3cret-2, X-Api-Key: s3cret-3, X-Org: acme},"
        " params: {access_token: s3cret-4, sort_key: name},"
        " body: {user: {password: s3cret-5}, max_tokens: '100', token: '{q}'}}",
        TEXT,
        rest="metadata: {client_secret: s3cret-6, team: shop}\n",
    )
    (draft,) = convert_all({"shop.yaml": data}).imported.drafts
    assert "s3cret" not in draft.text
    assert 'Authorization: "Basic {{ secrets.shop_authorization }}"' in draft.text
    assert 'client_secret: "***"' in draft.text
    names = ["api_key", "authorization", "x_api_key", "access_token", "password"]
    environ = {f"SHOP_{name.upper()}": f"mine-{name}" for name in names}
    loaded = load(data, "shop.yaml", environ=environ, redactor=Redactor())
    assert loaded.capability is not None
    tool = loaded.capability.tools["shop"]
    request = tool.request(tool.prepare({"q": "x"}))
    assert request.url == (
        "https://shop.example/buy?api_key=mine-api_key&access_token=mine-access_token&sort_key=name"
    )
    assert dict(request.headers)["X-Org"] == "acme"
    wanted = {"user": {"password": "mine-password"}, "max_tokens": "100", "token": "x"}
    assert body(request) == wanted


def test_no_variable_of_the_environment_gets_into_the_host():
    _, message = refused(file("{base_url: 'https://${KEY}.shop.example', path: /x}"))
    assert message == "no host name has a '$' in it"
