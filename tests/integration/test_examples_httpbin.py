"""examples/httpbin: what the whole gateway sends, as httpbin saw it, and how it reads answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from mcp import Client

from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway

EXAMPLE = ROOT / "examples" / "httpbin"
TOKEN = "t0ken-canary-6b1f"
PASSWORD = "pass word? canary"  # it goes into a path, too

HOSTILE = (
    "../../admin",
    "..",
    "%2e%2e%2f",
    "a/b",
    "a?x=1",
    "a#f",
    "a;b",
    "a&word=b",
    "//evil",
    "http://169.254.169.254/",
    "naïve ü 日本 🦊",
    "{{7*7}}",
    "{%",
    '"},"admin":true,{"',
    "' OR 1=1",
    "+ %20 %",
)


@pytest.fixture(scope="module")
def served(httpbin: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"HTTPBIN_URL": httpbin.url, "HTTPBIN_TOKEN": TOKEN, "HTTPBIN_PASSWORD": PASSWORD}
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield program


async def invoke(served: Program, ref: str, **arguments: Any) -> Any:
    server, _, tool = ref.partition(":")
    async with Client(f"{served.url}/mcp") as client:
        return await client.call_tool(
            "gateway_invoke", {"server": server, "tool": tool, "arguments": arguments}
        )


async def result(served: Program, tool: str, **arguments: Any) -> Any:
    """The structured result of a call that must succeed."""
    found = await invoke(served, f"httpbin:{tool}", **arguments)
    assert not found.is_error, found.content
    return found.structured_content


async def refusal(served: Program, tool: str, **arguments: Any) -> str:
    """What a call that must fail says."""
    found = await invoke(served, f"httpbin:{tool}", **arguments)
    assert found.is_error
    assert found.structured_content is None
    return found.content[0].text


# -- what goes out ------------------------------------------------------------------------------


async def test_lists_objects_and_headers_arrive_as_written(served: Program) -> None:
    seen = await result(
        served,
        "echo_query",
        words=["one", "two"],
        filter={"colour": "blue", "size": 3},
        note="hello",
    )
    assert seen == {
        "query": {
            "word": ["one", "two"],
            "filter[colour]": "blue",
            "filter[size]": "3",
            "source": "capgate",
        },
        "note": "hello",
    }


async def test_what_is_not_given_is_not_sent(served: Program) -> None:
    assert await result(served, "echo_query") == {"query": {"source": "capgate"}}


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_hostile_value_stays_one_value(served: Program, value: str) -> None:
    """I47: in a query, a form and JSON, read by somebody else's parser."""
    words = (await result(served, "echo_query", words=[value, "x"]))["query"]["word"]
    form = await result(served, "echo_form", name=value)
    body = await result(served, "echo_json", title=value)
    assert words == [value, "x"]
    assert form == {"name": value}
    assert body["title"] == value
    assert set(body) == {"title", "slug"}


async def test_a_line_end_cannot_leave_a_header(served: Program) -> None:
    """I47: refused, and nothing is sent."""
    said = await refusal(served, "echo_query", note="a\r\nX-Evil: 1")
    assert "not_sent" in said


async def test_absent_and_null_differ_in_json(served: Program) -> None:
    given = await result(served, "echo_json", title="A b", owner=None, tags=[], size=0)
    assert given == {
        "title": "A b",
        "details": {"tags": [], "size": 0},
        "owner": None,
        "slug": "a-b",
    }


async def test_a_form_repeats_the_name_of_a_list(served: Program) -> None:
    form = await result(served, "echo_form", name="x", colours=["red", "blue"])
    assert form == {"name": "x", "colour": ["red", "blue"]}


# -- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (404, "Nothing is there."),
        (418, "It is a teapot: http://tools.ietf.org/html/rfc2324"),
        (500, "500"),
        (403, "403"),
    ],
)
async def test_a_status_is_told_in_the_rules_words_or_by_number(
    served: Program, code: int, said: str
) -> None:
    assert said in await refusal(served, "get_status", code=code)


async def test_a_rule_can_make_an_empty_result_of_a_status(served: Program) -> None:
    assert await result(served, "get_status", code=410) == {}


