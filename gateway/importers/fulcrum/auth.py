"""`auth` of a fulcrum file, and credentials in its headers → `auth:` and `secrets:`.

The rule: no credential is copied. A key that may be one itself refuses the file, unseen.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.importers.fulcrum.document import CONFIG, Document, Path, Unconvertible
from gateway.importers.fulcrum.making import Making
from gateway.importers.fulcrum.words import PLACEHOLDER

KEY: Path = ("auth", "key")
HEADERS: Path = (*CONFIG, "headers")

_ENVIRONMENT = re.compile(r"(?:env:|\{env\.)?([A-Za-z_][A-Za-z0-9_]*)\}?")
_BARE = re.compile(r"[A-Z][A-Z0-9_]*")
_SCHEMES = {"basic": "Basic", "api_key": ""}


def auth(making: Making) -> None:
    """Sets `auth` of the tool's file, before anything else of the request is read."""
    document = making.document
    required = document.at("auth", "required")
    if required is True or str(required).lower() == "true":
        making.auth = _required(making)
    else:
        making.auth = _in_headers(making)


def settle(making: Making) -> None:
    """Takes out of the request what `auth:` sends. Afterwards nothing is sent twice."""
    given = making.auth or {}
    names = {"authorization"} if {"bearer", "basic", "oauth2"} & given.keys() else set()
    names |= {name.lower() for name in given.get("header", {})}
    _without(
        making,
        "headers",
        {name for name in making.tool.get("headers", {}) if name.lower() in names},
    )
    for section in ("query", "form"):
        _without(
            making, section, given.get("query", {}).keys() & making.tool.get(section, {}).keys()
        )


def _without(making: Making, section: str, names: Any) -> None:
    for name in names:
        del making.tool[section][name]
    if making.tool.get(section) == {}:
        del making.tool[section]


def _required(making: Making) -> dict[str, Any] | None:
    document = making.document
    key = document.text(*KEY).strip()
    if not key:
        found = _in_headers(making)
        if found is None:
            document.note(("auth", "required"), "auth is required, but no key: nothing is shown")
        return found
    if key.startswith("oauth:"):
        return _oauth(making, key.removeprefix("oauth:"))
    own = _in_query(making, key)
    if own:
        return own
    return _shown_as(document, f"{{{{ {_credential(making, key)} }}}}")


def _shown_as(document: Document, credential: str) -> dict[str, Any]:
    """In a query pair, or in a header behind its scheme."""
    param = document.text("auth", "param").strip()
    if param:
        return {"query": {param: credential}}
    header = document.text("auth", "header").strip() or "Authorization"
    kind = document.text("auth", "type").strip().lower()
    prefix = document.at("auth", "prefix")
    scheme = _SCHEMES.get(kind, "Bearer") if prefix is None else document.text("auth", "prefix")
    if header.lower() == "authorization" and scheme.strip().lower() == "bearer":
        return {"bearer": credential}
    return {"header": {header: f"{scheme} {credential}" if scheme else credential}}


def _credential(making: Making, key: str) -> str:
    """The secret that a key stands for."""
    secrets = making.secrets
    if key.startswith("keychain:"):
        return secrets.instead(key, key.removeprefix("keychain:"), KEY)
    if key.startswith("file:"):
        place, _, name = key.removeprefix("file:").rpartition(":")
        stem = place.rpartition("/")[2].partition(".")[0]
        return secrets.instead(f"the field {name!r} of the file of auth.key", f"{stem}_{name}", KEY)
    if key.startswith(("env:", "{env.")) or _BARE.fullmatch(key):
        match = _ENVIRONMENT.fullmatch(key)
        if match:
            return secrets.of_environment(match[1], KEY)
    raise Unconvertible(
        KEY,
        "auth.key is neither env:, keychain:, file: nor oauth:, perhaps the credential itself",
        "put it into a variable, and write key: env:NAME",
    )


def _in_query(making: Making, key: str) -> dict[str, Any] | None:
    """A key that some parameter names already, and that nobody said to put elsewhere."""
    document = making.document
    if document.at("auth", "param") or document.at("auth", "header"):
        return None
    match = _ENVIRONMENT.fullmatch(key)
    for name, value in document.texts(*CONFIG, "params").items():
        if match and value.strip() == f"{{env.{match[1]}}}":
            text = f"the credential is sent as the query parameter {name!r}, not in a header too"
            document.note(KEY, text)
            credential = making.secrets.of_environment(match[1], (*CONFIG, "params", name))
            return {"query": {name: f"{{{{ {credential} }}}}"}}
    return None


def _in_headers(making: Making) -> dict[str, Any] | None:
    """Headers that are made of secrets alone, beside their scheme."""
    found: dict[str, str] = {}
    for name, value in making.document.texts(*HEADERS).items():
        asked = [match[1] for match in PLACEHOLDER.finditer(value)]
        if asked and all(each.startswith(("env.", "keychain.")) for each in asked):
            found[name] = making.words.text(value, (*HEADERS, name))
    if len(found) == 1:
        name, value = next(iter(found.items()))
        match = re.fullmatch(r"(?i:bearer) +(\{\{ secrets\.\w+ \}\})", value)
        if match and name.lower() == "authorization":
            return {"bearer": match[1]}
    return {"header": found} if found else None


def _oauth(making: Making, provider: str) -> dict[str, Any]:
    """That gateway keeps the tokens that a person's browser brought; here they are variables."""
    document, secrets = making.document, making.secrets
    prefix = re.sub(r"[^A-Z0-9]+", "_", provider.upper()).strip("_") or "OAUTH"
    endpoint = document.text("auth", "token_endpoint").strip()
    if not endpoint:
        variable = f"{prefix}_ACCESS_TOKEN"
        document.note(KEY, f"no token_endpoint: set {variable} to an access token, and renew it")
        return _shown_as(document, f"{{{{ {secrets.wanted(variable, KEY)} }}}}")
    names = ("client_id", "client_secret", "refresh_token")
    variables = {name: f"{prefix}_{name.upper()}" for name in names}
    document.note(KEY, f"set {', '.join(variables.values())}: the gateway fetches tokens with them")
    values: Mapping[str, str] = {
        name: f"{{{{ {secrets.wanted(variable, KEY)} }}}}" for name, variable in variables.items()
    }
    return {"oauth2": {"grant": "refresh_token", "token_url": endpoint, **values}}
