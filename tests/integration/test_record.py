"""`capgate record` and `capgate validate --live`, against a real HTTP peer that changes."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.peers.web import serving

SECRET = "s3cret-value-99"
FILE = """\
# The shop's own API.
capability: 1
name: shop
description: A shop   # of ours
base_url: http://127.0.0.1:{port}
secrets: {{key: env:SHOP_KEY}}
auth: {{bearer: "{{{{ secrets.key }}}}"}}
tools:
  # one of them
  get_item:
    description: One item.
    args:
      id: {{type: string, required: true}}   # as printed on it
      n: {{type: integer}}
    get: /items/{{{{ args.id }}}}
    query: {{n: "{{{{ args.n }}}}"}}
    response:
      map: {{id: $.id, seen: $.seen, list: $.list}}
    errors:
      - {{status: 404, message: "No item {{{{ args.id }}}}."}}

  buy:
    description: Buy an item.   # it costs
    post: /buy
    json: {{item: 1}}
"""


class Shop:
    """`item` is what it answers, or `response()`; `asked` are the requests it got.

    `meanwhile()` happens while a call runs; while there is a `hold`, it does not end.
    """

    def __init__(self) -> None:
        self.response: Callable[[], web.Response] | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.hold: asyncio.Event | None = None
        self.item: object = {}
        self.status = 200
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.meanwhile()
        if self.hold is not None:
            await self.hold.wait()
        if self.response is not None:
            return self.response()
        seen = request.headers.get("Authorization")
        body = self.item or {"id": 7, "seen": seen, "access_token": "of-theirs", "list": [1, 2]}
        return web.json_response(body, status=self.status)


def run(*words: object, **env: str) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], env={"SHOP_KEY": SECRET, **env})


async def capgate(*words: object, **env: str) -> Result:
    return await asyncio.to_thread(run, *words, **env)


@pytest.fixture
async def shop(tmp_path: Path):
    peer = Shop()
    async with serving(peer.answer) as port:
        file = tmp_path / "shop.yaml"
        file.write_text(FILE.format(port=port))
        yield peer, file


async def test_a_live_call_becomes_an_example_and_comments_stay(shop) -> None:
    peer, file = shop
    before = file.read_text()
    result = await capgate("record", "shop:get_item", "id=a/b", "n=3", "--capabilities", file)
    assert result.exit_code == 0, result.output
    after = file.read_text()
    assert peer.asked == ["GET /items/a%2Fb?n=3"]
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert "seen: Bearer ***" in after
    checked = await capgate("validate", file)
    assert "2 tools, 1 example: all good" in checked.output


async def test_no_secret_of_ours_or_theirs_is_written(shop) -> None:
    _, file = shop
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    for text in (file.read_text(), result.output):
        assert SECRET not in text
        assert "of-theirs" not in text


async def test_a_secret_that_comes_in_pieces_is_not_written(shop) -> None:
    peer, file = shop
    file.write_text(
        f"{file.read_text().rstrip()}\n"
        "  told: {description: Tells., get: /t, response: {as: sse, each: $.t, join: ''}}\n"
    )
    events = [f'data: {{"t": "{SECRET[at : at + 4]}"}}\n\n' for at in range(0, len(SECRET), 4)]
    peer.response = lambda: web.Response(text="".join(events), content_type="text/event-stream")
    before = file.read_text()
    result = await capgate("record", "shop:told", "--capabilities", file)
    assert result.exit_code == 1
    assert "spells a secret of this gateway in pieces" in result.output
    assert file.read_text() == before


async def test_an_argument_that_is_a_secret_is_masked(shop) -> None:
    _, file = shop
    await capgate("record", "shop:get_item", f"id={SECRET}", "--capabilities", file)
    assert SECRET not in file.read_text()


async def test_an_error_of_the_api_is_an_example_too(shop) -> None:
    peer, file = shop
    peer.status = 404
    result = await capgate("record", "shop:get_item", "id=9", "--capabilities", file)
    assert result.exit_code == 0, result.output
    assert "error: No item 9." in file.read_text()
    assert "status: 404" in file.read_text()


async def test_a_long_reply_is_cut_and_the_example_holds(shop) -> None:
    peer, file = shop
    peer.item = {"id": 1, "seen": "x" * 50_000, "list": list(range(5_000))}
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 0, result.output
    assert len(file.read_text()) < 10_000
    assert (await capgate("validate", file)).exit_code == 0


async def test_a_dry_run_shows_the_example_and_writes_nothing(shop) -> None:
    _, file = shop
    before = file.read_bytes()
    result = await capgate("record", "shop:get_item", "id=1", "--dry-run", "--capabilities", file)
    assert "request:" in result.output
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop:get_itme", "id=1"], "did you mean 'get_item'"),
        (["shpo:get_item", "id=1"], "did you mean 'shop'"),
        (["shop:get_item"], "id"),
        (["shop"], "write SERVER:TOOL"),
        (["shop:get_item", "id=1", "--max-reply", "much"], "--max-reply"),
    ],
)
async def test_what_cannot_be_called_is_told_and_nothing_is_sent(shop, words, said) -> None:
    peer, file = shop
    before = file.read_bytes()
    result = await capgate("record", *words, "--capabilities", file)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output
    assert (peer.asked, file.read_bytes()) == ([], before)


async def test_an_api_that_does_not_answer_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(FILE.format(port=9))
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 1
    assert "nothing is recorded: a request got no answer" in result.output
    assert "examples" not in file.read_text()


async def test_what_is_saved_while_a_call_runs_is_not_lost(shop) -> None:
    peer, file = shop
    peer.meanwhile = lambda: file.write_text(f"{file.read_text()}\n# saved meanwhile\n")
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 0, result.output
    assert file.read_text().endswith("\n# saved meanwhile\n")
    assert "examples:" in file.read_text()


async def test_a_tool_that_is_gone_meanwhile_leaves_the_new_file_as_it_is(shop) -> None:
    peer, file = shop
    changed = file.read_text().replace("get_item:", "got_item:")
    peer.meanwhile = lambda: file.write_text(changed)
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 1
    assert "the file has no tool 'get_item'\nThis is the example:" in result.output
    assert file.read_text() == changed


async def test_windows_line_ends_and_links_stay(shop, tmp_path: Path) -> None:
    _, file = shop
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", link)
    assert result.exit_code == 0, result.output
    assert link.is_symlink()
    lines = file.read_bytes().split(b"\n")
    assert all(line.endswith(b"\r") for line in lines[:-1])
    assert b"    examples:\r" in lines


async def test_a_call_that_takes_too_long_is_told_in_a_line(shop) -> None:
    peer, file = shop
    peer.hold = asyncio.Event()
    words = ("record", "shop:get_item", "id=1", "--timeout", "0.2", "--capabilities", file)
    result = await capgate(*words)
    assert result.exit_code == 1
    assert "nothing is recorded: a request got no answer\nno result within 0.2 s" in result.output


async def test_a_file_that_is_refused_is_told_when_its_server_is_not_found(shop) -> None:
    _, file = shop
    file.write_text(f"{file.read_text()}x: [")
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 1
    assert f"{file} is not served: {file}:27:1: not YAML" in result.output


@pytest.mark.parametrize(
    ("body", "type_", "result"),
    [
        (b'{"a": ', "application/json", ""),
        (b"token=abcdef&x=1", "text/plain", "token=***&x=1"),
        ("<a>é</a>".encode(), "application/xml", "<a>é</a>"),
        ("<?xml version='1.0' encoding='latin-1'?><a>é</a>".encode("latin-1"), "text/xml", "é"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "base64: "),
    ],
)
async def test_whatever_an_api_answers_its_example_holds(shop, body, type_, result) -> None:
    peer, file = shop
    peer.response = lambda: web.Response(body=body, content_type=type_)
    file.write_text(file.read_text().replace("map: {id: $.id, seen: $.seen, list: $.list}", "{}"))
    recorded = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert recorded.exit_code == 0, recorded.output
    assert result in file.read_text()
    assert (await capgate("validate", file)).exit_code == 0


async def test_a_file_that_cannot_be_cut_is_not_recorded(shop) -> None:
    peer, file = shop
    peer.response = lambda: web.Response(body=bytes(5000), content_type="application/pdf")
    result = await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    assert result.exit_code == 1
    assert "its reply, 5000 bytes of application/pdf, cannot be cut to 2000" in result.output


async def test_a_live_check_of_what_still_holds_finds_nothing(shop) -> None:
    peer, file = shop
    await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    peer.item = {"id": 8, "seen": "another", "list": [5], "new": True}
    result = await capgate("validate", "--live", file)
    assert result.exit_code == 0, result.output
    assert "1 called live" in result.output


async def test_a_live_check_tells_what_has_drifted_at_its_line(shop) -> None:
    peer, file = shop
    await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    peer.item = {"id": "now-a-text", "list": {"items": []}}
    result = await capgate("validate", "--live", file)
    assert result.exit_code == 1
    assert "live, result.id was a number, is text" in result.output
    assert "live, result.list was a list, is an object" in result.output
    assert "live, result.seen is gone; it was text" in result.output
    assert "tools.get_item.examples[0]" in result.output


async def test_a_live_check_tells_an_error_that_was_none_and_none_that_was(shop) -> None:
    peer, file = shop
    await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    peer.status = 404
    await capgate("record", "shop:get_item", "id=2", "--capabilities", file)
    failing = await capgate("validate", "--live", file)
    assert "live, it fails: No item 1." in failing.output
    peer.status = 200
    fine = await capgate("validate", "--live", file)
    assert "live, it is no error, as here: No item 2." in fine.output


async def test_a_live_check_changes_nothing_unless_told_so(shop) -> None:
    peer, file = shop
    await capgate("record", "shop:buy", "--capabilities", file)
    peer.asked.clear()
    result = await capgate("validate", "--live", "--json", file)
    assert json.loads(result.output)["live"] == {"called": 0, "skipped": 1, "unready": 0}
    assert peer.asked == []
    await capgate("validate", "--live", "--unsafe", file)
    assert peer.asked == ["POST /buy"]


async def test_a_live_check_leaves_out_files_without_their_secrets(shop) -> None:
    peer, file = shop
    await capgate("record", "shop:get_item", "id=1", "--capabilities", file)
    peer.asked.clear()
    result = await capgate("validate", "--live", file, SHOP_KEY="")
    assert "1 left out, because a secret is missing" in result.output
    assert peer.asked == []


@pytest.mark.parametrize("words", [["--unsafe"], ["--json", "--sarif"]])
async def test_options_that_would_do_nothing_are_refused(shop, words) -> None:
    _, file = shop
    result = await capgate("validate", file, *words)
    assert result.exit_code == 2
    assert words[0] in result.output
