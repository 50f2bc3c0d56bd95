"""Method, query, headers and body of a fulcrum file → those of a tool."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from gateway.capability.file.model import METHODS
from gateway.credentials.looks import looks_secret
from gateway.importers.fulcrum.document import CONFIG, Document, Path, Unconvertible
from gateway.importers.fulcrum.graphql import as_graphql
from gateway.importers.fulcrum.making import Making
from gateway.importers.fulcrum.words import PLACEHOLDER, TOKENS, joined

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PLAIN = "text/plain"
XML = ("application/xml", "text/xml")
WITH_BODY = ("post", "put", "patch")

BODY: Path = (*CONFIG, "body")
PARAMS: Path = (*CONFIG, "params")
STATIC: Path = (*CONFIG, "static_params")


def rest(making: Making, path: str) -> bool:
    """The request of `service: rest`. True: all arguments are sent in its body."""
    document = making.document
    method = (document.text(*CONFIG, "method").strip() or "GET").lower()
    if method not in METHODS:
        at = (*CONFIG, "method")
        raise Unconvertible(at, f"no tool can use the method {method.upper()}", ", ".join(METHODS))
    making.put(method, path, (*CONFIG, "path"))
    kind = content_type(document)
    in_body = kind == FORM and method in WITH_BODY
    _pairs(making, "form" if in_body and document.at(*BODY) is None else "query")
    if method == "get":
        _static_pairs(making)
    headers(making, kind)
    if method not in WITH_BODY:
        if document.at(*BODY) is not None:
            document.note(BODY, f"a request of {method.upper()} has no body: it is left out")
        return False
    return _body(making, kind)


def content_type(document: Document) -> str:
    """Of the request, without its parameters; `body_content_type` goes first."""
    given = document.text(*CONFIG, "body_content_type").strip()
    for name, value in document.texts(*CONFIG, "headers").items():
        if name.lower() == "content-type" and not given:
            given = value
    return given.partition(";")[0].strip().lower()


def headers(making: Making, kind: str) -> None:
    """All but the type of a body that says it itself, and what `auth:` sets."""
    found: dict[str, str] = {}
    for name, value in making.document.texts(*CONFIG, "headers").items():
        at: Path = (*CONFIG, "headers", name)
        low = name.lower()
        if low == "content-type" and (kind == FORM or value.strip().lower() == JSON):
            continue
        if any(match[1].startswith(TOKENS) for match in PLACEHOLDER.finditer(value)) and (
            making.auth is not None
        ):
            continue
        if looks_secret(name, value) and not PLACEHOLDER.search(value):
            found[name] = making.words.secret(name, value, at)
        else:
            found[name] = making.words.text(value, at)
        making.came(("headers", name), at)
    if found:
        making.put("headers", found, (*CONFIG, "headers"))


def _pairs(making: Making, section: str) -> None:
    """`params` and `param_map`."""
    document, words = making.document, making.words
    for name, template in document.texts(*PARAMS).items():
        at: Path = (*PARAMS, name)
        if template:
            making.add(section, name, words.value(template, at), at)
            _tell_lists(making, template, section, at)
    for given, name in document.texts(*CONFIG, "param_map").items():
        at = (*CONFIG, "param_map", given)
        if given in words.inputs:
            making.add(section, name, str(words.use(given)), at)
            _tell_lists(making, f"{{{given}}}", section, at)
        elif words.is_static(given):
            making.add(section, name, document.at(*STATIC, given), (*STATIC, given))
        else:
            raise Unconvertible(at, f"{given!r} is no input of this file")


def _static_pairs(making: Making) -> None:
    """Static parameters that nothing else names are query pairs too."""
    document = making.document
    covered = {*document.mapping(*PARAMS), *document.mapping(*CONFIG, "param_map")}
    for name, value in document.mapping(*STATIC).items():
        at: Path = (*STATIC, name)
        if name in covered:
            continue
        if name in making.words.inputs:
            making.add("query", name, str(making.words.use(name)), at)
        else:
            making.add("query", name, making.words.value(value, at), at)


def _tell_lists(making: Making, template: str, section: str, at: Path) -> None:
    alone = PLACEHOLDER.fullmatch(template.strip())
    schema = making.words.inputs.get(alone[1]) if alone else None
    kind = schema.get("type") if isinstance(schema, dict) else None
    how = {"array": "as one pair for each", "object": "as pairs of the form name[key]"}
    if alone and isinstance(kind, str) and kind in how:
        text = f"{alone[1]} is sent in the {section} {how[kind]}, not as JSON"
        making.document.note(at, text)


def _body(making: Making, kind: str) -> bool:
    body = making.document.at(*BODY)
    if body is None:
        return _arguments_as_body(making) if "form" not in making.tool else False
    if kind == FORM:
        _form(making, body)
    elif kind == PLAIN:
        making.put("text", _text(making, body), BODY)
    elif kind in XML and isinstance(body, str):
        making.put("xml", _text(making, body), BODY)
        making.tool.setdefault("headers", {}).setdefault("Content-Type", kind)
    elif not as_graphql(making, body, BODY):
        making.put("json", making.words.value(_as_json(body), BODY), BODY)
        places(making, ("json",), body, BODY)
    return False


def _arguments_as_body(making: Making) -> bool:
    """Without a body of its own a request has all its arguments as one."""
    static = making.document.mapping(*STATIC)
    fixed = {name: value for name, value in static.items() if making.words.is_static(name)}
    body: dict[str, Any] = {name: making.words.value(each, STATIC) for name, each in fixed.items()}
    body |= {name: str(making.words.use(name)) for name in making.words.inputs}
    if not body:
        return False
    making.put("json", body if fixed else "{{ args }}", CONFIG)
    return True


def _form(making: Making, body: Any) -> None:
    if isinstance(body, str):
        body = dict(parse_qsl(body, keep_blank_values=True))
    if not isinstance(body, Mapping):
        raise Unconvertible(BODY, "a form is a mapping of names to values")
    for name, value in body.items():
        making.add("form", name, making.words.value(value, (*BODY, name)), (*BODY, name))


def _text(making: Making, body: Any) -> str:
    """Braces around what is no name are the query language's own; what is not given is empty."""
    words = making.words
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    parts = words.parts(text, BODY, loose=True)
    return joined([words.or_empty(part) for part in parts])


def _as_json(body: Any) -> Any:
    """A text that is JSON, or would be once its names are filled in, as what it stands for."""
    if not isinstance(body, str) or not body.strip().startswith(("{", "[")):
        return body
    quoted = re.sub(rf'(?<!")({PLACEHOLDER.pattern})(?!")', r'"\1"', body)
    for text in (body, quoted):
        try:
            found = json.loads(text)
        except ValueError:
            continue
        return found if isinstance(found, (dict, list)) else body
    return body


def places(making: Making, place: Path, value: Any, path: Path) -> None:
    """Where all that is in a value stood."""
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        making.came((*place, key), (*path, key))
        places(making, (*place, key), inner, (*path, key))
