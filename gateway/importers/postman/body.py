"""The body of a Postman request → `json`, `form`, `multipart`, `graphql`, `text` or `bytes`."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from gateway.credentials.looks import holds_secret
from gateway.importers.base import Inexpressible
from gateway.importers.postman.collection import Pair, Request, mapping, pairs, text
from gateway.importers.postman.making import BARE, VARIABLE, Making, guessed
from gateway.importers.templates import literal

FILE = {"type": "string", "contentEncoding": "base64"}
LONGEST_EXAMPLE = 2000  # characters of a saved value that is shown
_BARE = re.compile(rf'(?<!")({VARIABLE.pattern})(?!")')
_LANGUAGES = {"xml": "application/xml", "text": "text/plain", "html": "text/html"}
_LANGUAGES |= {"javascript": "application/javascript"}


def body(making: Making, request: Request) -> str:
    """Writes it. Gives the content type that the request must name itself; else it is empty."""
    mode = text(request.body.get("mode"))
    given = request.body.get(mode)
    if not mode or request.body.get("disabled") or given in (None, "", [], {}):
        return ""
    if mode == "raw":
        return _raw(making, request, text(given))
    if mode == "urlencoded":
        making.tool["form"] = _fields(making, list(pairs(given)))
    elif mode == "formdata":
        making.tool["multipart"] = _fields(making, list(pairs(given)))
    elif mode == "graphql":
        _graphql(making, mapping(given))
    elif mode == "file":
        read = making.argument("file", FILE, "The file.", required=True)
        making.tool["bytes"] = read.replace(" }}", " | b64decode }}")
        return "application/octet-stream"
    else:
        raise Inexpressible(f"a body of the mode {mode!r}")
    return ""


def _raw(making: Making, request: Request, raw: str) -> str:
    options = mapping(mapping(request.body.get("options")).get("raw"))
    language = text(options.get("language"))
    declared = next(
        (each.value for each in request.headers if each.key.lower() == "content-type"), ""
    )
    if language in ("", "json", "text") and (
        "json" in declared or language == "json" or not declared
    ):
        for candidate in (raw, _quoted(raw)):
            try:
                tree = json.loads(candidate)
            except (ValueError, RecursionError):
                continue
            making.tool["json"] = _json(making, tree)
            return ""
    if VARIABLE.search(raw):
        making.tool["text"] = making.text(raw)
    else:
        schema = {"type": "string", **(_shown(raw) if len(raw) <= LONGEST_EXAMPLE else {})}
        making.tool["text"] = making.argument("body", schema, "The body.", required=True)
    kind = "application/json" if language == "json" else _LANGUAGES.get(language, "text/plain")
    return declared or kind


def _quoted(raw: str) -> str:
    """As JSON, with the variables that stand outside quotes marked."""
    return _BARE.sub(lambda match: json.dumps(f"{{{{{BARE}{match[2]}}}}}"), raw)


def _json(making: Making, tree: Any) -> Any:
    """Each key of an object is an argument; what the collection's variables fill in stays."""
    if isinstance(tree, dict) and tree:
        return {_key(key): _member(making, key, value) for key, value in tree.items()}
    if _has_variable(tree):
        return _filled(making, tree)
    return making.argument("body", {**guessed(tree), **_shown(tree)}, "The whole body.")


def _key(key: str) -> str:
    if literal(key) != key:
        raise Inexpressible("a variable names a key of its body")
    return key


def _member(making: Making, key: str, value: Any) -> Any:
    if _has_variable(value):
        return _filled(making, value)
    if isinstance(value, str) and value:
        return making.value(key, value, "", sent=False)
    return making.argument(key, {**guessed(value), **_shown(value)})


def _shown(value: Any) -> dict[str, Any]:
    """A saved value as an example, but not its credentials."""
    return {} if value in (None, "") or holds_secret(value) else {"examples": [value]}


def _filled(making: Making, value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _filled(making, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(making, each) for each in value]
    return making.text(value) if isinstance(value, str) else value


def _has_variable(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_variable, value.values()))
    if isinstance(value, list):
        return any(map(_has_variable, value))
    return isinstance(value, str) and VARIABLE.search(value) is not None


def _fields(making: Making, fields: list[Pair]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for each in fields:
        if each.kind == "file":
            read = making.argument(each.key, FILE, each.description)
            name = PurePath(each.source).name or each.key
            made[each.key] = {"data": read.replace(" }}", " | b64decode }}"), "filename": name}
        else:
            value = making.value(each.key, each.value, each.description, sent=False)
            before = made.get(each.key)
            more = [*before, value] if isinstance(before, list) else [before, value]
            made[each.key] = value if before is None else more
    return made


def _graphql(making: Making, given: Mapping[str, Any]) -> None:
    query = text(given.get("query"))
    if VARIABLE.search(query):
        raise Inexpressible("a variable inside a GraphQL query: make it a variable of the query")
    request: dict[str, Any] = {"query": query}
    variables = given.get("variables")
    if isinstance(variables, str) and variables.strip():
        try:
            variables = json.loads(_quoted(variables))
        except (ValueError, RecursionError):
            raise Inexpressible("the GraphQL variables are no JSON") from None
    if isinstance(variables, dict) and variables:
        request["variables"] = _json(making, variables)
    making.tool["graphql"] = request
