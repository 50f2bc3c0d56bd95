"""A step that goes on at a URL an earlier step was given: as it is, at our own origin, or not."""

import json

import pytest

from gateway.capability.examples.checking import check
from gateway.errors import BadResponse, Reached
from gateway.http.message import HttpResponse
from tests.unit.capability.flows import Played, answer, faults, loaded, tool_of

UPLOAD = """
args: {name: {type: string, required: true}, digest: {type: string}}
steps:
  - {id: start, post: "/{{ args.name }}/uploads/", response: {map: {at: {header: Location}}}}
  - id: send
    put: "{{ steps.start.at }}"
    query: {digest: "{{ args.digest }}"}
    text: "{{ args.name }}"
    response: {map: {at: {header: Location}, code: {status: true}}}
response: {map: {at: $.send.at, code: $.send.code}}
"""
ORIGIN = "https://api.example.com"


def uploaded(location, tool=UPLOAD, **args):
    """`location` None: the answer has none."""
    told = {} if location is None else {"location": location}
    answers = [HttpResponse(202, told, b""), HttpResponse(201, {"location": "/done"}, b"")]
    return Played(tool_of(tool), answers, name="n", **args)


@pytest.mark.parametrize(
    "location",
    [
        "/v1/n/uploads/7?_state=a%2Fb%3D%3D~x&y",
        "/other/prefix?x",
        "/",
        "/a//b/?",
        "/a%2fb;v=1/(c)/*'!,$:@",
        "/%zz?%",
        "/x?a=[1]&b=/?:@",
        "/x?a+b",
    ],
)
def test_a_path_is_sent_as_it_was_given(location):
    played = uploaded(location)
    assert [one.url for one in played.requests] == [
        f"{ORIGIN}/v1/n/uploads/",
        f"{ORIGIN}{location}",
    ]
    assert played.requests[1].method == "PUT"
    assert played.value == {"at": "/done", "code": 201}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "HTTPS://API.example.com:443",
        "http://api.example.com",  # as it is called behind a proxy that ends TLS
    ],
)
def test_a_url_of_our_own_origin_is_followed_there(url):
    assert uploaded(f"{url}/x?s=%41").requests[1].url == f"{ORIGIN}/x?s=%41"
    assert uploaded(f"{url}?s=1").requests[1].url == f"{ORIGIN}/?s=1"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "/x?digest=sha%3A1"),
        ("/x?s=1", "/x?s=1&digest=sha%3A1"),
        ("/x?", "/x?digest=sha%3A1"),
        ("/x?s=1&", "/x?s=1&digest=sha%3A1"),
        ("/x?digest=old", "/x?digest=old&digest=sha%3A1"),
    ],
)
def test_the_steps_own_query_comes_behind_what_the_url_has(location, url):
    assert uploaded(location, digest="sha:1").requests[1].url == ORIGIN + url


def test_our_own_key_in_it_is_not_shown_twice():
    played = uploaded("/x?a=1&key=s3cret&b=2&k%65y=x")
    assert played.requests[1].url == f"{ORIGIN}/x?a=1&b=2"


def test_the_files_own_query_is_not_added_to_what_the_api_gives():
    text = UPLOAD.replace("post:", "query: {own: 1}, post:")
    assert uploaded("/x", text).requests[1].url == f"{ORIGIN}/x"


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://evil.example/x", "leads to another origin, https://evil.example"),
        ("https://api.example.com.evil.example/x", "leads to another origin"),
        ("https://api.example.com@evil.example/x", "leads to another origin"),
        ("https://api.example.com:8443/x", "leads to another origin"),
        ("http://api.example.com:443/x", "leads to another origin"),
        ("http://169.254.169.254/latest", "leads to another origin"),
        ("https://u:p@api.example.com/x", "holds a user name"),
        ("https://@api.example.com/x", "holds a user name"),
        ("https://api.example.com:x/", "is no URL"),
        ("https://[::1/x", "is no URL"),
        ("//evil.example/x", "is neither a URL nor a path that starts with '/'"),
        ("//api.example.com/x", "is neither a URL nor a path that starts with '/'"),
        ("uploads/7", "is neither a URL nor a path that starts with '/'"),
        ("?x=1", "is neither a URL nor a path that starts with '/'"),
        ("ftp://api.example.com/x", "is neither a URL nor a path that starts with '/'"),
        ("javascript:alert(1)", "is neither a URL nor a path that starts with '/'"),
        ("/x#part", "has a fragment"),
        ("/x#", "has a fragment"),
        ("/\\evil.example", "holds a character that no URL has"),
        ("/x\r\nX-Evil: 1", "holds a character that no URL has"),
        ("/x\ty", "holds a character that no URL has"),
        ("/a b", "holds a character that no URL has"),
        ("/größe", "holds a character that no URL has"),
        ("/{{ secrets.key }}", "holds a character that no URL has"),
        ("/a/../b", "has a path that is refused"),
        ("/a/%2e%2e/b", "has a path that is refused"),
        ("/a/%252e%252e%252fb", "has a path that is refused"),
        ("/a/..%5cb", "has a path that is refused"),
        ("/a/..;/b", "has a path that is refused"),
        ("/a/./b", "has a path that is refused"),
        ("https://api.example.com/..", "has a path that is refused"),
        ("/" + "x" * 70_000, "is no URL"),
        ("", "is no URL"),
        (None, "is missing: no answer gave a URL to go on at"),
    ],
)
def test_what_leads_anywhere_else_is_not_sent(location, why):
    """I47, I48: it is data, and no better than an argument."""
    played = uploaded(location)
    assert isinstance(played.error, BadResponse)
    assert f"steps.start.at {why}" in str(played.error)
    assert "(step send; completed: start)" in str(played.error)
    assert "start was carried out already" in played.error.hint
    assert len(played.requests) == 1


