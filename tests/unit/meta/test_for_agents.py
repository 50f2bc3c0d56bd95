"""The meta-tools where agents have rules: as which one they are called, and what is told of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway import errors
from gateway.domain.agents import Agent, Agents, Part
from gateway.domain.combined import combined
from gateway.domain.events import CallFinished, Event, MetaFinished
from gateway.domain.identity import ANONYMOUS, Grant, Identity
from gateway.domain.policy import NO_POLICY
from gateway.domain.tokens import estimate_tokens
from gateway.domain.tool import ToolResult
from gateway.errors import Denied, GatewayError, InvalidAgent, InvalidArguments, NoFallbackAgent
from gateway.meta import META_TOOLS, for_agents
from gateway.meta.codes import code, structured
from gateway.runtime.road import Road
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.surface import MetaSurface
from tests.peers.memory_gateway import snapshot, tool

TOOLS = {
    "db": [tool("db", "get_one"), tool("db", "drop_all")],
    "mail": [tool("mail", "send")],
    "notes": [tool("notes", "write")],
}
RULES = {
    "reader": Agent(Part(("db", "mail")), Part((), {"db": ("drop_*",)})),
    "writer": Agent(Part(("notes",))),
}
SURFACE = MetaSurface(META_TOOLS)


def held(rules: Agents | None = None, default: str | None = None) -> Snapshot:
    policy = combined(NO_POLICY, rules or Agents(RULES), default)
    found = snapshot(1, TOOLS)
    every = [one for tools in TOOLS.values() for one in tools]
    return replace(found, policy=policy, index=found.index.updated((), every))


def a_view(events: list[Event] | None = None, who: Identity = ANONYMOUS, **held_by: Any) -> View:
    observe = (events if events is not None else []).append
    return View(held(**held_by), observe, who)


async def ask(view: View, name: str, **arguments: Any) -> Any:
    result = await SURFACE.call(view, f"gateway_{name}", arguments)
    assert isinstance(result, ToolResult)
    return json.loads(result.content[0]["text"])


async def invoke(view: View, server: str, tool: str, **more: Any) -> Any:
    return await ask(view, "invoke", server=server, tool=tool, **more)


def test_agent_id_stands_in_the_four_schemas_only_where_agents_have_rules() -> None:
    plain = View(snapshot(1, TOOLS), print)
    assert "agent_id" not in json.dumps(SURFACE.definitions(plain))
    for definition in SURFACE.definitions(a_view()):
        assert "agent_id" in definition["inputSchema"]["properties"]
        assert "agent_id" not in definition["inputSchema"].get("required", [])
        assert SURFACE.definition(a_view(), definition["name"]) == definition


def test_without_agents_the_four_definitions_cost_at_most_250_tokens() -> None:
    plain = SURFACE.definitions(View(snapshot(1, TOOLS), print))
    size = len(json.dumps(plain, separators=(",", ":")))
    assert size <= 1_085  # o200k counts 240 tokens in 1,044 bytes
    named = len(json.dumps(SURFACE.definitions(a_view()), separators=(",", ":")))
    assert estimate_tokens(named - size) <= 90


def test_that_agents_have_rules_is_a_change_of_the_list() -> None:
    plain = View(snapshot(1, TOOLS), print)
    changed = "notifications/tools/list_changed"
    assert SURFACE.seen(plain, changed) != SURFACE.seen(a_view(), changed)
    assert SURFACE.seen(a_view(), changed) == SURFACE.seen(a_view(), changed)


def test_a_definition_for_agents_leaves_the_plain_one_as_it_is() -> None:
    before = json.dumps(META_TOOLS[0].definition)
    assert for_agents(META_TOOLS[0].definition) != META_TOOLS[0].definition
    assert json.dumps(META_TOOLS[0].definition) == before


async def test_without_rules_agent_id_is_ignored() -> None:
    events: list[Event] = []
    view = View(snapshot(1, TOOLS), events.append, Identity("ci", agent="ghost"))
    assert await invoke(view, "db", "drop_all", agent_id="whoever") == {}
    assert await ask(view, "list_tools", server="db", agent_id=5)
    assert [event.who.agent for event in events if isinstance(event, CallFinished)] == [None]


async def test_each_agent_lists_searches_and_calls_what_it_may() -> None:
    view = a_view()
    servers = (await ask(view, "list_servers", agent_id="reader"))["servers"]
    assert [(one["name"], one["tools"]) for one in servers] == [("db", 1), ("mail", 1)]
    listed = (await ask(view, "list_tools", server="db", agent_id="reader"))["tools"]
    assert [one["name"] for one in listed] == ["get_one"]
    for query in ("drop all", "write notes"):
        found = (await ask(view, "search_tools", query=query, agent_id="reader"))["matches"]
        assert not {one["tool"] for one in found} & {"drop_all", "write"}
    assert await invoke(view, "db", "get_one", agent_id="reader", arguments={"text": "a"})
    assert await invoke(view, "notes", "write", agent_id="writer", arguments={"text": "a"})


@pytest.mark.parametrize(
    ("server", "tool", "rule"),
    [
        ("db", "drop_all", "agents.reader.deny.tools.db[0]"),
        ("db", "drop_it", "agents.reader.deny.tools.db[0]"),  # there is none
        ("notes", "write", "agents.reader.allow.servers"),
        ("ghost", "write", "agents.reader.allow.servers"),  # there is none
    ],
)
async def test_a_denied_tool_reads_the_same_whether_there_is_one(
    server: str, tool: str, rule: str
) -> None:
    with pytest.raises(Denied) as caught:
        await invoke(a_view(), server, tool, agent_id="reader")
    error = caught.value
    assert str(error) == f"agent 'reader' may not call tool {tool!r} of server {server!r}"
    assert error.rule == rule
    assert error.hint is None
    said = json.loads(structured(error))["error"]
    assert said == {"code": "DENIED_BY_POLICY", "message": str(error), "rule": rule}


@pytest.mark.parametrize("server", ["notes", "ghost"])
@pytest.mark.parametrize("asked", ["list_tools", "search_tools"])
async def test_a_denied_server_reads_the_same_whether_there_is_one(asked: str, server: str) -> None:
    more = {"query": "write"} if asked == "search_tools" else {}
    with pytest.raises(Denied) as caught:
        await ask(a_view(), asked, server=server, agent_id="reader", **more)
    assert str(caught.value) == f"agent 'reader' may not use server {server!r}"
    assert caught.value.rule == "agents.reader.allow.servers"
    assert caught.value.hint is None


async def test_who_names_no_agent_acts_as_the_fallback_and_may_still_name_another() -> None:
    view = a_view(rules=Agents(RULES, deny_on_missing=False), default="reader")
    assert view.identity.agent == "reader"
    assert await invoke(view, "db", "get_one") == {}
    assert await invoke(view, "notes", "write", agent_id="writer") == {}
    with pytest.raises(Denied):
        await invoke(view, "notes", "write", agent_id="")


async def test_who_names_no_agent_and_has_no_fallback_is_told_what_to_give() -> None:
    for rules, kind in ((Agents(RULES), InvalidAgent), (Agents(RULES, False), NoFallbackAgent)):
        for asked in (("list_servers", {}), ("search_tools", {"query": "x"})):
            with pytest.raises(InvalidAgent) as caught:
                await ask(a_view(rules=rules), asked[0], **asked[1])
            assert type(caught.value) is kind
            assert "agent_id" in caught.value.explain()


async def test_an_agent_that_the_header_pins_is_not_exchanged_by_agent_id() -> None:
    pinned = Identity("anonymous", agent="reader")
    assert await invoke(a_view(who=pinned), "db", "get_one") == {}
    assert await invoke(a_view(who=pinned), "db", "get_one", agent_id="reader") == {}
    with pytest.raises(InvalidAgent):
        await invoke(a_view(who=pinned), "notes", "write", agent_id="writer")


async def test_a_key_acts_as_the_agents_that_it_lists() -> None:
    key = Identity("ci", grant=Grant(agents=("read*",)))
    assert await invoke(a_view(who=key), "db", "get_one", agent_id="reader") == {}
    with pytest.raises(InvalidAgent):
        await invoke(a_view(who=key), "notes", "write", agent_id="writer")


async def test_agent_id_that_is_no_text_is_refused() -> None:
    view = a_view(rules=Agents(RULES, deny_on_missing=False), default="reader")
    with pytest.raises(InvalidArguments, match="agent_id must be text"):
        await ask(view, "list_servers", agent_id=["reader"])


async def test_what_is_told_of_a_call_names_the_agent_that_it_was_made_as() -> None:
    events: list[Event] = []
    view = a_view(events)
    await invoke(view, "db", "get_one", agent_id="reader")
    await ask(view, "list_servers", agent_id="writer")
    with pytest.raises(InvalidAgent):
        await ask(view, "list_servers", agent_id="ghost")
    call, listed, refused = events
    assert isinstance(call, CallFinished)
    assert (call.who.agent, call.rule) == ("reader", "agents.reader.allow.servers[0]")
    assert isinstance(listed, MetaFinished)
    assert listed.who.agent == "writer"
    assert isinstance(refused, MetaFinished)
    assert (refused.who.agent, refused.outcome) == (None, "invalid_agent")
    assert refused.arguments["agent_id"] == "ghost"


async def test_a_tools_own_agent_id_is_its_own() -> None:
    view = a_view()
    said = await invoke(view, "db", "get_one", agent_id="reader", arguments={"agent_id": "7"})
    assert said == {"agent_id": "7"}


def all_errors(kind: type[GatewayError]) -> list[type[GatewayError]]:
    return [kind, *(one for each in kind.__subclasses__() for one in all_errors(each))]


def test_every_error_has_a_code_and_those_of_agent_mcp_gateway_have_its() -> None:
    made = {kind: kind.__new__(kind) for kind in all_errors(errors.GatewayError)}
    codes = {kind: code(error) for kind, error in made.items()}
    assert codes[errors.Denied] == "DENIED_BY_POLICY"
    assert codes[errors.BackendUnavailable] == "SERVER_UNAVAILABLE"
    assert codes[errors.SessionLost] == "SERVER_UNAVAILABLE"
    assert codes[errors.AuthorizationNeeded] == "SERVER_UNAVAILABLE"
    assert codes[errors.CircuitOpen] == "SERVER_UNAVAILABLE"
    assert codes[errors.ToolNotFound] == "TOOL_NOT_FOUND"
    assert codes[errors.DeadlineExceeded] == "TIMEOUT"
    assert codes[errors.InvalidAgent] == "INVALID_AGENT_ID"
    assert codes[errors.FallbackAgentUnknown] == "FALLBACK_AGENT_NOT_IN_RULES"
    assert codes[errors.NoFallbackAgent] == "NO_FALLBACK_CONFIGURED"
    assert codes[errors.RateLimited] == "RATE_LIMITED"
    assert all(found == found.upper() for found in codes.values())


def test_an_error_that_no_rule_made_has_none() -> None:
    said = json.loads(structured(InvalidArguments("no argument 'x'")))
    assert said == {"error": {"code": "INVALID_ARGUMENTS", "message": "no argument 'x'"}}


def test_rights_of_a_refused_caller_hide_every_server() -> None:
    view = a_view()
    assert dict(view.backends) == {}
    assert view.rights.refusal is not None


async def test_names_that_nobody_has_push_nothing_out_of_what_is_kept() -> None:
    found = held()
    reader = Identity("anonymous", agent="reader")
    kept = found.sight(reader)
    for number in range(3_000):
        assert View(found, print, Identity("anonymous", agent=f"ghost{number}")).rights.refusal
    assert found.sight(reader) is kept


async def test_who_guesses_names_of_agents_is_counted_like_anybody_else() -> None:
    counted: list[str] = []
    view = a_view()
    road = Road(lambda who, _limit: counted.append(who.name))
    view = View(replace(view.snapshot, road=road), lambda _event: None, view.identity)
    for guess in ("ghost", "admin"):
        with pytest.raises(InvalidAgent):
            await invoke(view, "db", "get_one", agent_id=guess)
    assert len(counted) == 2
