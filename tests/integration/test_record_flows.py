"""`capgate record` and `validate --live` of pages, jobs, steps and streams, against a real peer."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from gateway.capability.file.yaml import parse
from gateway.cli import cli
from tests.peers.flowing import FlowingApi
from tests.peers.web import serving

SECRET = "s3cret-value-99"
FILE = """\
capability: 1
name: api
description: Lists, jobs and people   # of ours
base_url: {url}
secrets: {{key: env:API_KEY}}
tools:
  cursor:
    description: Things, by cursor.
    args: {{size: {{type: integer}}}}
    get: /things
    query: {{size: "{{{{ args.size }}}}", key: "{{{{ secrets.key }}}}"}}
    paginate: {{items: $.items, cursor: {{from: $.next, query: at}}}}
  link:
    description: Things, by Link.
    get: /things
    paginate: {{items: $.items, link: true}}
  offset:
    description: Things, by offset; a short page is the last.
    get: /things
    paginate: {{items: $.items, offset: {{query: at}}, size: {{query: size, value: 40}}}}
  job:
    description: Runs a job and waits for its rows.
    post: /jobs
    poll: {{every: 10ms}}
    response: {{select: "$.rows"}}
  message:
    description: Sends somebody a message.
    steps:
      - {{id: who, get: /people, response: {{select: "$.people[0]"}}}}
      - {{id: dm, post: "/people/{{{{ steps.who.id }}}}/messages", json: {{text: hi}}}}
    response: {{map: {{id: $.dm.id, to: $.who.name}}}}
"""
STREAMS = """\
capability: 1
name: api
description: Streams
base_url: http://127.0.0.1:{port}
tools:
  sse:
    description: Words, one after the other.
    get: /sse
    response: {{as: sse, each: $.word, join: " "}}
  lines:
    description: Words, one a line.
    get: /lines
    response: {{as: ndjson, each: $.word}}
"""


async def capgate(*words: object) -> Result:
    given = [str(word) for word in words]
    return await asyncio.to_thread(CliRunner().invoke, cli, given, env={"API_KEY": SECRET})


async def record(file: Path, tool: str, *words: object) -> dict[str, Any]:
    """Gives the example as the file has it then."""
    result = await capgate("record", f"api:{tool}", *words, "--capabilities", file)
    assert result.exit_code == 0, result.output
    return last_example(file, tool)


def last_example(file: Path, tool: str) -> dict[str, Any]:
    tree = parse(file.read_bytes(), str(file)).tree
    return tree["tools"][tool]["examples"][-1]


@pytest.fixture
async def api(tmp_path: Path):
    peer = FlowingApi(things=100)
    async with peer.serving() as url:
        file = tmp_path / "api.yaml"
        file.write_text(FILE.format(url=url))
        yield peer, file


@pytest.mark.parametrize(
    ("words", "requests"),
    [
        (["cursor", "size=30"], 4),
        (["link"], 5),
        (["offset"], 3),
        (["job"], 3),
        (["message"], 2),
    ],
)
async def test_a_call_of_several_requests_becomes_an_example_that_holds(
    api, words, requests
) -> None:
    peer, file = api
    example = await record(file, *words)
    sent = [request.get("method", "GET") for request in example["requests"]]
    assert sent == [asked.partition(" ")[0] for asked in peer.asked]
    assert len(example["replies"]) == len(sent) == requests
    assert SECRET not in file.read_text()
    checked = await capgate("validate", file)
    assert "1 example: all good" in checked.output


async def test_pages_are_cut_where_that_changes_no_request_and_else_left_whole(api) -> None:
    peer, file = api
    cut = await record(file, "cursor", "size=30", "--max-reply", 60)
    assert [len(reply["json"]["items"]) < 30 for reply in cut["replies"]] == [True] * 4
    whole = await record(file, "offset", "--max-reply", 60)
    assert [len(reply["json"]["items"]) for reply in whole["replies"]] == [40, 40, 20]
    assert whole["result"] == peer.things
    assert "all good" in (await capgate("validate", file)).output


async def test_replies_that_are_too_large_to_be_left_whole_are_not_recorded(api) -> None:
    peer, file = api
    peer.things = ["x" * 2000 for _ in range(100)]
    result = await capgate("record", "api:offset", "--capabilities", file)
    assert result.exit_code == 1
    assert "lead elsewhere" in result.output
    assert "examples" not in file.read_text()


async def test_a_live_check_plays_flows_again_and_tells_what_has_drifted_once(api) -> None:
    peer, file = api
    await record(file, "cursor", "size=30")
    await record(file, "message")
    fine = await capgate("validate", "--live", "--unsafe", file)
    assert "2 called live): all good" in fine.output, fine.output
    peer.things = [str(each) for each in peer.things]
    drifted = json.loads((await capgate("validate", "--live", "--json", file)).output)
    messages = [issue["message"] for issue in drifted["issues"]]
    assert messages == ["live, result[0] was a number, is text"]
    assert drifted["live"] == {"called": 1, "skipped": 1, "unready": 0}


async def test_streams_become_examples_with_whole_events(tmp_path: Path) -> None:
    words = [json.dumps({"word": f"w{index}"}) for index in range(200)]

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/sse":
            text = "".join(f"data: {word}\n\n" for word in words)
            return web.Response(text=text, content_type="text/event-stream")
        return web.Response(text="\n".join(words), content_type="application/x-ndjson")

    async with serving(answer) as port:
        file = tmp_path / "api.yaml"
        file.write_text(STREAMS.format(port=port))
        sse = await record(file, "sse", "--max-reply", 70)
        lines = await record(file, "lines", "--max-reply", 70)
        assert sse["result"] == "w0 w1 w2"
        assert lines["reply"]["text"] == "".join(f"{word}\n" for word in words[:4])
        assert "2 called live): all good" in (await capgate("validate", "--live", file)).output
