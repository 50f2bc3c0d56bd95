"""Nothing of one client reaches another, though they use the same ids, tokens, URIs and states: I40
of the hardening table, and what becomes of calls whose clients leave (I21).
"""

import asyncio
import json

import pytest

from tests.peers.hostile_mcp import UPDATED
from tests.peers.hostile_mcp_gateway import CAPABILITIES, PATIENCE, WAYS, messages, text, world

ABLE = {CAPABILITIES: {"elicitation": {}}}
LOUD = {"io.modelcontextprotocol/logLevel": "debug"}
ME = {"action": "accept", "content": {"name": "me"}}


async def legacy(here, backend, **able):
    """A legacy client with a session of its own."""
    client = here.client(backend)
    declared = {"protocolVersion": "2025-11-25", "capabilities": able}
    async with client.legacy("initialize", declared) as response:
        client.session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
    async with client.legacy("notifications/initialized", id=None):
        return client


async def called(client, tool, id=1, meta=None, **arguments):
    """All that is said of a legacy call."""
    params = {"name": tool, "arguments": arguments, "_meta": meta or {}}
    async with client.legacy("tools/call", params, id) as response:
        return messages(response.content_type, await response.text())


@pytest.mark.parametrize("way", WAYS)
async def test_equal_ids_and_tokens_of_two_clients_are_two(tmp_path, way):
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        one, two = [await legacy(here, way) for _ in range(2)]
        meta = {"progressToken": "t"}
        modern = {**meta, **LOUD}
        said = await asyncio.gather(
            called(one, "chat", 7, meta, text="of one", times=20),
            called(two, "chat", 7, meta, text="of two", times=20),
            here.told(way, "chat", 7, modern, text="of three", times=20),
            here.told(way, "chat", 7, modern, text="of four", times=20),
        )
        for told, own in zip(said, ("of one", "of two", "of three", "of four"), strict=True):
            progress = [each for each in told if each.get("method") == "notifications/progress"]
            assert len(progress) == 20
            assert {each["params"]["message"] for each in progress} == {own}
            assert {each["params"]["progressToken"] for each in progress} == {"t"}
            assert text(told[-1]) == own
            assert told[-1]["id"] == 7


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_names_other_calls_reaches_none_of_them(tmp_path, way):
    """Progress under tokens of other calls, logs and questions that belong to nobody, answers under
    other ids: with two in flight nobody hears what may be another's.
    """
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        other = asyncio.create_task(here.told(way, "hang", 1, {"progressToken": 1, **LOUD, **ABLE}))
        await asyncio.sleep(0.05)
        forged = [
            {"method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}
            for token in ("1", 1.0, True, None, "t", [1], 10**30)
        ]
        question = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
        forged += [
            {"method": "notifications/message", "params": {"level": "error", "data": "secret"}},
            {"id": "q", "method": "elicitation/create", "params": question},
            {"id": "1", "result": {"content": []}},
            {"id": None, "result": {"content": []}},
            {"id": 10**15, "result": {"content": []}},
        ]
        if way == "http":  # there each call has a stream of its own: these would be its answer
            forged = [each for each in forged if "result" not in each]
        told = await here.told(way, "say", 1, messages=forged)
        assert text(told[-1]) == "said"
        assert len(told) == 1
        assert not other.done()
        other.cancel()


@pytest.mark.parametrize("way", WAYS)
async def test_an_update_reaches_those_who_subscribed_and_nobody_else(tmp_path, way):
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        one, two = [await legacy(here, way) for _ in range(2)]
        async with one.stream() as first, two.stream() as second:
            async with one.legacy("resources/subscribe", {"uri": "x://a"}) as response:
                assert "result" in await response.json()
            async with two.legacy("resources/subscribe", {"uri": "x://b"}) as response:
                assert "result" in await response.json()
            said = [{"method": UPDATED, "params": {"uri": uri}} for uri in ("x://a", "x://b")]
            await here.call(way, "say", messages=said)
            assert (await first.message())["params"]["uri"] == "x://a"
            assert (await second.message())["params"]["uri"] == "x://b"
            async with two.legacy("resources/unsubscribe", {"uri": "x://a"}) as response:
                await response.read()  # what it never had, and another has
            await here.call(way, "say", messages=said[:1])
            assert (await first.message())["params"]["uri"] == "x://a"


@pytest.mark.parametrize("way", WAYS)
async def test_only_the_session_that_was_asked_can_answer(tmp_path, way):
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        one = await legacy(here, way, elicitation={})
        two = await legacy(here, way, elicitation={})
        params = {"name": "ask", "arguments": {"text": "Who?"}}
        async with one.legacy("tools/call", params, 5) as response:
            line = b""
            while not line.startswith(b"data: {"):
                line = await response.content.readline()
            id = json.loads(line[6:])["id"]
            for client, name in ((two, "you"), (one, "me")):
                answer = {"action": "accept", "content": {"name": name}}
                body = {"jsonrpc": "2.0", "id": id, "result": answer}
                headers = {"Accept": "application/json, text/event-stream", **client.session}
                async with here.http.post(client.url, json=body, headers=headers) as told:
                    assert told.status == 202
            rest = await response.text()
        assert '\\"me\\"' in rest
        assert "you" not in rest


async def parked(here, way, text="Who?", tool="ask"):
    found = await here.call(way, tool, 1, ABLE, text=text)
    return found["result"]["requestState"], [*found["result"]["inputRequests"]]


def retry(state, keys, tool="ask", text="Who?"):
    answers = dict.fromkeys(keys, ME)
    arguments = {"text": text}
    return {"name": tool, "arguments": arguments, "requestState": state, "inputResponses": answers}


@pytest.mark.parametrize("way", WAYS)
async def test_a_state_serves_the_request_that_it_was_given_for_and_once(tmp_path, way):
    """Tampered with, for another tool, other arguments, another server or a second time, it is none
    of ours; and then still good for whom it was given.
    """
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        state, keys = await parked(here, way)
        other = next(one for one in WAYS if one != way)
        head, _, mac = state.rpartition(".")
        ticket = head.split(".")
        lasting = ".".join([*ticket[:-1], str(int(ticket[-1]) + 1000)])
        swapped = mac[::-1] if mac[::-1] != mac else mac[1:]
        refused = [
            (way, retry(f"{head}.{swapped}", keys)),
            (way, retry(f"{lasting}.{mac}", keys)),
            (way, retry(f"{state}x", keys)),
            (way, retry(f"{state}\ud800", keys)),
            (way, retry(state, keys, tool="echo")),
            (way, retry(state, keys, text="Whom?")),
            (other, retry(state, keys)),
        ]
        for backend, words in refused:
            [answer] = await here.asked(backend, words, meta=ABLE)
            assert answer["error"]["code"] in (-32602, -32700, -32600)
        inner = {"server": way, "tool": "ask", "arguments": {"text": "Who?"}}
        words = {**retry(state, keys), "name": "gateway_invoke", "arguments": inner}
        [answer] = await here.asked("", words, meta=ABLE)
        assert answer["error"]["code"] == -32602
        [answer] = await here.asked(way, retry(state, keys), meta=ABLE)
        assert '"me"' in text(answer)
        [answer] = await here.asked(way, retry(state, keys), meta=ABLE)
        assert answer["error"]["code"] == -32602


async def test_a_state_of_a_server_that_is_gone_says_so(tmp_path):
    """After the server was removed by a reload, what was parked at it ends."""
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        state, keys = await parked(here, "http")
        settings = json.loads(here.file.read_text())
        del settings["backends"]["http"]
        here.file.with_suffix(".new").write_text(json.dumps(settings))
        here.file.with_suffix(".new").rename(here.file)
        while "http" in here.parts.current.get().catalog.backends:
            await asyncio.sleep(0.01)
        async with here.client("http").modern("tools/call", retry(state, keys)) as response:
            assert response.status == 404
        assert text(await here.call("stdio", "echo", text="here")) == "here"


async def test_very_many_parked_calls_are_capped_and_cost_little(tmp_path):
    """I40: 256 of one caller; the others are told, and whoever has one can still finish it."""
    async with world(tmp_path, backends={"ws": {"ws_url": "ws://127.0.0.1:PORT/ws"}}) as here:
        kept = await parked(here, "ws")
        for _ in range(255):
            await parked(here, "ws")
        tasks = len(asyncio.all_tasks())
        for _ in range(300):
            answer = await here.call("ws", "ask", 1, ABLE, text="Who?")
            assert "too many calls wait" in json.dumps(answer)
        assert len(asyncio.all_tasks()) <= tasks + 5
        [answer] = await here.asked("ws", retry(*kept), meta=ABLE)
        assert '"me"' in text(answer)


@pytest.mark.parametrize("way", WAYS)
async def test_a_modern_client_that_leaves_cancels_its_call_at_the_server(tmp_path, way):
    """I21: within a second, and its place is free."""
    async with world(tmp_path, more={"concurrency": 1}) as here, asyncio.timeout(PATIENCE):
        hanging = asyncio.create_task(here.call(way, "hang"))
        await asyncio.sleep(0.1)
        assert not hanging.done()
        left = asyncio.get_running_loop().time()
        hanging.cancel()
        assert text(await here.call(way, "echo", text="here")) == "here"
        heard = json.loads(text(await here.call(way, "seen")))["heard"]
        assert asyncio.get_running_loop().time() - left < 1.0
        [ours] = [one["id"] for one in heard if one.get("params", {}).get("name") == "hang"]
        told = [one["params"] for one in heard if one["method"] == "notifications/cancelled"]
        assert [each["requestId"] for each in told] == [ours]


async def test_a_legacy_client_that_leaves_has_cancelled_nothing(tmp_path):
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        client = await legacy(here, "http")
        hanging = asyncio.create_task(called(client, "hang", 9))
        while not here.server.held:
            await asyncio.sleep(0.01)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        await here.call("http", "echo", text="meanwhile")
        assert here.server.cancelled == []
        async with client.legacy("notifications/cancelled", {"requestId": 9}, None) as response:
            assert response.status == 202
        while not here.server.cancelled:
            await asyncio.sleep(0.01)
