"""Streamable HTTP against the SDK's own server, of both eras and both kinds of answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.errors import SessionLost
from gateway.http.direct import Direct
from gateway.transports.base import Means, Transport
from gateway.transports.http import Http
from tests.peers.mcp_wire_hearer import LEGACY, MODERN, Hearer, called, initialized, result
from tests.peers.mcp_wire_sdk import resumable, served, streamable

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
VERSION = (("MCP-Protocol-Version", LEGACY),)


@contextlib.asynccontextmanager
async def connected(origin: str, hearer: Hearer | None = None) -> AsyncIterator[Transport]:
    http = Direct(public_only=False)
    transport = await Http(f"{origin}/mcp").connect(hearer or Hearer(), Means("wire", http))
    try:
        async with asyncio.timeout(20):
            yield transport
    finally:
        await transport.aclose()
        await http.aclose()


@pytest.mark.parametrize("json_response", [True, False])
async def test_a_legacy_session_is_opened_used_and_ended(*, json_response: bool) -> None:
    async with served(streamable(json_response=json_response)) as origin:
        async with connected(origin) as transport:
            opened = await initialized(transport)
            answer = result(await transport.request(called("echo", text="hi")))
        assert opened["protocolVersion"] == LEGACY
        assert answer["content"] == [{"type": "text", "text": "hi"}]


@pytest.mark.parametrize("json_response", [True, False])
async def test_a_modern_server_is_called_without_a_session(*, json_response: bool) -> None:
    async with (
        served(streamable(json_response=json_response)) as origin,
        connected(origin) as transport,
    ):
        answer = result(await transport.request(called("echo", MODERN, text="hi")))
    assert answer["content"] == [{"type": "text", "text": "hi"}]
    assert answer["resultType"] == "complete"


async def test_what_is_said_on_a_requests_stream_names_the_request() -> None:
    hearer = Hearer()
    async with served(streamable()) as origin, connected(origin, hearer) as transport:
        await initialized(transport)
        out = called("count")
        await transport.request(out)
    heard = [hearer.messages.get_nowait() for _ in range(2)]
    assert [(request, method) for request, method, _ in heard] == [
        (out.id, "notifications/progress")
    ] * 2


async def test_the_standing_stream_brings_what_belongs_to_no_request() -> None:
    hearer = Hearer()
    async with served(streamable()) as origin, connected(origin, hearer) as transport:
        await initialized(transport)
        transport.follow(VERSION)
        heard = None
        while heard is None:  # the stream opens in its own time
            await transport.request(called("change"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    heard = await hearer.messages.get()
        assert heard[:2] == (None, "notifications/tools/list_changed")


async def test_a_stream_closed_before_the_answer_is_taken_up_again() -> None:
    """SEP-1699."""
    async with served(resumable()) as origin, connected(origin) as transport:
        await initialized(transport)
        answer = result(await transport.request(called("break_off")))
    assert answer["content"][0]["text"] == "after all"


async def test_a_session_that_the_server_forgot_is_lost() -> None:
    async with served(streamable()) as origin, connected(origin) as transport:
        await initialized(transport)
        async with connected(origin) as other:
            other._requests.session = transport._requests.session  # type: ignore[attr-defined]
        with pytest.raises(SessionLost):
            await transport.request(called("echo", text="hi"))


async def test_an_error_of_the_server_comes_with_its_status() -> None:
    async with served(streamable()) as origin, connected(origin) as transport:
        answer = await transport.request(called("echo", "2099-01-01", text="hi"))
    assert answer.status == 400
    assert isinstance(answer.error["code"], int)


async def test_a_hundred_requests_at_once_get_their_own_answers() -> None:
    async with served(streamable()) as origin, connected(origin) as transport:
        await initialized(transport)
        outs = [called("echo", text=str(number)) for number in range(100)]
        answers = await asyncio.gather(*map(transport.request, outs))
    assert [result(answer)["content"][0]["text"] for answer in answers] == [
        str(number) for number in range(100)
    ]
