"""Sessions whose server expires, dies, or is of an older SDK."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from gateway.errors import GatewayError
from gateway.transports.stdio import Stdio
from tests.peers import mcp1
from tests.peers.mcp_server_fixture import at, called, opened, piped, serving, text
from tests.peers.mcp_server_scripted import Events, Front

V1 = Path(__file__).parents[1] / "peers" / "mcp_server_v1.py"


async def test_fifty_calls_at_an_expired_http_session_open_another_one() -> None:
    events = Events()
    with serving("legacy") as url:
        async with opened(at(url), events) as session, aiohttp.ClientSession() as http:
            await called(session, "test_simple_text")
            transport = session._transport
            before = transport._requests.session
            headers = {"Mcp-Session-Id": before, "MCP-Protocol-Version": "2025-11-25"}
            async with http.delete(url, headers=headers) as ended:
                assert ended.status in (200, 204)
            names = [f"echo {number}" for number in range(50)]
            found = await asyncio.gather(
                *(called(session, "test_echo", {"text": name}) for name in names)
            )
            assert all(n in each.raw.decode() for n, each in zip(names, found, strict=True))
            assert transport._requests.session not in (before, None)
            await session.watch(frozenset({"test://watched-resource"}))
            await called(session, "test_trigger_resource_change")
            while not events.sayings:  # the standing stream is that of the new session
                events.heard.clear()
                await events.heard.wait()
    assert events.losses == []


async def test_a_program_that_is_killed_fails_its_calls_and_is_told_once() -> None:
    events, front = Events(), Front()
    async with opened(piped("dual"), events) as session:
        params = {"_meta": {"progressToken": 1}}
        calls = [
            asyncio.create_task(called(session, "test_wait", client=front, params=params))
            for _ in range(5)
        ]
        while len(front.told) < len(calls):
            await asyncio.sleep(0.01)
        os.kill(session._transport._process.pid, signal.SIGKILL)
        async with asyncio.timeout(2):
            found = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, GatewayError) for each in found)
        assert len(events.losses) == 1
        with pytest.raises(GatewayError):
            await called(session, "test_simple_text")


async def test_a_server_of_the_older_sdk_is_talked_to_in_its_era() -> None:
    front = Front(
        {"elicitation": {}, "roots": {}},
        modern=True,
        log_level="info",
        answers={
            "elicitation/create": {"action": "accept", "content": {"name": "Ann"}},
            "roots/list": {"roots": [{"uri": "file:///home"}]},
        },
    )
    kind = Stdio((str(await asyncio.to_thread(mcp1.install)), str(V1)))
    async with opened(kind) as session:
        assert session.revision.version == "2025-11-25"
        assert session.instructions == "of old"
        params = {"_meta": {"progressToken": "p"}}
        assert text(await called(session, "greet", client=front, params=params)) == "hello Ann"
        assert [method for method, _ in front.told] == [
            "notifications/progress",
            "notifications/message",
        ]
        assert text(await called(session, "roots", client=front)) == "file:///home"
        assert text(await called(session, "roots", client=Front())) == ""
        await session.ping()
