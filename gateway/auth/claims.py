"""Who a token's claims say calls, once its signature is known to be right. Pure.

Sources: RFC 7519 section 4.1, RFC 8725, RFC 9068 section 4. A claim that we know and that is not of
its kind refuses the token: what is misread lets nobody in.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.auth.access import NotLetIn, Why
from gateway.auth.expected import Expected
from gateway.domain.identity import Grant, Identity

LONGEST = 256  # characters of a name
MOST = 256  # entries of a list
LATEST = 1 << 53  # seconds: exact in a float
PREFIX = "jwt:"  # no key has a colon in its name


class Accepted(NamedTuple):
    """`until` is on the wall clock."""

    who: Identity
    until: float


def accepted(claims: Mapping[str, Any], expected: Expected, now: float) -> Accepted:
    """`now` is the time on the wall clock. Raises NotLetIn."""
    until = _times(claims, expected, now)
    if claims.get("iss") != expected.issuer:
        raise NotLetIn(Why.INVALID)
    if not _texts(claims.get("aud")) & set(expected.audiences):
        raise NotLetIn(Why.INVALID)
    who = identity(claims, expected)
    if not set(expected.scopes) <= _scopes(claims):
        raise NotLetIn(Why.SCOPE)
    return Accepted(who, until)


def identity(claims: Mapping[str, Any], expected: Expected) -> Identity:
    """Raises NotLetIn where a claim is not of its kind."""
    name = _name(claims, expected.name)
    if name is None:
        raise NotLetIn(Why.INVALID)
    grant = Grant(
        level=expected.level,
        agents=tuple(sorted(_texts(_at(claims, expected.agents)))),
        rate_limit=expected.rate_limit,
    )
    return Identity(
        PREFIX + name,
        team=_name(claims, expected.team),
        org=_name(claims, expected.org),
        grant=grant,
    )


def _times(claims: Mapping[str, Any], expected: Expected, now: float) -> float:
    """Until when it is good: a token without an end is none."""
    until, since, issued = (_time(claims, key) for key in ("exp", "nbf", "iat"))
    if until is None or now >= until + expected.skew:
        raise NotLetIn(Why.INVALID)
    if max(since or now, issued or now) > now + expected.skew:
        raise NotLetIn(Why.INVALID)
    return until + expected.skew


def _time(claims: Mapping[str, Any], key: str) -> float | None:
    value = claims.get(key)
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < LATEST:
        raise NotLetIn(Why.INVALID)
    return float(value)


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """RFC 8693 has them in `scope`, as one text; some issuers in `scp`, as a list too."""
    found = claims.get("scope", claims.get("scp"))
    return set(found.split()) if isinstance(found, str) else _texts(found)


def _texts(value: Any) -> set[str]:
    """One text, or a list of them; none is an empty one."""
    if value is None:
        return set()
    if isinstance(value, str):
        return {value}
    if not isinstance(value, list) or len(value) > MOST:
        raise NotLetIn(Why.INVALID)
    if not all(type(one) is str and len(one) <= LONGEST for one in value):
        raise NotLetIn(Why.INVALID)
    return set(value)


def _name(claims: Mapping[str, Any], place: str) -> str | None:
    """A short text on one line; None where there is no such claim."""
    value = _at(claims, place)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise NotLetIn(Why.INVALID)
    return value


def _at(claims: Mapping[str, Any], place: str) -> Any:
    """The claim of that very name, dots and all, before the one that dots lead to."""
    if place in claims:
        return claims[place]
    found: Any = claims
    for key in place.split("."):
        if found is None:
            return None
        if not isinstance(found, Mapping):
            raise NotLetIn(Why.INVALID)
        found = found.get(key)
    return found
