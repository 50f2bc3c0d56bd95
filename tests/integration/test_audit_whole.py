"""One line for each request that came in, whatever became of it."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

from mcp import Client

from tests.peers.audited import (
    KEYS,
    asking,
    audited,
    calling,
    each,
    gives_up,
)
from tests.peers.programs import CAPGATE, ROOT, environment

MANY = 10_000
INVOKE = "gateway_invoke"


def meta(name: str, meta_tool: str, /, **arguments: object) -> bytes:
    return calling(name, meta_tool, arguments, path="/mcp")


def invoked(name: str, server: str, tool: str, **more: object) -> bytes:
    return meta(name, INVOKE, server=server, tool=tool, **more)


KINDS = {  # how they begin, and what becomes of them
    "good": (lambda name: calling(name, "get", {"id": 7}), {"ok"}),
    "meta_good": (lambda name: invoked(name, "shop", "get", arguments={"id": 7}), {"ok"}),
    "failing": (lambda name: calling(name, "get", {"id": 404}), {"upstream_error"}),
    "invalid": (lambda name: calling(name, "get", {"id": "x"}), {"invalid_arguments"}),
    "unknown": (lambda name: calling(name, "got", {}), {"tool_not_found"}),
    "unknown_server": (lambda name: invoked(name, "shops", "get"), {"server_not_found"}),
    "unknown_meta": (lambda name: meta(name, "gateway_nothing"), {"tool_not_found"}),
    "hidden": (lambda name: calling(name, "wipe", {}), {"tool_not_found"}),
    "denied": (lambda name: calling(name, "get", {"id": 7}, key="cat"), {"denied"}),
    "limited": (lambda name: calling(name, "get", {"id": 7}, key="bob"), {"rate_limited", "ok"}),
    "listed": (lambda name: meta(name, "gateway_list_servers"), {"ok"}),
    "searched": (lambda name: meta(name, "gateway_search_tools", query="item"), {"ok"}),
    "bad_meta": (lambda name: meta(name, "gateway_search_tools"), {"invalid_arguments"}),
    "prompt": (lambda name: asking(name, "greet"), {"ok"}),
    "no_prompt": (lambda name: asking(name, "nothing"), {"upstream_error"}),
    "late": (
        lambda name: invoked(name, "shop", "hold", arguments={"name": name}, timeout_ms=60),
        {"timeout"},
    ),
}
FEW = {
    "late": 300,
    "prompt": 400,
    "no_prompt": 5,
    "limited": 300,
}  # the SDK takes a third of a second to log a prompt that it has not
GONE = 200


async def test_ten_thousand_mixed_calls_are_ten_thousand_lines_i46(tmp_path: Path) -> None:
    left = MANY - sum(FEW.values()) - GONE
    others = [kind for kind in KINDS if kind not in FEW]
    names = [f"{kind}-{n}" for kind, count in FEW.items() for n in range(count)]
    names += [f"{others[n % len(others)]}-{n}" for n in range(left)]
    random.Random(46).shuffle(names)
    requests = {name: KINDS[name.partition("-")[0]][0](name) for name in names}
    async with audited(tmp_path) as gateway:
        await asyncio.gather(*(gives_up(gateway, f"gone-{n}") for n in range(GONE // 2)))
        seen = await each(gateway.port, requests)
        await asyncio.gather(*(gives_up(gateway, f"gone-{n}") for n in range(GONE // 2, GONE)))
        lines = await gateway.until(MANY)
    lines = gateway.lines
    assert len(lines) == MANY
    assert [line["seq"] for line in lines] == list(range(1, MANY + 1))
    assert len({line["id"] for line in lines}) == MANY
    told = {line["request"]: line["outcome"] for line in lines}
    expected = {**seen, **{f"gone-{n}": "cancelled" for n in range(GONE)}}
    assert Counter(told.values()) == Counter(expected.values())
    assert told == expected
    for name, found in seen.items():
        assert found in KINDS[name.partition("-")[0]][1], name
    assert min(Counter(told.values()).values()) > 100


async def test_a_line_says_who_asked_for_what(tmp_path: Path) -> None:
    async with audited(tmp_path, "arguments: true") as gateway:
        requests = {
            "call": calling("call", "get", {"id": 7}),
            "meta": meta("meta", "gateway_search_tools", query="item"),
            "query": asking("query", "greet"),
            "hidden": calling("hidden", "wipe", {}),
            "denied": calling("denied", "get", {"id": 7}, key="cat"),
        }
        for name, sent in requests.items():
            await each(gateway.port, {name: sent}, 1)
        lines = {line["request"]: line for line in await gateway.until(5)}
    call = lines["call"]
    expected = {"op": "call", "key": "ann", "team": "web", "org": "acme", "decision": "allow"}
    expected |= {"backend": "shop", "tool": "get", "arguments": {"id": 7}, "outcome": "ok"}
    assert {name: call[name] for name in expected} == expected
    assert call["bytes_in"] == len(requests["call"].partition(b"\r\n\r\n")[2])
    assert call["bytes_out"] > 10
    assert 0 < call["ms"] < 10_000
    assert (lines["meta"]["op"], lines["meta"]["tool"]) == ("meta", "gateway_search_tools")
    query = lines["query"]
    assert (query["op"], query["backend"], query["method"], query["about"]) == (
        *("query", "peer", "prompts/get", "greet"),
    )
    denied = lines["denied"]
    assert (denied["decision"], denied["key"], denied["outcome"]) == ("deny", "cat", "denied")
    assert denied["rule"]
    hidden = lines["hidden"]
    assert (hidden["decision"], hidden["outcome"]) == ("deny", "tool_not_found")
    assert hidden["rule"] == "auth.api_keys.ann.denied_tools[0]"


async def test_a_legacy_client_is_audited_as_well(tmp_path: Path) -> None:
    async with audited(tmp_path, keys=False) as gateway:
        url = f"http://127.0.0.1:{gateway.port}/mcp/shop"
        for mode in ("legacy", "auto"):
            async with Client(url, mode=mode) as client:
                await client.call_tool("get", {"id": 7})
        lines = await gateway.until(2)
    assert [(line["tool"], line["outcome"], line["key"]) for line in lines] == [
        *(("get", "ok", "anonymous"), ("get", "ok", "anonymous"))
    ]


async def test_no_secret_is_in_the_audit_i42(tmp_path: Path) -> None:
    ann = KEYS["ann"]
    hidden = {"password": "hunter2-canary", "nested": [{"apiKey": "hunter2-canary"}]}
    arguments = {"id": ann, **hidden, "json": json.dumps(hidden), f"{ann}": 1}
    async with audited(tmp_path, "arguments: true") as gateway:
        requests = {
            "call": calling("call", "get", arguments),
            "name": calling("name", f"get {ann}", {}),
            "meta": meta("meta", INVOKE, server=f"s-{ann}", tool=ann, arguments=arguments),
            "search": meta("search", "gateway_search_tools", query=f"Bearer {ann}"),
            "query": asking("query", f"greet-{ann}"),
            f"id-{ann}": calling(f"id-{ann}", "get", {"id": 7}),
        }
        await each(gateway.port, requests, 1)
        assert len(await gateway.until(len(requests))) == len(requests)
        text = gateway.file.read_text()
    assert "canary" not in text
    assert text.count("***") > 10


async def test_hostile_words_forge_no_line_i45(tmp_path: Path) -> None:
    forged = '"}\n{"seq":99,"op":"call"}\u2028\x1b[2J\u202e'
    async with audited(tmp_path, "arguments: true") as gateway:
        requests = {
            "1": meta("1", INVOKE, server=forged, tool=forged, arguments={forged: forged}),
            forged: calling(forged, "get", {"id": forged}),
        }
        assert set((await each(gateway.port, requests, 1)).values()) == {
            *("server_not_found", "invalid_arguments")
        }
        lines = await gateway.until(2)
        text = gateway.file.read_text("utf-8")
    assert text.count("\n") == len(text.splitlines()) == 2
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert {line["request"] for line in lines} == {"1", forged}


async def test_a_command_of_the_operator_is_audited(tmp_path: Path) -> None:
    async with audited(tmp_path, keys=False) as gateway:
        await each(gateway.port, {"1": calling("1", "get", {"id": 7})}, 1)
        for words in (("call", "shop:get", "id=7"), ("call", "shop:get", "id=404")):
            await command(tmp_path, *words)
        await command(tmp_path, "tools")
        await each(gateway.port, {"2": calling("2", "get", {"id": 7})}, 1)
        lines = await gateway.until(4)
    assert [(line["key"], line["outcome"]) for line in lines] == [
        *(("anonymous", "ok"), ("operator", "ok")),
        *(("operator", "upstream_error"), ("anonymous", "ok")),
    ]
    assert len({line["instance"] for line in lines}) == 3


async def command(folder: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(*CAPGATE, words[0], "-c", str(folder / "gateway.yaml")),
        *("--capabilities", str(folder / "capabilities"), *words[1:]),
        cwd=ROOT,
        env=environment({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()
