import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.auth.access import NotLetIn
from gateway.auth.issuer import AGAIN, APART, FRESH, USABLE
from gateway.auth.tokens import Tokens
from gateway.errors import AccessUnavailable
from gateway.http.failures import Unreachable
from gateway.http.message import HttpRequest, HttpResponse
from tests.peers.issuer import AUDIENCE, Issuer, new_key
from tests.unit.auth.test_claims import WANTED

EXPECTED = replace(WANTED, audiences=(AUDIENCE,), jwks_url="https://id.example/keys", skew=0.0)


class World:
    """An issuer behind an HTTP of its own, and the two clocks."""

    def __init__(self, **changes: Any) -> None:
        self.issuer = Issuer()
        self.ticks = 1000.0
        self.wall = float(self.issuer.claims()["iat"])
        self.sent: list[str] = []
        self.down = False
        self.private: list[bool] = []
        self.gate: asyncio.Event | None = None
        self.documents: dict[str, Any] = {}
        expected = replace(EXPECTED, **changes)
        self.tokens = Tokens(expected, self, lambda: self.ticks, lambda: self.wall)

    async def send(
        self, request: HttpRequest, *, seconds: float, cap: int, private: bool = False
    ) -> HttpResponse:
        self.sent.append(request.url)
        self.private.append(private)
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise Unreachable("cannot connect to id.example: connection refused")
        found = self.documents.get(request.url, self.issuer.jwks)
        return HttpResponse(404 if found is None else 200, {}, json.dumps(found).encode())

    async def name(self, token: str | None = None) -> str:
        return (await self.tokens.identify(token or self.issuer.token())).name


async def test_keys_are_fetched_once_however_many_ask() -> None:
    world = World()
    world.gate = asyncio.Event()
    asking = [asyncio.create_task(world.name()) for _ in range(20)]
    await asyncio.sleep(0)
    world.gate.set()
    assert set(await asyncio.gather(*asking)) == {"jwt:ann"}
    assert world.sent == ["https://id.example/keys"]


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    world = World()
    world.gate = asyncio.Event()
    first, second = (asyncio.create_task(world.name()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    world.gate.set()
    assert await second == "jwt:ann"


async def test_an_unknown_key_is_asked_for_at_once_but_not_all_the_time() -> None:
    world = World()
    assert await world.name()
    world.issuer.keys["two"] = new_key("two")
    world.ticks += APART
    assert await world.name(world.issuer.token("two")) == "jwt:ann"
    assert len(world.sent) == 2
    stranger = Issuer()
    stranger.keys["other"] = new_key("other")
    for _ in range(100):
        with pytest.raises(NotLetIn):
            await world.name(stranger.token("other"))
    assert len(world.sent) == 2
    world.ticks += APART
    with pytest.raises(NotLetIn):
        await world.name(stranger.token("other"))
    assert len(world.sent) == 3


async def test_keys_are_renewed_beside_the_requests_and_old_ones_no_longer_count() -> None:
    world = World()
    token = world.issuer.token(exp=int(world.wall) + 10_000)
    assert await world.name(token)
    world.issuer.keys = {"two": new_key("two")}
    world.ticks += FRESH + 1
    assert await world.name(token)  # while they are being fetched
    async with asyncio.timeout(5):
        while len(world.sent) < 2:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    with pytest.raises(NotLetIn):
        await world.name(token)


async def test_kept_keys_do_for_an_hour_when_the_issuer_does_not_answer() -> None:
    world = World()
    assert await world.name()
    world.down = True
    world.ticks += USABLE - 1
    assert await world.name() == "jwt:ann"
    world.ticks += 2
    with pytest.raises(AccessUnavailable):
        await world.name()
    world.down = False
    world.ticks += AGAIN
    assert await world.name() == "jwt:ann"


async def test_while_there_are_no_keys_nobody_is_let_in_and_the_issuer_is_spared() -> None:
    world = World()
    world.down = True
    for _ in range(50):
        with pytest.raises(AccessUnavailable):
            await world.name()
    assert len(world.sent) == 1
    world.ticks += AGAIN
    world.down = False
    assert await world.name() == "jwt:ann"


@pytest.mark.parametrize("document", [None, [], {}, {"keys": []}, {"keys": [{"kty": "oct"}]}, "x"])
async def test_what_holds_no_keys_is_as_bad_as_no_answer(document: Any) -> None:
    world = World()
    world.documents["https://id.example/keys"] = document
    with pytest.raises(AccessUnavailable):
        await world.name()


async def test_where_keys_are_is_what_the_issuers_own_metadata_say() -> None:
    world = World(jwks_url=None)
    oauth = "https://id.example/.well-known/oauth-authorization-server"
    oidc = "https://id.example/.well-known/openid-configuration"
    world.documents[oauth] = {"issuer": "https://evil.example", "jwks_uri": "https://evil.example"}
    world.documents[oidc] = {"issuer": "https://id.example", "jwks_uri": "https://id.example/k"}
    assert await world.name() == "jwt:ann"
    assert world.sent == [oauth, oidc, "https://id.example/k"]


async def test_metadata_lead_to_no_private_address() -> None:
    for where in ("http://169.254.169.254/keys", "file:///etc/passwd", "http://id.example/k"):
        world = World(jwks_url=None)
        oauth = "https://id.example/.well-known/oauth-authorization-server"
        world.documents[oauth] = {"issuer": "https://id.example", "jwks_uri": where}
        with pytest.raises(AccessUnavailable):
            await world.name()
        assert where not in world.sent


async def test_a_token_that_was_good_is_remembered_only_as_long_as_it_is() -> None:
    """F12: time jumps as it likes on the wall clock; only tokens go by it."""
    world = World()
    token = world.issuer.token()
    who = await world.tokens.identify(token)
    world.wall += 599
    assert await world.tokens.identify(token) == who
    assert world.tokens.holds(who)
    world.wall += 1
    with pytest.raises(NotLetIn):
        await world.tokens.identify(token)
    assert not world.tokens.holds(who)
    assert not world.tokens.holds(replace(who, name="jwt:bob"))


async def test_a_newer_token_keeps_its_caller_in_for_longer() -> None:
    world = World()
    who = await world.tokens.identify(world.issuer.token())
    await world.tokens.identify(world.issuer.token(exp=int(world.wall) + 6000))
    await world.tokens.identify(world.issuer.token(jti="another"))
    world.wall += 5999
    assert world.tokens.holds(who)


async def test_a_newer_token_with_other_claims_keeps_nobody_in_with_the_old_ones() -> None:
    """I36. What a token no longer says ends when the last one ends that said it."""
    world = World()
    before = await world.tokens.identify(world.issuer.token(team="admins"))
    now = await world.tokens.identify(world.issuer.token(exp=int(world.wall) + 6000))
    assert world.tokens.holds(replace(before, agent="researcher"))
    world.wall += 600
    assert not world.tokens.holds(before)
    assert world.tokens.holds(now)
