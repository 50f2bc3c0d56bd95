"""Policies before the whole gateway: real keys over HTTP, a real MCP server and a real API behind.

What a key may not see is absent from everything it is told, refused on every road, and reads like
what does not exist (I31, I33, I36, I38, I39).
"""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.runtime.waiting import settled
from tests.peers.secured import Secured, secured
from tests.peers.web import serving

KIT = str(Path(__file__).parents[1] / "peers" / "backend_sdk_server.py")
HALF, WHOLE, NONE = "half-canary-0123456789", "whole-canary-0123456789", "none-canary-0123456789"
KEYS = [
    {"name": "half", "key": HALF, "team": "web"},
    {"name": "whole", "key": WHOLE},
    {"name": "none", "key": NONE, "team": "web", "backends": ["nowhere"]},
]
POLICIES: dict[str, Any] = {
    "web": {
        "teams": ["web"],
        "rules": [
            {"backend": "kit", "tool": ["echo", "p*"], "level": "execute"},
            {"backend": "kit", "tool": "hang", "level": "read"},
            {"backend": "shop", "level": "execute"},
        ],
    },
    "never": {"teams": ["w*"], "rules": [{"tool": "pid", "level": "deny"}]},
    "some": {
        "keys": ["half"],
        "rules": [
            {
                "backend": "kit",
                "tool": "echo",
                "level": "deny",
                "when": {"times": {"at_least": 3}},
            }
        ],
    },
    "whole": {"keys": ["whole"], "rules": [{"level": "execute"}]},
}
PATIENCE = 10.0


def settings(policies: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "auth": {"enabled": True, "api_keys": KEYS},
            "policies": POLICIES if policies is None else policies,
            "aliases": {"k": "kit", "b": "bank"},
            "meta_mcp": {"surfaced_tools": ["kit:echo", "kit:pid", "bank:hello"]},
            "backends": {"kit": {"command": [sys.executable, KIT]}},
        }
    )


@contextlib.asynccontextmanager
async def world(folder: Path) -> AsyncIterator[Secured]:
    async with secured(folder, settings(), mock=False) as gateway:
        await settled(gateway.parts.current, 20)
        yield gateway


async def said(
    gateway: Secured, key: str, method: str, params: dict[str, Any], path: str = "/mcp"
) -> str:
    """The body of the answer to a modern request."""
    name = params.get("name", params.get("uri", params.get("taskId")))
    named = {} if name is None else {"Mcp-Name": str(name)}
    async with gateway.asking(key, method, params, path, **named) as answer:
        return await answer.text()


async def meta(gateway: Secured, key: str, called: str, **arguments: Any) -> str:
    params = {"name": f"gateway_{called}", "arguments": arguments}
    return await said(gateway, key, "tools/call", params)


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


async def everything_told(gateway: Secured, key: str) -> str:
    """All lists, searches, hints and suggestions."""
    asked: list[tuple[str, dict[str, Any], str]] = [
        (method, {}, path)
        for path in ("/mcp", "/mcp/kit", "/mcp/shop", "/mcp/k")
        for method in ("tools/list", "prompts/list", "resources/list", "server/discover")
    ]
    wanted: list[tuple[str, dict[str, Any]]] = [("list_servers", {})]
    for server in ("kit", "k", "shop", "ki", "ban", "ba"):
        named: list[dict[str, Any]] = [
            {},
            {"names": ["echo", "pi"]},
            {"names": ["pi"]},
            {"pattern": "?i*"},
        ]
        wanted += [("list_tools", {"server": server, **more}) for more in named]
        wanted += [("invoke", {"server": server, "tool": tool}) for tool in ("pi", "hel", "ech")]
    queries = ("process", "number of the process", "hello", "says", "money ban", "echo", "p i d")
    wanted += [("search_tools", {"query": query, "limit": 50}) for query in queries]
    asked += [("tools/call", call(f"gateway_{tool}", **more), "/mcp") for tool, more in wanted]
    asked += [("tools/call", call(tool), path) for path in ("/mcp", "/mcp/kit") for tool in "ph"]
    return "\n".join([await said(gateway, key, *one) for one in asked])


