"""Two gateways: one in which rules hide most, one in which what they hide is not there. Whoever has
the key cannot tell them apart, whatever is asked, byte for byte (I33, I39).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime.waiting import settled
from tests.peers.listing_mcp import COMMAND
from tests.peers.secured import Secured, secured

KEY = "insider-canary-0123456789"
ALL = {
    "tools": ["get_one", "get_two", "put_one", "drop_all", "report", "reporter"],
    "prompts": ["greet", "review", "blame"],
    "resources": ["mem://a/one", "mem://a/two", "mem://b/one"],
    "templates": ["mem://a/{x}", "mem://c/{x}"],
}
SEEN = {
    "tools": ["get_one", "get_two", "report"],
    "prompts": ["greet"],
    "resources": ["mem://a/one", "mem://a/two"],
    "templates": ["mem://a/{x}"],
}
SERVERS = ("git", "gitlab", "mail", "bank")
NAMED = (*SERVERS, "g", "k", "bonk", "Git")
POLICY = {
    "keys": ["insider"],
    "rules": [
        {"backend": "git", "tool": "get_*", "prompt": "greet", "level": "execute"},
        {"backend": "git", "resource": "mem://a/*", "level": "execute"},
        {"backend": "git", "tool": "report", "level": "read"},
        {"backend": "bank", "level": "execute"},
        {"backend": "bank", "level": "deny"},
    ],
}
RULES = {
    "agents": {
        "bot": {
            "allow": {"servers": ["*"], "tools": {"gitlab": []}},
            "deny": {"servers": ["mail"], "tools": {"*": ["drop_*", "put_*"]}},
        }
    }
}
OF_BOT = {**ALL, "tools": ["get_one", "get_two", "report", "reporter"]}

Question = tuple[str, str, dict[str, Any]]  # path, method and params


def configured(servers: dict[str, Any], aliases: dict[str, str], more: dict[str, Any]) -> str:
    key = {"name": "insider", "key": KEY, "agents": ["bot"]}
    return json.dumps(
        {
            "auth": {"enabled": True, "api_keys": [key]},
            "aliases": aliases,
            "meta_mcp": {"surfaced_tools": ["git:get_one", "mail:drop_all"]},
            "backends": {
                name: {"command": COMMAND[0], "args": [*COMMAND[1:], json.dumps(offered)]}
                for name, offered in servers.items()
            },
            **more,
        }
    )


def questions() -> Iterator[Question]:
    for path in ("/mcp", *(f"/mcp/{name}" for name in NAMED)):
        for method, params in of_a_url():
            yield path, method, params
    for name in NAMED:
        yield meta("list_tools", server=name)
        yield meta("list_tools", server=name, names=["drop_al", "get_one"])
        yield meta("search_tools", query="drop one report", server=name)
        for tool in (*ALL["tools"], "drop_al"):
            yield meta("invoke", server=name, tool=tool, arguments="{}")
    yield meta("list_servers")
    for query in ("get one", "one get two", "drop", "repo", "reporte", "git mail", "bank", "zzz"):
        yield meta("search_tools", query=query, limit=50)


def of_a_url() -> Iterator[tuple[str, dict[str, Any]]]:
    lists = ("tools", "prompts", "resources", "resources/templates")
    for method in (*(f"{one}/list" for one in lists), "server/discover", "acme/anything"):
        yield method, {}
    for name in (*ALL["tools"], "drop_al", "reporte"):
        yield "tools/call", {"name": name, "arguments": {}}
    merged = [f"{server}__{name}" for server in SERVERS for name in ALL["prompts"]]
    for name in (*ALL["prompts"], "greeet", *merged):
        yield "prompts/get", {"name": name}
        yield "completion/complete", completing("prompt", name=name)
    odd = ("mem://b/%6fne", "mem://z/one", *(f"capgate://{name}/mem://b/one" for name in NAMED))
    for uri in (*ALL["resources"], *odd):
        yield "resources/read", {"uri": uri}
    for uri in ALL["templates"]:
        yield "completion/complete", completing("resource", uri=uri, name="greet")


def completing(kind: str, **ref: str) -> dict[str, Any]:
    return {"ref": {"type": f"ref/{kind}", **ref}, "argument": {"name": "x", "value": ""}}


def meta(called: str, **arguments: Any) -> Question:
    return "/mcp", "tools/call", {"name": f"gateway_{called}", "arguments": arguments}


async def told(gateway: Secured, **headers: str) -> dict[str, tuple[int, str]]:
    """The answer to each question, and what the pages say."""
    await settled(gateway.parts.current, 20)
    found = {}
    for path, method, params in questions():
        name = params.get("name", params.get("uri"))
        named = headers if name is None else {**headers, "Mcp-Name": name}
        async with gateway.asking(KEY, method, params, path, **named) as answer:
            asked = f"{path} {method} {json.dumps(params)}"
            found[asked] = answer.status, await answer.text()
    for page in ("/openai/tools", "/health", "/metrics", "/mcp/bank/x"):
        status, text = await gateway.get(page, KEY, **headers)
        found[page] = status, re.sub(r"[\d.]+", "0", text)
    return found


@pytest.mark.parametrize("who", ["key", "agent"])
async def test_what_is_hidden_cannot_be_told_from_what_is_not_there(
    tmp_path: Path, who: str
) -> None:
    if who == "key":
        more: dict[str, Any] = {"policies": {"p": POLICY}}
        left, headers = {"git": SEEN}, {}
    else:
        more, headers = {"agent_rules": "rules.json"}, {"X-Agent-Id": "bot"}
        left = {"git": OF_BOT, "bank": OF_BOT}
    answers = []
    worlds = (dict.fromkeys(SERVERS, ALL), {"g": "git", "k": "mail"}), (left, {"g": "git"})
    for number, (servers, aliases) in enumerate(worlds):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "rules.json").write_text(json.dumps(RULES))
        async with secured(folder, configured(servers, aliases, more), (), mock=False) as gateway:
            answers.append(await told(gateway, **headers))
    hidden, absent = answers
    assert len(hidden) > 400
    assert {asked: hidden[asked] for asked in hidden if hidden[asked] != absent[asked]} == {}
    reached = [text for _, text in hidden.values() if "REACHED" in text]
    assert len(reached) > 10
    beyond = r"drop_|put_" if who == "agent" else r"drop_|put_|report|blame|review|mem://[bc]"
    assert [text for text in reached if re.search(beyond, text)] == []
