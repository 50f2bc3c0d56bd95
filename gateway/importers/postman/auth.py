"""The authorization of a Postman request → `auth:`; its credentials → `secrets:`."""

from collections.abc import Mapping
from typing import Any

from gateway.importers.base import Inexpressible
from gateway.importers.postman.making import VARIABLE, Making
from gateway.importers.templates import literal

GRANTS = {"client_credentials": "client_credentials", "password_credentials": "password"}

Values = Mapping[str, str]


def auth(making: Making, given: tuple[str, Values] | None) -> dict[str, Any] | None:
    """Raises Inexpressible for a kind that has no counterpart."""
    if given is None:
        return None
    kind, values = given
    maker = _KINDS.get(kind)
    if maker is None:
        raise Inexpressible(f"it is authorized by {kind!r}, which is not supported")
    return maker(making, values)


def _bearer(making: Making, values: Values) -> dict[str, Any]:
    return {"bearer": making.credential(values.get("token", ""), "token")}


def _basic(making: Making, values: Values) -> dict[str, Any]:
    return {"basic": _user(making, values)}


def _digest(making: Making, values: Values) -> dict[str, Any]:
    return {"digest": _user(making, values)}


def _user(making: Making, values: Values) -> dict[str, Any]:
    return {
        "username": _plain(making, values.get("username", ""), "username"),
        "password": making.credential(values.get("password", ""), "password"),
    }


def _api_key(making: Making, values: Values) -> dict[str, Any]:
    name = values.get("key") or "X-Api-Key"
    if VARIABLE.search(name):
        raise Inexpressible("a variable names the header of its API key")
    place = "query" if values.get("in") == "query" else "header"
    return {place: {name: making.credential(values.get("value", ""), "api_key")}}


def _oauth2(making: Making, values: Values) -> dict[str, Any]:
    """A grant that needs no person is kept; else the token is the operator's to bring."""
    grant = GRANTS.get(values.get("grant_type", ""))
    url = making.resolved(values.get("accessTokenUrl", ""))
    if grant is None or not url or VARIABLE.search(url):
        making.notes.append("a person's permission is not asked for: bring an access token")
        return {"bearer": making.credential(values.get("accessToken", ""), "access_token")}
    made: dict[str, Any] = {
        "grant": grant,
        "token_url": url,
        "client_id": _plain(making, values.get("clientId", ""), "client_id"),
        "client_secret": making.credential(values.get("clientSecret", ""), "client_secret"),
    }
    if grant == "password":
        made |= _user(making, values)
    scopes = making.resolved(values.get("scope", "")).split()
    return {"oauth2": {**made, **({"scopes": scopes} if scopes else {})}}


def _aws(making: Making, values: Values) -> dict[str, Any]:
    made = {
        "access_key": making.credential(values.get("accessKey", ""), "access_key"),
        "secret_key": making.credential(values.get("secretKey", ""), "secret_key"),
        "region": making.resolved(values.get("region", "")) or "us-east-1",
        "service": making.resolved(values.get("service", "")) or "execute-api",
    }
    if values.get("sessionToken"):
        made["session_token"] = making.credential(values["sessionToken"], "session_token")
    return {"aws_sigv4": made}


def _plain(making: Making, given: str, name: str) -> str:
    """What is no secret may stand in the file."""
    return making.credential(given, name) if not given or VARIABLE.search(given) else literal(given)


_KINDS = {
    "bearer": _bearer,
    "basic": _basic,
    "digest": _digest,
    "apikey": _api_key,
    "oauth2": _oauth2,
    "awsv4": _aws,
}