async def test_what_is_hidden_is_in_no_list_search_hint_or_suggestion(tmp_path: Path) -> None:
    """I33, I39."""
    async with world(tmp_path) as gateway:
        hidden = re.compile(r'\bpid\b|\bbank\b|\bgreet\b|\bmemo\b|"b"')
        for shown in ("pid", "bank", "greet", "memo"):
            assert shown in await everything_told(gateway, WHOLE)
        told = await everything_told(gateway, HALF)
        assert hidden.search(told) is None
        assert '"echo"' in told
        servers = json.loads(
            json.loads(await meta(gateway, HALF, "list_servers"))["result"]["content"][0]["text"]
        )
        assert {one["name"]: one["tools"] for one in servers["servers"]} == {"kit": 2, "shop": 1}
        status, health = await gateway.get("/health", HALF)
        assert status == 200
        assert "bank" not in health


ROADS: list[tuple[str, str, str, str, dict[str, Any]]] = [  # path, hidden, unknown, method, params
    ("/mcp/kit", "pid", "qid", "tools/call", {"name": "@"}),
    ("/mcp/k", "pid", "qid", "tools/call", {"name": "@"}),
    ("/mcp", "pid", "qid", "tools/call", {"name": "@"}),
    ("/mcp", "bank__hello", "bonk__hello", "tools/call", {"name": "@"}),
    ("/mcp/@", "bank", "bonk", "tools/list", {}),
    ("/mcp/@", "bank", "bonk", "tools/call", {"name": "hello"}),
    ("/mcp/@", "b", "z", "tools/list", {}),
    ("/mcp/kit", "greet", "groot", "prompts/get", {"name": "@", "arguments": {"name": "x"}}),
    ("/mcp", "kit__greet", "kit__groot", "prompts/get", {"name": "@"}),
    ("/mcp/kit", "memo://one", "mumo://one", "resources/read", {"uri": "@"}),
    ("/mcp", "memo://one", "mumo://one", "resources/read", {"uri": "@"}),
    ("/mcp", "bank", "bonk", "resources/read", {"uri": "capgate://@/x"}),
    *(
        (path, "greet", "groot", "completion/complete", {"ref": ref, "argument": argument})
        for path in ("/mcp/kit", "/mcp")
        for ref in ({"type": "ref/prompt", "name": "@"}, {"type": "ref/resource", "uri": "x:@"})
        for argument in ({"name": "name", "value": "a"},)
    ),
]
INVOKED = [  # what is hidden, and what does not exist
    (("kit", "pid"), ("kit", "qid")),
    (("k", "pid"), ("k", "qid")),
    (("kit", "PID"), ("kit", "QID")),
    (("KIT", "pid"), ("KOT", "pid")),
    (("bank", "hello"), ("bonk", "hello")),
    (("b", "hello"), ("z", "hello")),
    (("Bank", "hello"), ("Bonk", "hello")),
]


async def test_hidden_and_unknown_read_alike_on_every_road(tmp_path: Path) -> None:
    """I33, I39."""
    async with world(tmp_path) as gateway:
        for path, hidden, unknown, method, params in ROADS:
            answers = []
            for name in (hidden, unknown):
                whole = json.loads(json.dumps(params).replace("@", name))
                text = await said(gateway, HALF, method, whole, path.replace("@", name))
                answers.append(text.replace(name, "NAME"))
            assert answers[0] == answers[1], (path, method)
            assert "error" in answers[0] or answers[0].startswith("not found"), answers[0]


async def test_hidden_and_unknown_read_alike_through_the_meta_tools(tmp_path: Path) -> None:
    """I33, I39."""
    async with world(tmp_path) as gateway:
        for hidden, unknown in INVOKED:
            answers = []
            for server, tool in (hidden, unknown):
                text = await meta(gateway, HALF, "invoke", server=server, tool=tool)
                assert '"isError":true' in text
                for name in (f"'{server}'", f"'{tool}'"):
                    text = text.replace(name, "NAME")
                answers.append(text)
            assert answers[0] == answers[1]
        for tool, more in (("list_tools", {}), ("search_tools", {"query": "hello"})):
            of_hidden = await meta(gateway, HALF, tool, server="bank", **more)
            of_unknown = await meta(gateway, HALF, tool, server="bonk", **more)
            assert of_hidden.replace("bank", "bonk") == of_unknown
        of_alias = await meta(gateway, HALF, "list_tools", server="b")
        assert of_alias.replace("'b'", "'z'") == await meta(gateway, HALF, "list_tools", server="z")


