import json
from typing import Any

import pytest

from gateway.domain.call import Query, Relayed
from gateway.errors import BackendUnavailable
from gateway.meta import META_TOOLS
from gateway.protocol.eras import LATEST_LEGACY
from gateway.protocol.jsonrpc import Request
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.asked import Asked
from gateway.server.dialogue import Dialogue
from gateway.server.endpoint import Endpoint
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from tests.peers.memory_gateway import snapshot, tool
from tests.peers.talking import talking

DIRECT: Surface = BackendSurface("talker")
META: Surface = MetaSurface(META_TOOLS)


class Heard:
    """What a backend is asked beside calls."""

    def __init__(self, error: Exception | None = None) -> None:
        self.queries: list[tuple[str, Any]] = []
        self.error = error

    async def query(self, query: Query) -> Relayed:
        self.queries.append((query.method, query.params))
        if self.error is not None:
            raise self.error
        return Relayed(b"{}")


async def set_level(
    current: Snapshot, level: Any, surface: Surface = DIRECT, dialogue: Dialogue | None = None
) -> Any:
    endpoint = Endpoint(Current(current), lambda _: None)
    request = Request(1, "logging/setLevel", {"level": level})
    asked = Asked(surface, request, LATEST_LEGACY, dialogue=dialogue or Dialogue())
    return json.loads((await endpoint.answer(asked)).body)


async def test_a_level_is_kept_for_the_client_and_told_to_its_server() -> None:
    heard, dialogue = Heard(), Dialogue()
    answer = await set_level(talking(query=heard.query), "error", DIRECT, dialogue)
    assert answer["result"] == {}
    assert dialogue.level == "error"
    assert heard.queries == [("logging/setLevel", {"level": "error"})]


@pytest.mark.parametrize(("surface", "era"), [(META, "legacy"), (DIRECT, "modern")])
async def test_servers_that_hear_of_it_with_each_call_are_not_asked(
    surface: Surface, era: str
) -> None:
    heard, dialogue = Heard(), Dialogue()
    await set_level(talking(query=heard.query, era=era), "debug", surface, dialogue)
    assert dialogue.level == "debug"
    assert heard.queries == []


async def test_a_server_that_is_down_does_not_keep_a_client_from_its_level() -> None:
    heard, dialogue = Heard(BackendUnavailable("it is down")), Dialogue()
    answer = await set_level(talking(query=heard.query), "error", DIRECT, dialogue)
    assert answer["result"] == {}
    assert dialogue.level == "error"


@pytest.mark.parametrize("level", ["loud", "", None, 5, ["error"]])
async def test_what_is_no_level_is_refused(level: Any) -> None:
    dialogue = Dialogue()
    assert (await set_level(talking(), level, DIRECT, dialogue))["error"]["code"] == -32602
    assert dialogue.level is None


async def test_where_nothing_logs_there_is_no_such_method() -> None:
    rest = snapshot(1, {"talker": [tool("talker", "t")]})
    for surface in (DIRECT, META):
        assert (await set_level(rest, "error", surface))["error"]["code"] == -32601
