"""A Postman request → a tool: path, query, headers, body, and its saved answer as an example."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway.capability.file.model import METHODS
from gateway.credentials.looks import is_random, looks_secret, masked, scheme_and_rest
from gateway.importers.base import Inexpressible
from gateway.importers.postman.auth import auth
from gateway.importers.postman.body import body
from gateway.importers.postman.collection import Pair, Request, text
from gateway.importers.postman.making import VARIABLE, Making, outside
from gateway.importers.templates import literal
from gateway.importers.wording import words

READS = ("get", "head")
OURS = frozenset(  # headers that are not the author's to set
    {
        *("host", "content-length", "connection", "transfer-encoding", "accept-encoding"),
        *("postman-token", "user-agent", "keep-alive", "upgrade", "te", "trailer", "expect"),
    }
)
LONGEST_REPLY = 20_000  # characters of a saved answer that becomes an example

_URL = re.compile(r"(https?)://([^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)
_HEX = re.compile(r"[0-9a-fA-F]+")  # an id, or a digest
_FIRST = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Made:
    """`path` is the request's own, for a name."""

    request: Request
    making: Making
    base_url: str
    path: str
    auth: dict[str, Any] | None


def make(request: Request, known: Mapping[str, tuple[str, bool]], api: str) -> Made:
    """Raises Inexpressible."""
    if request.method not in METHODS:
        raise Inexpressible(f"no tool can use the method {request.method.upper()}")
    making = Making(known, api)
    base, path = _address(making, request.url)
    shown = auth(making, request.auth)
    making.tool["description"] = _description(request)
    tags = [tag for folder in request.folders if (tag := words(folder, 60))]
    if tags:
        making.tool["tags"] = tags
    making.tool[request.method] = _path(making, request, path)
    _query(making, request.query, shown)
    kind = ""
    if request.method not in READS:
        kind = body(making, request)
    elif request.body.get("mode") and request.body.get(text(request.body["mode"])):
        making.notes.append(f"a request of {request.method.upper()} has no body: it is left out")
    _headers(making, request.headers, shown, kind)
    if making.args:
        making.tool["args"] = making.args
    example = _example(making, request)
    if example:
        making.tool["examples"] = [example]
    return Made(request, making, base, path, shown)


def _description(request: Request) -> str:
    about = words(request.description, 1000)
    name = words(request.name, 200)
    return about or (name if name.endswith(".") else f"{name}.")


def _address(making: Making, url: str) -> tuple[str, str]:
    """`base_url` and the path behind it. What has no value in the collection is the operator's."""
    first = _FIRST.match(url)
    if first and not VARIABLE.search(making.resolved(f"{{{{{first[1]}}}}}")):
        known = making.resolved(f"{{{{{first[1]}}}}}").rstrip("/")
        match = _URL.fullmatch(known if "://" in known else f"https://{known}")
        if match:
            return _base(match[1], f"{match[2]}{match[3] or ''}"), first[2] or "/"
    if first:
        return _asked(making, first[1]), first[2] or "/"
    match = _URL.fullmatch(url if "://" in url else f"http://{url}")
    if match is None:
        raise Inexpressible("it has no URL" if not url else "its URL is no http or https URL")
    base = _base(match[1], making.resolved(match[2]))
    return VARIABLE.sub(lambda found: _asked(making, found[1]), base), match[3] or "/"


def _base(scheme: str, rest: str) -> str:
    if "$" in rest:  # it would be read from the environment, and sent there
        raise Inexpressible("no host name has a '$' in it")
    return f"{scheme.lower()}://{rest}"


def _asked(making: Making, variable: str) -> str:
    """What the operator says, as `base_url` reads it."""
    if looks_secret(variable, "x"):
        raise Inexpressible("a credential would be part of the host name")
    making.notes.append(f"set {outside(variable)} where the gateway is started: the base URL")
    return f"${{{outside(variable)}}}"


def _path(making: Making, request: Request, path: str) -> str:
    about = {pair.key: pair for pair in request.path_variables}
    steps: list[str] = []
    for step in (path if path.startswith("/") else f"/{path}").split("/"):
        if step.startswith(":") and len(step) > 1:
            pair = about.get(step[1:], Pair(step[1:], ""))
            schema: dict[str, Any] = {"type": "string"}
            if pair.value and not VARIABLE.search(pair.value):
                schema["examples"] = [pair.value]
            steps.append(making.argument(pair.key, schema, pair.description, required=True))
        elif VARIABLE.search(step):
            steps.append(making.text(step, required=True))
        elif is_random(step) and not _HEX.fullmatch(step):
            steps.append(making.secret("path"))
        else:
            steps.append(quote(step, safe="%:@!$&'()*+,;=~"))
    return "/".join(steps)


def _query(making: Making, given: tuple[Pair, ...], shown: Mapping[str, Any] | None) -> None:
    found: dict[str, Any] = {}
    for pair in given:
        if pair.key in (shown or {}).get("query", {}):
            continue
        sent = pair.enabled
        value = making.value(pair.key, pair.value, pair.description, sent=sent)
        before = found.get(pair.key)
        more = [*before, value] if isinstance(before, list) else [before, value]
        found[pair.key] = value if before is None else more
    if found:
        making.tool["query"] = found


def _headers(
    making: Making, given: tuple[Pair, ...], shown: Mapping[str, Any] | None, kind: str
) -> None:
    taken = {name.lower() for name in (shown or {}).get("header", {})}
    if shown and not {"header", "query"} & shown.keys():
        taken.add("authorization")
    found = {"Content-Type": kind} if kind else {}
    for pair in given:
        low = pair.key.lower()
        if not pair.enabled or not pair.value or low in OURS or low in taken:
            continue
        if low == "content-type" or VARIABLE.search(pair.key):
            continue
        found[pair.key] = _header(making, pair)
    if found:
        making.tool["headers"] = found


def _header(making: Making, pair: Pair) -> str:
    if VARIABLE.search(pair.value):
        return making.text(pair.value)
    scheme, rest = scheme_and_rest(pair.value)
    if looks_secret(pair.key, rest):
        return f"{scheme}{making.secret(pair.key)}"
    return literal(pair.value)


def _example(making: Making, request: Request) -> dict[str, Any] | None:
    """Of the first good answer that was saved, if its arguments are known."""
    wanted = [name for name, schema in making.args.items() if schema.get("required")]
    if any(name not in making.given for name in wanted):
        return None
    for response in request.responses:
        code, saved = response.get("code"), text(response.get("body"))
        if not isinstance(code, int) or not 200 <= code < 300 or len(saved) > LONGEST_REPLY:  # noqa: PLR2004  2xx
            continue
        try:
            answer = json.loads(saved)
        except (ValueError, RecursionError):
            continue
        status = {} if code == 200 else {"status": code}  # noqa: PLR2004  OK
        return {"args": making.given, "reply": {**status, "json": masked(answer)}}
    return None
