"""The four meta-tools over a small catalogue, with a route that echoes."""

import asyncio
import json
from types import MappingProxyType

import pytest

from gateway.domain.call import Call
from gateway.domain.catalog import Catalog
from gateway.domain.events import CallFinished, Event
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.search import Index
from gateway.domain.tool import Tool, ToolRef, ToolResult
from gateway.errors import BackendNotFound, DeadlineExceeded, InvalidArguments, ToolNotFound
from gateway.meta import META_TOOLS, meta_tools
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from tests.peers.hostile import spent


def a_tool(backend: str, name: str, description: str, **properties: object) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    return Tool(
        ToolRef(backend, name),
        {"name": name, "description": description, "inputSchema": schema},
    )


WEATHER = (
    a_tool(
        "weather",
        "current_weather",
        "Current temperature at a place. Free, no key.",
        city={"type": "string"},
        units={"enum": ["celsius", "fahrenheit"]},
    ),
    a_tool("weather", "forecast", "Weather forecast for a week.", city={"type": "string"}),
)
MAIL = (a_tool("mail", "send_message", "Send an e-mail.", to={"type": "string"}),)


async def echo(call: Call) -> ToolResult:
    text = json.dumps({"tool": str(call.tool.ref), "arguments": call.arguments})
    return ToolResult(({"type": "text", "text": text},), structured=text.encode())


async def hang(_: Call) -> ToolResult:
    await asyncio.Event().wait()
    raise AssertionError


def a_view(events: list[Event] | None = None) -> View:
    listings = (
        Listing("weather", "Forecasts", WEATHER),
        Listing("mail", "Mail", MAIL, Health(Status.DEGRADED, "missing secret env:MAIL_KEY")),
    )
    snapshot = Snapshot(
        version=1,
        catalog=Catalog(listings),
        index=Index.empty().updated((), (*WEATHER, *MAIL)),
        routes=MappingProxyType({"weather": echo, "mail": hang}),
    )
    return View(snapshot, (events if events is not None else []).append)


async def ask(name: str, arguments: dict[str, object], view: View | None = None) -> ToolResult:
    chosen = next(tool for tool in META_TOOLS if tool.definition["name"] == name)
    return await chosen.call(view or a_view(), arguments)


def read(result: ToolResult) -> dict[str, object]:
    assert result.structured is None, "lists and searches have no second copy"
    (block,) = result.content
    found: dict[str, object] = json.loads(block["text"])
    return found


def test_the_four_definitions_fit_their_budget() -> None:
    size = len(json.dumps([tool.definition for tool in META_TOOLS], separators=(",", ":")))
    assert size <= 1_100


def test_no_schema_names_agent_id_without_agents() -> None:
    assert "agent_id" not in json.dumps([tool.definition for tool in META_TOOLS])


async def test_servers_are_listed_with_status_and_tool_count() -> None:
    answer = read(await ask("gateway_list_servers", {}))
    assert answer == {
        "servers": [
            {
                "name": "mail",
                "description": "Mail",
                "tools": 1,
                "status": "degraded (missing secret env:MAIL_KEY)",
            },
            {"name": "weather", "description": "Forecasts", "tools": 2, "status": "ok"},
        ]
    }


async def test_without_servers_the_list_says_how_they_come() -> None:
    answer = read(await ask("gateway_list_servers", {}, View(Snapshot(), print)))
    assert answer["servers"] == []
    assert "adds a capability file" in str(answer["note"])


async def test_tools_are_listed_with_whole_definitions() -> None:
    answer = read(await ask("gateway_list_tools", {"server": "weather"}))
    assert answer["tools"] == [tool.definition for tool in WEATHER]
    assert "note" not in answer


async def test_names_and_pattern_choose_tools() -> None:
    named = read(
        await ask("gateway_list_tools", {"server": "weather", "names": ["forecast", "gone"]})
    )
    assert [tool["name"] for tool in named["tools"]] == ["forecast"]  # type: ignore[index,union-attr]
    assert named["missing"] == ["gone"]
    globbed = read(await ask("gateway_list_tools", {"server": "weather", "pattern": "CURRENT_*"}))
    assert [tool["name"] for tool in globbed["tools"]] == ["current_weather"]  # type: ignore[index,union-attr]


async def test_a_single_name_needs_no_list() -> None:
    named = read(await ask("gateway_list_tools", {"server": "weather", "names": "forecast"}))
    assert [tool["name"] for tool in named["tools"]] == ["forecast"]  # type: ignore[index,union-attr]


@pytest.mark.parametrize("names", ["forecast,current_weather", " forecast , current_weather ,"])
async def test_names_may_stand_in_one_text_with_commas(names: str) -> None:
    named = read(await ask("gateway_list_tools", {"server": "weather", "names": names}))
    tools = [tool["name"] for tool in named["tools"]]  # type: ignore[index,attr-defined]
    assert tools == ["current_weather", "forecast"]
    assert "missing" not in named


