from dataclasses import replace
from typing import Any

import pytest

from gateway.auth.access import NotLetIn, Why
from gateway.auth.claims import accepted
from gateway.auth.expected import Expected
from gateway.domain.identity import Grant, Identity, Level

NOW = 1_800_000_000.0
WANTED = Expected(
    issuer="https://id.example",
    audiences=("https://gateway.example/mcp", "other"),
    jwks_url=None,
    algorithms=("ES256",),
    skew=0.0,
    scopes=(),
    name="sub",
    team="team",
    org="realm.org",
    agents="https://acme.example/agents",
    level=Level.EXECUTE,
    rate_limit=60,
)
GOOD = {
    "iss": "https://id.example",
    "aud": "https://gateway.example/mcp",
    "sub": "ann",
    "exp": NOW + 60,
    "team": "web",
    "realm": {"org": "acme"},
    "https://acme.example/agents": ["research*"],
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_the_claims_say_who_calls_and_until_when() -> None:
    found = accepted(GOOD, WANTED, NOW)
    grant = Grant(agents=("research*",), rate_limit=60)
    assert found.who == Identity("jwt:ann", "web", "acme", grant)
    assert found.until == NOW + 60


def test_what_a_token_does_not_say_is_nothing() -> None:
    who = accepted({name: GOOD[name] for name in ("iss", "aud", "sub", "exp")}, WANTED, NOW).who
    assert (who.team, who.org, who.grant.agents) == (None, None, ())


@pytest.mark.parametrize(
    "wrong",
    [
        {**GOOD, "iss": "https://id.example/"},
        {**GOOD, "iss": ["https://id.example"]},
        without("iss"),
        {**GOOD, "aud": "https://elsewhere.example"},
        {**GOOD, "aud": []},
        {**GOOD, "aud": {"https://gateway.example/mcp": 1}},
        without("aud"),
        without("sub"),
        {**GOOD, "sub": ""},
        {**GOOD, "sub": 7},
        {**GOOD, "sub": "a\nb"},
        {**GOOD, "sub": "\u202e"},
        {**GOOD, "sub": "x" * 257},
        {**GOOD, "team": ["web"]},
        {**GOOD, "realm": "acme"},
        {**GOOD, "realm": {"org": 5}},
        {**GOOD, "https://acme.example/agents": {"a": 1}},
        {**GOOD, "https://acme.example/agents": [1]},
        {**GOOD, "exp": NOW},
        {**GOOD, "exp": NOW - 1},  # I37
        {**GOOD, "exp": str(NOW + 60)},
        {**GOOD, "exp": True},
        {**GOOD, "exp": float("nan")},
        {**GOOD, "exp": float("inf")},
        {**GOOD, "exp": -1},
        without("exp"),
        {**GOOD, "nbf": NOW + 1},
        {**GOOD, "iat": NOW + 1},
        {**GOOD, "nbf": "soon"},
    ],
)
def test_a_token_with_one_thing_wrong_lets_nobody_in(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotLetIn) as caught:
        accepted(wrong, WANTED, NOW)
    assert caught.value.why is Why.INVALID


def test_one_audience_of_several_is_enough_on_either_side() -> None:
    assert accepted({**GOOD, "aud": ["x", "other"]}, WANTED, NOW).who.name == "jwt:ann"


def test_clocks_may_differ_by_the_skew() -> None:
    """F12: the wall clock, which is told, not asked."""
    lenient = replace(WANTED, skew=30.0)
    late = {**GOOD, "exp": NOW - 29, "nbf": NOW + 29}
    assert accepted(late, lenient, NOW).until == NOW + 1
    for wrong in ({"exp": NOW - 30}, {"nbf": NOW + 31}, {"iat": NOW + 31}):
        with pytest.raises(NotLetIn):
            accepted({**GOOD, **wrong}, lenient, NOW)


@pytest.mark.parametrize(
    ("has", "enough"),
    [
        ({"scope": "mcp:call mcp:read"}, True),
        ({"scp": ["mcp:read", "mcp:call", "more"]}, True),
        ({"scope": "mcp:read"}, False),
        ({"scope": "mcp:callmcp:read"}, False),
        ({}, False),
    ],
)
def test_all_scopes_are_needed(has: dict[str, Any], enough: bool) -> None:  # noqa: FBT001
    strict = replace(WANTED, scopes=("mcp:read", "mcp:call"))
    if enough:
        assert accepted({**GOOD, **has}, strict, NOW)
    else:
        with pytest.raises(NotLetIn) as caught:
            accepted({**GOOD, **has}, strict, NOW)
        assert caught.value.why is Why.SCOPE


def test_who_is_refused_otherwise_is_not_told_of_scopes() -> None:
    with pytest.raises(NotLetIn) as caught:
        accepted({**GOOD, "aud": "x"}, replace(WANTED, scopes=("a",)), NOW)
    assert caught.value.why is Why.INVALID