async def test_a_success_without_a_body_is_an_empty_result(served: Program) -> None:
    assert await result(served, "get_status", code=204) == {}


async def test_redirects_on_the_same_server_are_followed(served: Program) -> None:
    assert (await result(served, "follow_redirects", times=3)).endswith("/get")


async def test_a_redirect_to_another_server_is_not_followed(served: Program) -> None:
    """T2: it would take our headers along."""
    port = free_port()
    said = await refusal(served, "leave", to=f"http://127.0.0.1:{port}/secret-place")
    assert "redirect" in said
    assert "secret-place" not in said


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compressed_answers_are_read(served: Program, encoding: str) -> None:
    assert await result(served, "unpack", encoding=encoding) == {encoding: True}


async def test_plain_text_stays_text(served: Program) -> None:
    found = await invoke(served, "httpbin:read_text")
    assert found.content[0].text.startswith("User-agent: *")


async def test_a_late_answer_is_a_timeout_and_harms_nobody(served: Program) -> None:
    before = monotonic()
    said = await refusal(served, "wait", seconds=10)
    assert monotonic() - before < 5
    assert "0.5" in said or "500" in said
    assert await result(served, "wait", seconds=0)


# -- what is kept -------------------------------------------------------------------------------


async def test_an_answer_is_kept_for_its_time(served: Program) -> None:
    assert await result(served, "remembered_uuid") == await result(served, "remembered_uuid")


async def test_an_old_answer_is_revalidated_not_sent_again(
    served: Program, httpbin: Program
) -> None:
    first = await result(served, "revalidated", etag="v1")
    again = await result(served, "revalidated", etag="v1")
    assert first == again
    log = httpbin.log
    assert '"GET /etag/v1 HTTP/1.1" 200' in log
    assert '"GET /etag/v1 HTTP/1.1" 304' in log


# -- secrets ------------------------------------------------------------------------------------


async def test_a_bearer_token_is_accepted_and_blotted_out_of_the_answer(served: Program) -> None:
    """I43: httpbin repeats the token."""
    found = await invoke(served, "bearer:who_am_i")
    assert found.structured_content == {"authenticated": True, "token": "***"}
    assert TOKEN not in found.content[0].text


async def test_user_and_password_are_accepted(served: Program) -> None:
    found = await invoke(served, "basic:who_am_i")
    assert found.structured_content["authenticated"] is True


async def test_no_secret_shows_in_lists_or_logs(served: Program) -> None:
    """I42."""
    async with Client(f"{served.url}/mcp") as client:
        lists = [
            await client.call_tool("gateway_list_servers", {}),
            await client.call_tool("gateway_list_tools", {"server": "bearer"}),
            await client.call_tool("gateway_list_tools", {"server": "basic"}),
        ]
    shown = "".join(each.content[0].text for each in lists) + served.log
    assert "who_am_i" in shown
    assert TOKEN not in shown
    assert PASSWORD not in shown


async def test_a_missing_secret_is_named_and_costs_only_its_own_tools(
    httpbin: Program, tmp_path: Path
) -> None:
    environ = {"HTTPBIN_URL": httpbin.url, "HTTPBIN_TOKEN": "", "HTTPBIN_PASSWORD": PASSWORD}
    with gateway(tmp_path / "log", EXAMPLE / "capabilities", environ=environ) as served:
        async with Client(f"{served.url}/mcp") as client:
            listed = await client.call_tool("gateway_list_servers", {})
        refused = await invoke(served, "bearer:who_am_i")
        fine = await invoke(served, "basic:who_am_i")
    statuses = {
        each["name"]: each["status"] for each in json.loads(listed.content[0].text)["servers"]
    }
    assert statuses["httpbin"] == statuses["basic"] == "ok"
    assert "env:HTTPBIN_TOKEN" in statuses["bearer"]
    assert "missing secret env:HTTPBIN_TOKEN" in refused.content[0].text
    assert not fine.is_error


def test_the_readme_says_what_happens(httpbin: Program) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        assert capgate(words, {"HTTPBIN_URL": httpbin.url}) == answer