async def test_a_key_may_do_what_its_policies_say_and_no_more(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        good = await said(gateway, HALF, "tools/call", call("echo", text="hi"), "/mcp/kit")
        assert "denied" in good  # nothing shows that it is not asked for three times
        once = call("echo", text="hi", times=2)
        for path in ("/mcp/kit", "/mcp/k", "/mcp"):
            assert "hihi" in await said(gateway, HALF, "tools/call", once, path)
        for times in (3, "3", True):
            text = await said(gateway, HALF, "tools/call", call("echo", text="hi", times=times))
            assert "policies.some.rules[0]" not in text
            assert "(denied; not_sent)" in text
        seen = await said(gateway, HALF, "tools/call", call("hang"), "/mcp/kit")
        assert "'half' may not call tool 'hang' of server 'kit' (denied; not_sent)" in seen
        everything = await said(gateway, WHOLE, "tools/call", call("pid"), "/mcp/kit")
        assert '"isError":true' not in everything
        assert "error" not in json.loads(everything)


async def test_a_key_for_no_server_sees_none(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        assert "no servers yet" in await meta(gateway, NONE, "list_servers")
        for path in ("/mcp/kit", "/mcp/shop", "/mcp/nothing"):
            assert (await said(gateway, NONE, "tools/list", {}, path)).startswith("not found")
        listed = json.loads(await said(gateway, NONE, "tools/list", {}))["result"]["tools"]
        assert {one["name"][:8] for one in listed} == {"gateway_"}


GATED = """\
capability: 1
name: slow
description: Takes its time
base_url: {base}
tools:
  wait:
    description: Waits.
    post: /wait
"""


async def test_a_right_taken_away_ends_with_the_next_call(tmp_path: Path) -> None:
    """I36: the call in flight ends, the next one is refused within a second, by handle and by name;
    what was listed before leads nowhere.
    """
    entered, gate = asyncio.Event(), asyncio.Event()

    async def api(_: web.Request) -> web.Response:
        entered.set()
        await gate.wait()
        return web.json_response({"done": True})

    allowed = settings({"all": {"everyone": True, "rules": [{"level": "execute"}]}})
    never = settings({"all": {"everyone": True, "rules": [{"backend": "shop", "level": "read"}]}})
    async with (
        serving(api) as port,
        secured(tmp_path, allowed, (), mock=False) as gateway,
        gateway.client(HALF) as client,
        gateway.client(HALF, path="/kit") as direct,
    ):
        file = tmp_path / "capabilities" / "slow.yaml"
        file.write_text(GATED.format(base=f"http://127.0.0.1:{port}"))
        await settled(gateway.parts.current, 20)
        await until(gateway, lambda text: "Waits" in text, "slow")
        assert "echo" in [tool.name for tool in (await direct.list_tools()).tools]
        wanted = {"server": "slow", "tool": "wait"}
        in_flight = asyncio.create_task(client.call_tool("gateway_invoke", wanted))
        async with asyncio.timeout(PATIENCE):
            await entered.wait()
        loop = asyncio.get_running_loop()
        began = loop.time()
        gateway.save(never)
        await until(gateway, lambda text: "no server 'slow'" in text, "slow")
        assert loop.time() - began <= 1.0
        again = await client.call_tool("gateway_invoke", wanted)
        assert "server_not_found" in again.content[0].text  # type: ignore[union-attr]
        with pytest.raises(Exception, match="Not Found"):
            await direct.call_tool("echo", {"text": "hi"})
        gate.set()
        result = await in_flight
        assert result.structured_content == {"done": True}


async def until(gateway: Secured, reached: Any, server: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached(await meta(gateway, HALF, "list_tools", server=server)):
            await asyncio.sleep(0.01)


async def test_one_key_never_gets_what_was_worked_out_for_another(tmp_path: Path) -> None:
    """I38: by turns and at once."""
    async with world(tmp_path) as gateway:

        async def asked(key: str) -> tuple[int, str]:
            listed = json.loads(await said(gateway, key, "tools/list", {}, "/mcp/kit"))
            return len(listed["result"]["tools"]), await meta(gateway, key, "list_servers")

        async def pair() -> None:
            half, whole = await asyncio.gather(asked(HALF), asked(WHOLE))
            assert half[0] == 2
            assert whole[0] > 2
            assert "bank" not in half[1]
            assert "bank" in whole[1]

        await asyncio.gather(*(pair() for _ in range(20)))
