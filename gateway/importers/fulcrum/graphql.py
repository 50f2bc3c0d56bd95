"""GraphQL and JSON-RPC requests of fulcrum files → `graphql:` and `json:`.

The rule: no argument is pasted into a query. It is a variable of it, or a JSON value in it.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.importers.fulcrum.document import CONFIG, Path, Unconvertible
from gateway.importers.fulcrum.making import Making
from gateway.importers.fulcrum.words import Expression, Part
from gateway.importers.templates import literal

BODY: Path = (*CONFIG, "body")
STATIC: Path = (*CONFIG, "static_params")

_QUERY = re.compile(r"\s*(?:#[^\n]*\s*)*(?:\{|(?:query|mutation|subscription|fragment)\b)")
_ERRORS: dict[str, Any] = {
    "when": "body.errors",
    "message": "{{ body.errors | map(attribute='message') | join('; ') }}",
}


def as_graphql(making: Making, body: Any, path: Path) -> bool:
    """A JSON body that is a GraphQL request, as one. False: it is another's."""
    if not isinstance(body, Mapping) or not {"query"} <= body.keys() <= {"query", "variables"}:
        return False
    query, variables = body["query"], body.get("variables")
    if not isinstance(query, str) or not _QUERY.match(query):
        return False
    if not isinstance(variables, (Mapping, type(None))):
        return False
    values = making.words.value(dict(variables or {}), (*path, "variables"))
    _send(making, query, values, (*path, "query"))
    return True


def graphql(making: Making, path: str) -> None:
    """`service: graphql`."""
    document, words = making.document, making.words
    making.put("post", path, (*CONFIG, "endpoint"))
    body = document.at(*BODY)
    query = body.get("query") if isinstance(body, Mapping) else body
    variables: dict[str, Any] = {}
    for name, value in document.mapping(*STATIC).items():
        own = name in words.inputs
        variables[name] = str(words.use(name)) if own else words.value(value, (*STATIC, name))
    if "query" in words.inputs:
        _by_caller(making, query, variables)
        return
    if not isinstance(query, str):
        raise Unconvertible(BODY, "there is no query: neither a text, nor query: in the body")
    if "variables" not in words.inputs:
        _send(making, query, {**_named_in(making, query), **variables}, BODY)
        return
    making.put("json", {"query": literal(query), "variables": str(words.use("variables"))}, BODY)
    making.tool["errors"] = [_ERRORS]
    if variables:
        text = f"static variables come over only where a caller gives none: {', '.join(variables)}"
        raise Unconvertible(STATIC, text, "take the input 'variables' out, or static_params")


def _by_caller(making: Making, query: Any, variables: dict[str, Any]) -> None:
    """The caller writes the query: `graphql:` would not take it, JSON does."""
    words = making.words
    whole: dict[str, Any] = {"query": str(words.use("query"))}
    if isinstance(query, str):
        text = "the query of the file is not sent: callers give one"
        making.document.note(BODY, text)
    if "variables" in words.inputs:
        whole["variables"] = str(words.use("variables"))
    elif variables:
        whole["variables"] = variables
    making.put("json", whole, BODY)
    making.tool["errors"] = [_ERRORS]


def _named_in(making: Making, query: str) -> dict[str, str]:
    """Inputs of the names of the query's variables: that gateway left them out."""
    words = making.words
    names = [name for name in words.inputs if re.search(rf"\${re.escape(name)}\b", query)]
    if names:
        making.document.note(BODY, f"inputs that are variables of the query: {', '.join(names)}")
    return {name: str(words.use(name)) for name in names}


def _send(making: Making, query: str, variables: dict[str, Any], path: Path) -> None:
    parts = making.words.parts(query, path, loose=True)
    if all(isinstance(part, str) for part in parts):
        request: dict[str, Any] = {"query": query}
        making.put("graphql", {**request, "variables": variables} if variables else request, path)
        return
    making.document.note(path, "inputs in the query are sent as JSON values in it")
    text = "".join(_pasted(making, parts))
    making.put("json", {"query": text, **({"variables": variables} if variables else {})}, path)
    making.tool["errors"] = [_ERRORS]


def _pasted(making: Making, parts: list[Part]) -> list[str]:
    """An argument becomes a GraphQL value: quoted unless it is one of a few words (an enum)."""
    found: list[str] = []
    for part in parts:
        if not isinstance(part, Expression):
            quoted = found and found[-1].startswith("\0") and part.startswith('"')
            found.append(literal(part[1:] if quoted else part))
            continue
        schema = making.words.inputs.get(part.argument)
        words = isinstance(schema, Mapping) and "enum" in schema
        if found and found[-1].endswith('"'):
            found[-1] = found[-1][:-1]
            found.append(f"\0{{{{ {part.source} | tojson }}}}")
        else:
            found.append(str(part) if words else f"{{{{ {part.source} | tojson }}}}")
    return [text.removeprefix("\0") for text in found]


def jsonrpc(making: Making, path: str) -> bool:
    """`service: jsonrpc`. True: all arguments are sent."""
    document, words = making.document, making.words
    method = document.text(*CONFIG, "method").strip()
    if not method:
        raise Unconvertible((*CONFIG, "method"), "there is no method to call")
    making.put("post", path, (*CONFIG, "endpoint"))
    static = document.mapping(*STATIC)
    fixed = {name: words.value(each, STATIC) for name, each in static.items()}
    params: Any = {name: each for name, each in fixed.items() if words.is_static(name)}
    given = {name: str(words.use(name)) for name in words.inputs}
    params = {**params, **given} if params or not given else "{{ args }}"
    body = {"jsonrpc": "2.0", "id": 1, "method": literal(method), "params": params}
    making.put("json", body, (*CONFIG, "method"))
    message = "JSON-RPC error {{ body.error.code }}: {{ body.error.message }}"
    making.tool["errors"] = [{"when": "body.error", "message": message}]
    return True