async def test_a_choice_that_fits_no_tool_names_the_nearest() -> None:
    with pytest.raises(ToolNotFound) as caught:
        await ask("gateway_list_tools", {"server": "weather", "names": ["forcast"]})
    assert caught.value.hint == "did you mean 'forecast'?"


async def test_over_the_budget_only_lines_are_listed_and_the_answer_says_so() -> None:
    answer = read(await ask("gateway_list_tools", {"server": "weather", "max_tokens": 60}))
    assert answer["tools"] == [
        {"name": "current_weather", "description": "Current temperature at a place"},
        {"name": "forecast", "description": "Weather forecast for a week"},
    ]
    assert "within 60 tokens" in str(answer["note"])


async def test_over_a_tiny_budget_the_answer_counts_what_is_left_out() -> None:
    answer = read(await ask("gateway_list_tools", {"server": "weather", "max_tokens": 20}))
    assert len(answer["tools"]) == 1  # type: ignore[arg-type]
    assert str(answer["note"]).startswith("1 of 2 tools shown")


async def test_listing_very_many_tools_looks_only_at_those_that_fit() -> None:
    """It took a tenth of a second of the loop for 10,000 tools."""
    many = tuple(a_tool("many", f"thing_{n}", f"Gives thing {n}.") for n in range(10_000))
    view = View(Snapshot(catalog=Catalog([Listing("many", "", many)])), print)
    with spent() as listing:
        answer = read(await ask("gateway_list_tools", {"server": "many"}, view))
    assert 100 < len(answer["tools"]) < 1000  # type: ignore[arg-type]
    assert listing.seconds < 0.02


async def test_search_answers_with_signature_and_first_sentence() -> None:
    answer = read(await ask("gateway_search_tools", {"query": "current temperature"}))
    matches = answer["matches"]
    assert isinstance(matches, list)
    assert matches[0] == {
        "server": "weather",
        "tool": "current_weather",
        "description": "Current temperature at a place",
        "args": "city: string, units?: celsius|fahrenheit",
    }
    assert answer["query"] == "current temperature"


async def test_search_in_lines_says_the_same_in_fewer_bytes() -> None:
    tool = meta_tools("lines")[2]
    result = await tool.call(a_view(), {"query": "current temperature", "limit": 1})
    assert result.content[0]["text"].splitlines()[0] == (
        "weather.current_weather(city: string, units?: celsius|fahrenheit)"
        " - Current temperature at a place"
    )


@pytest.mark.parametrize(
    "query", ["zzzqqq", "", "the of and", "*", '"NEAR(', "\x00", "x" * 100_000]
)
async def test_a_search_without_match_names_servers(query: str) -> None:
    answer = read(await ask("gateway_search_tools", {"query": query}))
    assert answer["matches"] == []
    assert "weather" in str(answer["note"])


async def test_a_search_without_match_does_not_pick_servers_by_the_alphabet() -> None:
    names = [f"s{number}" for number in range(20)]
    many = Snapshot(catalog=Catalog(tuple(Listing(name, "", ()) for name in names)))
    answer = read(await ask("gateway_search_tools", {"query": "zzz"}, View(many, print)))
    assert answer["note"] == (
        "nothing matches; try other words, or gateway_list_servers names all 20"
    )


@pytest.mark.parametrize("query", ["current temperature", "zzz"])
async def test_a_search_while_servers_are_being_connected_says_that_there_may_be_more(
    query: str,
) -> None:
    connecting = Health(Status.DOWN, "connecting")
    late = [Listing(f"s{number}", "", (), connecting, settled=False) for number in range(10)]
    names = "s0, s1, s2, s3, s4, s5, s6, s7"
    note = f"still being connected: {names} and 2 more; search again in a few seconds"
    catalog = Catalog((Listing("weather", "Forecasts", WEATHER), *late))
    view = View(Snapshot(catalog=catalog, index=Index.empty().updated((), WEATHER)), print)
    assert read(await ask("gateway_search_tools", {"query": query}, view))["incomplete"] == note
    (block,) = (await meta_tools("lines")[2].call(view, {"query": query})).content
    assert block["text"].splitlines()[-1] == note
    settled = {"query": query, "server": "weather"}
    assert "incomplete" not in read(await ask("gateway_search_tools", settled, view))


@pytest.mark.parametrize("more", [{}, {"names": ["x"]}, {"pattern": "x*"}])
async def test_the_tools_of_a_server_that_never_was_up_are_not_said_to_be_none(
    more: dict[str, object],
) -> None:
    view = View(
        Snapshot(catalog=Catalog([Listing("it", "", (), Health(Status.DOWN, "why"))])), print
    )
    answer = read(await ask("gateway_list_tools", {"server": "it", **more}, view))
    assert answer["note"] == "its tools are not known yet: it is down (why)"


async def test_search_on_one_server_stays_there() -> None:
    answer = read(await ask("gateway_search_tools", {"query": "weather send", "server": "mail"}))
    assert {match["server"] for match in answer["matches"]} == {"mail"}  # type: ignore[union-attr,index]


