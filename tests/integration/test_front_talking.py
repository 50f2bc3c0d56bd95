"""What servers say and ask while a request is open, over real HTTP connections."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from gateway.domain.client import Client
from gateway.server.compose import Options
from tests.peers.mcp_http import Events, McpHttp, client
from tests.peers.memory_gateway import Gateway, running
from tests.peers.talking import ELICIT, NAME, Talk, talking

ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}
ACCEPTED = {"action": "accept", "content": {"name": "Ada"}}
PATH = "/mcp/talker"


@contextlib.asynccontextmanager
async def front(**talks: Talk) -> AsyncIterator[tuple[Gateway, McpHttp]]:
    async with (
        running(talking(talks), Options(port=0)) as gateway,
        client(gateway.base, PATH) as http,
        asyncio.timeout(10),
    ):
        yield gateway, http


async def whole(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    """Every message of an answer that is a stream."""
    assert response.status == 200
    assert response.content_type == "text/event-stream", await response.text()
    events, found = Events(response), []
    while (event := await events.next()) is not None:
        if event.data:
            found.append(json.loads(event.data))
    return found


def call(tool: str, **params: Any) -> tuple[str, dict[str, Any]]:
    return "tools/call", {"name": tool, "arguments": {}, **params}


async def answer(http: McpHttp, id: Any, **outcome: Any) -> int:
    """POST a response to a question of the server's."""
    body = {"jsonrpc": "2.0", "id": id, **outcome}
    headers = {"Accept": "application/json, text/event-stream", **http.session}
    async with http.http.post(http.url, json=body, headers=headers) as response:
        return response.status


async def test_an_answer_becomes_a_stream_only_when_something_is_said_before() -> None:
    async with front() as (_, http):
        for era in (http.modern, http.legacy):
            if era == http.legacy:
                await http.initialize()
            async with era(*call("plain")) as response:
                assert response.content_type == "application/json"
                assert (await response.json())["result"]["content"][0]["text"] == "done"
            async with era(*call("report", _meta={"progressToken": "mine"})) as response:
                assert (await whole(response))[-1]["result"]["content"][0]["text"] == "done"


async def test_a_modern_client_hears_progress_and_the_logs_it_asked_for() -> None:
    meta = {"progressToken": "mine", "io.modelcontextprotocol/logLevel": "warning"}
    async with front() as (_, http), http.modern(*call("report", _meta=meta)) as response:
        *told, last = await whole(response)
    assert [one["method"] for one in told] == ["notifications/progress"] * 2 + [
        "notifications/message"
    ]
    assert told[0]["params"] == {"progressToken": "mine", "progress": 1, "total": 2}
    assert told[2]["params"]["level"] == "error"
    assert last["result"]["content"][0]["text"] == "done"


async def test_a_legacy_client_hears_all_logs_until_it_sets_a_level() -> None:
    async with front() as (_, http):
        await http.initialize()
        async with http.legacy(*call("report")) as response:
            *told, _ = await whole(response)
        assert [one["params"]["level"] for one in told] == ["debug", "error"]
        async with http.legacy("logging/setLevel", {"level": "error"}) as response:
            assert (await response.json())["result"] == {}
        async with http.legacy(*call("report")) as response:
            *told, _ = await whole(response)
        assert [one["params"]["level"] for one in told] == ["error"]
        async with http.legacy("logging/setLevel", {"level": "loud"}) as response:
            assert (await response.json())["error"]["code"] == -32602


async def test_a_legacy_client_is_asked_on_the_stream_of_its_request() -> None:
    async with front() as (_, http):
        await http.initialize()
        await http.initialize()  # another session, whose answers count for nothing here
        other, http.session = http.session, {}
        async with http.legacy("initialize", initialize()) as response:
            http.session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
        async with http.legacy(*call("greet"), id="call") as response:
            events = Events(response)
            primed = await events.next()
            assert primed is not None
            assert (primed.id, primed.data) == ("1-0", "")
            question = await events.message()
            assert question["method"] == ELICIT
            assert question["params"] == NAME
            own, http.session = http.session, other
            assert await answer(http, question["id"], result={"action": "cancel"}) == 202
            http.session = own
            assert await answer(http, "unknown", result={}) == 202
            assert await answer(http, question["id"], result=ACCEPTED) == 202
            last = await events.message()
            assert last["id"] == "call"
            assert last["result"]["content"][0]["text"] == f"hello {json.dumps(ACCEPTED)}"
            assert await answer(http, question["id"], result={"action": "cancel"}) == 202


def initialize(**capabilities: Any) -> dict[str, Any]:
    return {"protocolVersion": "2025-11-25", "capabilities": capabilities or ABLE}


async def opened(http: McpHttp, **capabilities: Any) -> None:
    async with http.legacy("initialize", initialize(**capabilities)) as response:
        http.session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}


