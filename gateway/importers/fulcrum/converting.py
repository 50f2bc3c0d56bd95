"""The bytes of one fulcrum file → one tool, or an MCP server, or why it stays what it is.

The rule: nothing is dropped silently. What has no place in a capability file is a note, or stands
below `x-fulcrum` for people.
"""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from gateway.capability.file.model import METHODS
from gateway.capability.file.yaml import Parsed, parse
from gateway.domain.issue import Issue
from gateway.importers.fulcrum import address, auth, graphql, inputs, mcp, request, response
from gateway.importers.fulcrum import words as language
from gateway.importers.fulcrum.describing import describe
from gateway.importers.fulcrum.document import CONFIG, Document, Path, Unconvertible
from gateway.importers.fulcrum.making import TOOL_LENGTH, Making, valid_name
from gateway.importers.fulcrum.reading import read, service
from gateway.importers.fulcrum.secrets import Secrets

LEFT_OUT = {
    "webhooks": "webhooks are not received",
    "projection": "projection is left out: the answer stays as it is",
    "visible_in_states": "the tool is there in every state",
}
LEFT_OUT_OF_CONFIG = {"fallback": "the fallback is left out"}


@dataclass(frozen=True, slots=True)
class Converted:
    """`tree` is a whole capability file of one tool; `server` a backend of gateway.yaml: its name
    and its entry. Neither: `issues` say why. `origins` is place in `tree` → path in the file.
    """

    parsed: Parsed
    tree: dict[str, Any] | None = None
    server: tuple[str, dict[str, Any]] | None = None
    issues: tuple[Issue, ...] = ()
    origins: dict[str, Path] = field(default_factory=dict)


def convert(data: bytes, file: str) -> Converted:
    """Never raises, whatever the bytes. The tree has not been seen by the loader yet."""
    parsed = parse(data, file)
    if parsed.issues:
        return Converted(parsed, issues=parsed.issues)
    try:
        document = read(parsed, data)
        kind = service(document)
        if kind == "mcp":
            return _server(document)
        return _tool(document, kind)
    except Unconvertible as error:
        issue = parsed.issue(error.path, str(error), error.hint)
        return Converted(parsed, issues=(issue,))


def _server(document: Document) -> Converted:
    name = document.text("name").strip() or PurePath(document.file).stem
    entry = mcp.entry(document)
    return Converted(document.parsed, None, (name, entry), tuple(document.notes))


def _tool(document: Document, kind: str) -> Converted:
    secrets = Secrets(document)
    static = document.mapping(*request.STATIC)
    words = language.Words(document, inputs.declared(document), static, secrets)
    stem = document.text("name").strip() or PurePath(document.file).stem
    name = valid_name(stem, TOOL_LENGTH)
    if name != stem:
        document.note(("name",), f"the tool's name is {name}: only a-z, 0-9 and '_', at most 48")
    making = Making(document, words, secrets, name)
    auth.auth(making)
    path = address.address(making)
    every = _requested(making, kind, path)
    auth.settle(making)
    response.response(making, kind)
    inputs.arguments(making, path, every=every)
    method = next(key for key in making.tool if key in METHODS)
    response.behaviour(making, method)
    _tell_left_out(document)
    tree = describe(making)
    notes = tuple(sorted(document.notes, key=lambda issue: (issue.line, issue.column)))
    return Converted(document.parsed, tree, None, notes, making.origins)


def _requested(making: Making, kind: str, path: str) -> bool:
    """Writes the request. True: it sends all arguments."""
    if kind == "rest":
        return request.rest(making, path)
    every = False
    if kind == "jsonrpc":
        every = graphql.jsonrpc(making, path)
    else:
        graphql.graphql(making, path)
    request.headers(making, request.JSON)
    return every


def _tell_left_out(document: Document) -> None:
    for key, text in LEFT_OUT.items():
        if document.at(key):
            document.note((key,), text)
    for key, text in LEFT_OUT_OF_CONFIG.items():
        if document.at(*CONFIG, key):
            document.note((*CONFIG, key), text)
    for name in document.mapping("providers").keys() - {"primary"}:
        document.note(("providers", name), f"providers.{name} is left out: there is one API")
    if document.text("cache", "key_template"):
        document.note(("cache", "key_template"), "answers are kept by the request that was sent")
