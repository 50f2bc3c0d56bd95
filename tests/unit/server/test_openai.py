"""The page of functions is made anew when something in it has changed, and not kept for ever."""

import json
from dataclasses import replace

from gateway.domain.agents import Agent, Agents, Part
from gateway.domain.catalog import Catalog
from gateway.domain.combined import combined
from gateway.domain.identity import ANONYMOUS, OPERATOR, Identity
from gateway.domain.listing import Listing
from gateway.domain.policy import NO_POLICY
from gateway.domain.tool import Tool, ToolRef
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server import openai


def tool(name, text=""):
    definition = {"name": name, "description": text, "inputSchema": {"type": "object"}}
    return Tool(ToolRef("b", name), definition)


def snapshot(*tools):
    return Snapshot(1, Catalog([Listing("b", "", tools)]))


def told(page, caller):
    found = page(caller)
    return found() if callable(found) else found


def test_a_page_is_the_same_until_a_tool_changes():
    kept, current = tool("a"), Current(snapshot(tool("a")))
    current.swap(snapshot(kept, tool("c")))
    page = openai.Functions(current)
    first = told(page, ANONYMOUS)
    current.swap(snapshot(*current.get().catalog))
    assert told(page, ANONYMOUS) is first
    current.swap(snapshot(kept, tool("c", "new")))
    (_, changed) = json.loads(told(page, ANONYMOUS).body)["tools"]
    assert changed["function"]["description"] == "new"
    assert json.loads(told(page, OPERATOR).body) == json.loads(told(page, ANONYMOUS).body)


def test_what_takes_long_is_left_to_a_thread_and_what_is_known_is_not():
    """Ten thousand functions take 100 ms, in which nobody else was answered."""
    page = openai.Functions(Current(snapshot(tool("a"))))
    assert callable(page(ANONYMOUS))
    first = told(page, ANONYMOUS)
    assert page(ANONYMOUS) is first


def test_pages_of_many_callers_are_not_kept_for_ever():
    page = openai.Functions(Current(snapshot(tool("a"))), most=2_000)
    for number in range(50):
        told(page, Identity(str(number)))
    assert len(page._kept) < 20


def test_agents_that_nobody_is_share_one_page():
    """Anybody may claim to be any: that fills no memory, and pushes nobody out."""
    policy = combined(NO_POLICY, Agents({"coder": Agent(Part(("*",)))}), None)
    page = openai.Functions(Current(replace(snapshot(tool("a")), policy=policy)))
    for number in range(50):
        assert json.loads(told(page, Identity("ann", agent=f"ghost-{number}")).body)["tools"] == []
    assert json.loads(told(page, Identity("ann", agent="coder")).body)["tools"]
    assert len(page._kept) == 2
