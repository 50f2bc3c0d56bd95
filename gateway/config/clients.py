"""`auth:` as what lets clients in is made from; and what is wrong with it. No key is quoted."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from yarl import URL

from gateway.auth.expected import Expected
from gateway.auth.keys import HASHED, digest
from gateway.capability.file.units import seconds
from gateway.capability.file.yaml import Parsed
from gateway.config.auth import AUTO, Auth, ClientKey, Jwt
from gateway.credentials.oauth import documents
from gateway.domain.identity import EVERYTHING, Grant, Identity, Level
from gateway.domain.issue import Issue, Severity

RESERVED = frozenset({"anonymous", "local", "operator", "program", "bearer"})
BEARER = Identity("bearer", grant=EVERYTHING)  # whoever shows the one token
LEVELS = {"read": Level.READ, "execute": Level.EXECUTE, "admin": Level.ADMIN}
ALWAYS_PUBLIC = frozenset({"/health", "/livez", "/readyz"})
SHORTEST = 16  # characters of a key that nobody guesses
LONGEST_SKEW = 600.0  # seconds
NEW_KEY = "capgate key new NAME makes one up"

IDLE = "nobody is asked for these: auth.enabled is not said, and false by default"
IDLE_MEANT = "enabled: true, or enabled: false where that is meant"
NO_REFERENCE = "reads like a reference that is none here, and would itself be the key"
REFERENCES = (
    "env:NAME, file:PATH and ${NAME} in gateway.yaml are resolved, or sha256: and its digest"
)

_LIKE_REFERENCE = re.compile(  # whoever can guess where a key is kept must not have it
    r"\$\w+|\$?\{.*\}|auto|(?:env|file|keyring|keychain|vault|secret|md5|sha-?\d+):.*",
    re.IGNORECASE | re.DOTALL,
)

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """`path` is below `auth:`."""

    path: Place
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR


def issues(parsed: Parsed, auth: Auth) -> Iterator[Issue]:
    """What no single value shows, at its line."""
    found = list(problems(auth))
    for path, message, hint, severity in found:
        yield replace(parsed.issue(("auth", *path), message, hint), severity=severity)
    section = parsed.tree.get("auth") if isinstance(parsed.tree, dict) else None
    if not found and not auth.enabled and isinstance(section, dict) and _idle(section):
        yield parsed.issue(("auth",), IDLE, IDLE_MEANT, at_key=True, severity=Severity.WARNING)


def _idle(section: dict[str, Any]) -> bool:
    """Whether it has keys and does not say whether they count."""
    return "enabled" not in section and any(
        section.get(key) for key in ("bearer_token", "api_keys", "jwt")
    )


def problems(auth: Auth) -> Iterator[Problem]:
    if auth.enabled and auth.bearer_token is None and not auth.api_keys and auth.jwt is None:
        yield Problem(
            ("enabled",),
            "nobody could come in: there is no bearer_token, no api_keys and no jwt",
            "bearer_token: auto makes one up and logs it at the start",
        )
    yield from _names(auth)
    yield from _keys(auth)
    for at, path in enumerate(auth.public_paths):
        if path.rstrip("/") == "/mcp" or path.startswith("/mcp/"):
            text = "tools are not for everybody while clients are asked who they are"
            yield Problem(("public_paths", at), text, "enabled: false asks nobody")
        elif not path.isprintable() or any(mark in path for mark in "*?# "):
            yield Problem(("public_paths", at), "a path is compared to the letter: no patterns")
    if auth.jwt is not None:
        yield from _jwt(auth.jwt)


def _names(auth: Auth) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, key in enumerate(auth.api_keys):
        if key.name in RESERVED:
            text = f"{key.name!r} is the name of callers without a key of their own"
            yield Problem(("api_keys", at, "name"), text, "choose another name")
        if key.name in seen:
            yield Problem(("api_keys", at, "name"), f"there is another key named {key.name!r}")
        seen.add(key.name)


def _keys(auth: Auth) -> Iterator[Problem]:
    seen: dict[bytes, str] = {}
    for path, name, value in _written(auth):
        try:
            found = digest(value)
        except ValueError as error:
            yield Problem(path, str(error))
            continue
        if found in seen:
            yield Problem(path, f"{name!r} has the same key as {seen[found]!r}")
        seen.setdefault(found, name)
        if value.startswith(HASHED):
            continue
        if _LIKE_REFERENCE.fullmatch(value):
            yield Problem(path, NO_REFERENCE, REFERENCES)
        elif len(value) < SHORTEST:
            text = f"a key of less than {SHORTEST} characters can be guessed"
            yield Problem(path, text, NEW_KEY, Severity.WARNING)


def _written(auth: Auth) -> Iterator[tuple[Place, str, str]]:
    if auth.bearer_token is not None and auth.bearer_token != AUTO:
        yield ("bearer_token",), BEARER.name, auth.bearer_token
    for at, key in enumerate(auth.api_keys):
        yield ("api_keys", at, "key"), key.name, key.key


def _jwt(jwt: Jwt) -> Iterator[Problem]:
    for key, url in (("issuer", jwt.issuer), ("jwks_url", jwt.jwks_url)):
        reason = url and documents.problem(url, private=True, home=URL())
        if reason:
            yield Problem(("jwt", key), reason, "https, or http on this machine")
    if not _audiences(jwt):
        yield Problem(("jwt", "audience"), "without one, tokens for anybody else would do")
    if not jwt.algorithms:
        yield Problem(("jwt", "algorithms"), "without one, no token is good")
    try:
        if seconds(jwt.clock_skew) > LONGEST_SKEW:
            yield Problem(("jwt", "clock_skew"), f"is longer than {LONGEST_SKEW:g} s")
    except ValueError as error:
        yield Problem(("jwt", "clock_skew"), str(error))


def identities(auth: Auth, made_up: str) -> Iterator[tuple[bytes, Identity]]:
    """The SHA-256 of each key, and whose it is. `made_up` is the token where it is `auto`."""
    if auth.bearer_token == AUTO:
        yield hashlib.sha256(made_up.encode()).digest(), BEARER
    elif auth.bearer_token is not None:
        yield digest(auth.bearer_token), BEARER
    for key in auth.api_keys:
        yield digest(key.key), identity_of(key)


def secrets(auth: Auth) -> Iterator[str]:
    """What must show nowhere."""
    for _, _, value in _written(auth):
        if not value.startswith(HASHED):
            yield value


def identity_of(key: ClientKey) -> Identity:
    grant = Grant(
        level=LEVELS[key.level],
        backends=key.backends or None,
        allowed_tools=key.allowed_tools or None,
        denied_tools=key.denied_tools,
        agents=key.agents,
        rate_limit=key.rate_limit,
    )
    return Identity(key.name, key.team, key.org, grant)


def expected(jwt: Jwt) -> Expected:
    claims = jwt.claims
    return Expected(
        issuer=jwt.issuer,
        audiences=_audiences(jwt),
        jwks_url=jwt.jwks_url,
        algorithms=jwt.algorithms,
        skew=seconds(jwt.clock_skew),
        scopes=jwt.scopes,
        name=claims.name,
        team=claims.team,
        org=claims.org,
        agents=claims.agents,
        level=LEVELS[jwt.level],
        rate_limit=jwt.rate_limit,
    )


def _audiences(jwt: Jwt) -> tuple[str, ...]:
    return (jwt.audience,) if isinstance(jwt.audience, str) else jwt.audience