async def test_a_legacy_client_may_refuse() -> None:
    async with front() as (_, http):
        await opened(http)
        async with http.legacy(*call("greet")) as response:
            events = Events(response)
            question = await events.message()
            await answer(http, question["id"], error={"code": -1, "message": "no thanks"})
            last = await events.message()
        assert last["result"]["isError"]
        assert "no thanks" in last["result"]["content"][0]["text"]


async def test_the_end_of_its_session_ends_what_a_client_was_asked() -> None:
    async with front() as (_, http):
        await opened(http)
        async with http.legacy(*call("greet")) as response:
            events = Events(response)
            await events.message()
            async with http.http.delete(http.url, headers=http.session) as deleted:
                assert deleted.status == 204
            assert await events.next() is None


async def test_a_cancelled_legacy_call_withdraws_its_question() -> None:
    async with front() as (_, http):
        await opened(http)
        async with http.legacy(*call("greet"), id=5) as response:
            events = Events(response)
            question = await events.message()
            async with http.legacy("notifications/cancelled", {"requestId": 5}, None) as cancelled:
                assert cancelled.status == 202
            told = await events.message()
            assert told["method"] == "notifications/cancelled"
            assert told["params"]["requestId"] == question["id"]
            assert await events.next() is None


async def test_a_legacy_client_that_lost_its_stream_takes_it_up_again() -> None:
    """What it missed, the question that was asked meanwhile, and the final answer."""
    lost = asyncio.Event()

    async def patient(client: Client) -> str:
        client.notify("notifications/message", {"level": "info", "data": "begun"})
        await lost.wait()
        client.notify("notifications/message", {"level": "info", "data": "missed"})
        return json.dumps(await client.ask(ELICIT, NAME))

    async with front(patient=patient) as (_, http):
        await opened(http)
        async with http.legacy(*call("patient"), id=5) as response:
            events = Events(response)
            await events.next()
            begun = await events.next()
            assert begun is not None
            response.close()
        lost.set()
        async with http.stream(begun.id) as events:
            assert (await events.message())["params"]["data"] == "missed"
            question = await events.message()
            assert await answer(http, question["id"], result=ACCEPTED) == 202
            last = await events.message()
            assert last["id"] == 5
            assert json.loads(last["result"]["content"][0]["text"]) == ACCEPTED
            assert await events.next() is None
        async with http.stream(begun.id) as events:
            replayed = [await events.message() for _ in range(3)]
            assert replayed[-1] == last
            assert await events.next() is None


async def test_nobody_else_can_take_up_a_stream() -> None:
    async with front() as (_, http):
        await opened(http)
        async with http.legacy(*call("report")) as response:
            await whole(response)
        await opened(http)
        headers = {"Accept": "text/event-stream", "Last-Event-ID": "1-0", **http.session}
        async with http.http.get(http.url, headers=headers) as response:
            assert response.status == 400


async def test_a_batch_shares_one_stream() -> None:
    async with front() as (_, http):
        async with http.legacy(
            "initialize", {**initialize(), "protocolVersion": "2025-03-26"}
        ) as response:
            http.session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
        batch = [
            {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool}}
            for id, tool in ((1, "report"), (2, "greet"), (3, "plain"))
        ]
        headers = {"Accept": "application/json, text/event-stream", **http.session}
        async with http.http.post(http.url, json=batch, headers=headers) as response:
            events = Events(response)
            said = [await events.message() for _ in range(3)]
            (question,) = [one for one in said if one.get("method") == ELICIT]
            assert await answer(http, question["id"], result=ACCEPTED) == 202
            last = await events.next()
            assert last is not None
            assert {one["id"] for one in json.loads(last.data)} == {1, 2, 3}


async def test_a_modern_client_that_goes_away_cancels_the_call_behind_its_stream() -> None:
    """I21."""
    cancelled = asyncio.Event()

    async def endless(client: Client) -> str:
        client.notify("notifications/progress", {"progressToken": 0, "progress": 1})
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return ""

    async with front(endless=endless) as (_, http):
        async with http.modern(*call("endless", _meta={"progressToken": 1})) as response:
            assert (await Events(response).message())["method"] == "notifications/progress"
            response.close()
        await cancelled.wait()


async def test_a_parked_call_outlives_the_connection_on_which_it_was_asked() -> None:
    able = {"io.modelcontextprotocol/clientCapabilities": ABLE}
    async with front() as (gateway, first):
        async with first.modern(*call("greet", _meta=able)) as response:
            result = (await response.json())["result"]
        await first.http.close()
        answers = dict.fromkeys(result["inputRequests"], ACCEPTED)
        retry = call(
            "greet", inputResponses=answers, requestState=result["requestState"], _meta=able
        )
        async with client(gateway.base, PATH) as second, second.modern(*retry, id=2) as response:
            assert (await response.json())["result"]["content"][0]["text"].startswith("hello")
