"""`service: mcp` of a fulcrum file → an entry of `backends:` in gateway.yaml."""

from collections.abc import Callable
from typing import Any

from gateway.importers.fulcrum.describing import first_sentence, without_keywords
from gateway.importers.fulcrum.document import CONFIG, PRIMARY, Document, Unconvertible
from gateway.importers.fulcrum.words import PLACEHOLDER
from gateway.importers.literals import Variables

_KNOWN = frozenset(
    {"command", "args", "env", "cwd", "headers", "transport", "url", "base_url", "path", "endpoint"}
)


def entry(document: Document) -> dict[str, Any]:
    """Raises Unconvertible when it says no way to reach the server."""
    found: dict[str, Any] = {}
    text, _ = without_keywords(document)
    if text:
        found["description"] = first_sentence(text)
    variables = Variables()
    found |= _way(document, variables)
    if variables.asked:
        text = f"a credential is written out: set {', '.join(variables.asked)} in its place"
        document.note(CONFIG, text)
    timeout = document.at(*PRIMARY, "timeout")
    if isinstance(timeout, (int, float)):
        found["timeout"] = f"{timeout}s"
    for key in document.mapping(*CONFIG).keys() - _KNOWN:
        document.note((*CONFIG, key), f"{key} is left out")
    if document.mapping("schema", "input"):
        document.note(("schema", "input"), "the server itself says what its tools take")
    return found


def _way(document: Document, variables: Variables) -> dict[str, Any]:
    command = document.at(*CONFIG, "command")
    if command:
        words = [str(word) for word in document.items(*CONFIG, "args")]
        args = [_reference(word, "args") for word in words]
        owner = document.text("name") or "server"
        found = {
            "command": _reference(str(command), "command"),
            "args": variables.in_arguments(args, owner),
        }
        env = _references(document, "env", variables.in_pair)
        cwd = document.text(*CONFIG, "cwd").strip()
        whole = {**found, "env": env, "cwd": cwd}
        return {key: value for key, value in whole.items() if value}
    url = _url(document)
    if not url:
        raise Unconvertible(CONFIG, "there is neither a command nor a URL of an MCP server")
    way = "sse_url" if document.text(*CONFIG, "transport").lower() == "sse" else "http_url"
    way = "ws_url" if url.startswith(("ws://", "wss://")) else way
    headers = _references(document, "headers", variables.in_header)
    url = variables.in_url(url, document.text("name") or "server")
    return {way: url, **({"headers": headers} if headers else {})}


def _url(document: Document) -> str:
    whole = document.text(*CONFIG, "url") or document.text(*CONFIG, "endpoint")
    base = document.text(*CONFIG, "base_url") + document.text(*CONFIG, "path")
    return _reference((whole or base).strip(), "url")


def _references(
    document: Document, key: str, hide: Callable[[str, str, str], str]
) -> dict[str, str]:
    given = document.texts(*CONFIG, key)
    owner = document.text("name") or "server"
    return {name: hide(name, _reference(value, key), owner) for name, value in given.items()}


def _reference(text: str, key: str) -> str:
    """`{env.X}` as gateway.yaml writes it."""
    for match in PLACEHOLDER.finditer(text):
        if not match[1].startswith("env."):
            at = (*CONFIG, key)
            raise Unconvertible(at, f"{match[0]} cannot be known when the server is started")
    return PLACEHOLDER.sub(lambda match: f"${{{match[1].removeprefix('env.')}}}", text)