async def test_invoke_hands_on_the_tools_own_result() -> None:
    events: list[Event] = []
    result = await ask(
        "gateway_invoke",
        {"server": "weather", "tool": "forecast", "arguments": {"city": "Ulm"}},
        a_view(events),
    )
    assert result.structured == result.content[0]["text"].encode()
    assert json.loads(result.content[0]["text"]) == {
        "tool": "weather:forecast",
        "arguments": {"city": "Ulm"},
    }
    (finished,) = events
    assert isinstance(finished, CallFinished)
    assert (finished.backend, finished.tool, finished.outcome) == ("weather", "forecast", "ok")


async def test_invoke_reads_arguments_written_as_json_text() -> None:
    result = await ask(
        "gateway_invoke", {"server": "weather", "tool": "forecast", "arguments": '{"city":"Ulm"}'}
    )
    assert '"Ulm"' in result.content[0]["text"]


@pytest.mark.parametrize("given", ["[1]", "text", "[" * 100_000])
async def test_invoke_refuses_arguments_that_are_no_object(given: str) -> None:
    with pytest.raises(InvalidArguments):
        await ask("gateway_invoke", {"server": "weather", "tool": "forecast", "arguments": given})


async def test_invoke_names_the_nearest_tool_and_server() -> None:
    with pytest.raises(ToolNotFound) as tool:
        await ask("gateway_invoke", {"server": "weather", "tool": "curent_weather"})
    assert "current_weather" in str(tool.value.hint)
    with pytest.raises(BackendNotFound) as server:
        await ask("gateway_invoke", {"server": "wether", "tool": "forecast"})
    assert "'weather'" in str(server.value.hint)


@pytest.mark.parametrize("name", ["", "*", "we\u0430ther", "x" * 300, "a\n\x1b[31mb"])
async def test_odd_names_are_not_found_and_not_echoed_raw(name: str) -> None:
    """I26."""
    with pytest.raises(BackendNotFound) as caught:
        await ask("gateway_invoke", {"server": name, "tool": "forecast"})
    text = caught.value.explain()
    assert text.isascii()
    assert "\x1b" not in text
    assert len(text) < 300


async def test_timeout_ms_ends_a_hanging_call_and_says_it_may_have_been_sent() -> None:
    events: list[Event] = []
    with pytest.raises(DeadlineExceeded) as caught:
        await ask(
            "gateway_invoke",
            {"server": "mail", "tool": "send_message", "timeout_ms": 5},
            a_view(events),
        )
    assert "within 5 ms (timeout; sent_unknown)" in caught.value.explain()
    assert [event.outcome for event in events if isinstance(event, CallFinished)] == ["timeout"]


@pytest.mark.parametrize("given", [0, -1, 10**9])
async def test_timeout_ms_out_of_range_is_refused(given: int) -> None:
    with pytest.raises(InvalidArguments):
        await ask("gateway_invoke", {"server": "mail", "tool": "x", "timeout_ms": given})


async def test_an_unknown_argument_names_the_nearest() -> None:
    with pytest.raises(InvalidArguments) as caught:
        await ask("gateway_search_tools", {"query": "x", "limt": 3})
    assert caught.value.hint == "did you mean 'limit'?"


async def test_a_wrong_type_says_which_argument() -> None:
    with pytest.raises(InvalidArguments) as caught:
        await ask("gateway_search_tools", {"query": 5})
    assert caught.value.explain() == (
        "query must be text (invalid_arguments; not_sent)\n"
        "next: the tool takes query: string, limit?: integer, server?: string"
    )


@pytest.mark.parametrize(
    ("tool", "given", "message"),
    [
        ("gateway_search_tools", {}, "query is required"),
        ("gateway_search_tools", {"query": "x", "limit": "many"}, "limit must be a whole number"),
        ("gateway_list_tools", {"server": "mail", "names": [1]}, "names must be a list"),
        ("gateway_invoke", {"server": "mail"}, "tool is required"),
        ("gateway_invoke", {"server": "mail", "tool": "x", "city": "Ulm"}, "no argument 'city'"),
        (
            "gateway_invoke",
            {"server": "mail", "tool": "x", "arguments": [1]},
            "arguments must be an object",
        ),
        ("gateway_list_servers", {"verbose": True}, "no argument 'verbose'"),
    ],
)
async def test_wrong_arguments_are_answered_with_what_the_tool_takes(
    tool: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await ask(tool, given)
    assert str(caught.value) == message
    takes = {
        "gateway_search_tools": "query: string, limit?: integer, server?: string",
        "gateway_list_tools": (
            "server: string, names?: string[], pattern?: string, max_tokens?: integer"
        ),
        "gateway_invoke": "server: string, tool: string, arguments?: object, timeout_ms?: integer",
        "gateway_list_servers": "no arguments",
    }
    assert caught.value.hint == f"the tool takes {takes[tool]}"


async def test_numbers_written_as_text_are_read() -> None:
    answer = read(await ask("gateway_search_tools", {"query": "weather", "limit": "1"}))
    assert len(answer["matches"]) == 1  # type: ignore[arg-type]