@pytest.mark.parametrize("value", [7, True, ["/x"], {"url": "/x"}])
def test_what_is_no_text_is_no_url(value):
    text = "steps:\n  - {id: a, get: /a}\n  - {id: b, get: '{{ steps.a.at }}'}"
    played = Played(tool_of(text), [answer({"at": value})])
    assert "steps.a.at is no URL" in str(played.error)


def test_any_method_and_any_place_of_an_answer_will_do():
    for method in ("get", "post", "put", "patch", "delete", "head"):
        text = f"steps:\n  - {{id: a, get: /a}}\n  - {{id: b, {method}: '{{{{ steps.a.up[0] }}}}'}}"
        played = Played(tool_of(text), [answer({"up": ["/x?y"]}), answer({})])
        assert (played.requests[1].method, played.requests[1].url) == (
            method.upper(),
            f"{ORIGIN}/x?y",
        )
        assert played.requests[1].route == f"{method.upper()} {ORIGIN}/{{steps.a.up[0]}}"


def test_of_two_steps_the_one_that_ran_gives_the_url():
    text = """
args: {old: {type: boolean, default: false}}
steps:
  - {id: a, get: /a, when: args.old}
  - {id: b, get: /b, when: not args.old}
  - {id: c, put: "{{ steps.a.at | default(steps.b.at) }}"}
"""
    for old in (True, False):
        played = Played(tool_of(text), [answer({"at": "/x"}), answer({})], old=old)
        assert played.requests[1].url == f"{ORIGIN}/x"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{{ args.id }}", "only an earlier step can give the URL of a request: args.id cannot"),
        ("{{ vars.x }}", None),
        ("{{ secrets.key }}", "secrets.key cannot"),
        ("{{ steps.a.at ~ args.id }}", "args.id cannot"),
        ("{{ 'https://evil.example/' }}", "this is none of its values"),
        ("{{ rest }}", "rest cannot"),
        ("{{ steps.a.at }}/more", "the URL of an earlier step stands alone"),
        ("{{ steps.a.at }}?x=1", "the URL of an earlier step stands alone"),
        ("{{ steps.a.at }}{{ steps.a.b }}", "the URL of an earlier step stands alone"),
        ("{{ steps.b.at }}", "no step before this one is 'b'"),
        ("{{ steps.c.at }}", "no step before this one is 'c'"),
        ("{{ steps.a.at | segments }}", "the filter 'segments' is for paths only"),
        ("{{ steps.a.at", None),
        ("https://evil.example/", None),
    ],
)
def test_only_an_earlier_step_can_give_a_whole_url(target, message):
    text = f"""
args: {{id: {{type: string, required: true}}}}
steps:
  - {{id: a, get: "/a/{{{{ args.id }}}}"}}
  - {{id: b, put: {json.dumps(target)}}}
  - {{id: c, get: /c}}
"""
    found = faults(text)
    assert list(found) == ["steps[1].put"]
    assert message is None or message in found["steps[1].put"]


def test_a_tool_of_one_request_has_a_path():
    for target in ("{{ steps.a.at }}", "{{ args.id }}"):
        text = f"args: {{id: {{type: string, required: true}}}}\nget: {json.dumps(target)}"
        assert "get" in faults(text)


def test_examples_compare_the_url_that_was_given():
    text = f"""{UPLOAD}
examples:
  - args: {{name: n, digest: "d:1"}}
    requests: [{{method: POST}}, {{method: PUT, url: "{ORIGIN}/u?s=%20&digest=d%3A1"}}]
    replies: [{{status: 202, headers: {{Location: "/u?s=%20"}}}}, {{status: 201}}]
    result: {{code: 201}}
  - args: {{name: n}}
    replies: [{{status: 202, headers: {{Location: "https://evil.io/u"}}}}]
    error: "steps.start.at leads to another origin, https://evil.io (step send; completed: start)"
"""
    assert check(loaded(text)) == ()
    wrong = check(loaded(text.replace("/u?s=%20&digest", "/u?s=+&digest")))
    assert [issue.path for issue in wrong] == ["tools.t.examples[0].requests[1].url"]


def test_a_step_that_was_not_sent_says_what_was():
    played = uploaded("https://evil.example/x")
    assert played.error.reached is Reached.COMPLETED
