"""The bytes of a fulcrum file → a document that can be converted, or why it cannot be.

What is refused here is refused whatever the rest says: a broken seal, a program to run, a tool that
is one person's own.
"""

import re
from hashlib import sha256

from gateway.capability.file.yaml import Parsed
from gateway.importers.fulcrum.document import CONFIG, PRIMARY, Document, Unconvertible

REST = ("rest", "")
SERVICES = (*REST, "graphql", "jsonrpc", "mcp")

_SEAL = re.compile(rb"^sha256:[^\n]*\n?", re.MULTILINE)


def read(parsed: Parsed, data: bytes) -> Document:
    """Raises Unconvertible. `parsed` is without issues."""
    if not isinstance(parsed.tree, dict):
        raise Unconvertible((), "the file is no mapping")
    document = Document(parsed, parsed.tree)
    _sealed(document, data)
    _callable_by_all(document)
    _has_provider(document)
    return document


def service(document: Document) -> str:
    """One of SERVICES; what else a file says there was called as REST."""
    named = document.text(*PRIMARY, "service").strip().lower()
    if named in SERVICES:
        return "rest" if named in REST else named
    document.note((*PRIMARY, "service"), f"the service {named!r} is unknown: called as REST")
    return "rest"


def seal(data: bytes) -> str:
    """SHA-256 of the file without the lines that hold the seal itself, in hex."""
    return sha256(_SEAL.sub(b"", data)).hexdigest()


def _sealed(document: Document, data: bytes) -> None:
    expected = document.text("sha256").strip()
    if expected and expected.lower() != seal(data):
        raise Unconvertible(
            ("sha256",),
            "the file is not the one that was sealed: its sha256 is another",
            "look at what changed in it; then remove the line, or seal it anew",
        )


def _callable_by_all(document: Document) -> None:
    exposure = document.text("metadata", "exposure").strip().lower()
    if exposure not in ("", "shared"):
        raise Unconvertible(
            ("metadata", "exposure"),
            f"exposure: {exposure} lets one person alone call it, which no capability file can say",
            "remove it when everybody who reaches the gateway may call it",
        )


def _has_provider(document: Document) -> None:
    providers = document.mapping("providers")
    if not providers and document.at("webhooks"):
        raise Unconvertible(
            ("webhooks",),
            "it receives webhooks and calls nothing: there is no tool in it",
            "the gateway receives no webhooks",
        )
    if "primary" not in providers:
        raise Unconvertible(("providers",), "there is no providers.primary")
    if document.text(*PRIMARY, "service").strip().lower() == "cli":
        program = document.text(*CONFIG, "command").strip()
        raise Unconvertible(
            (*PRIMARY, "service"),
            f"service: cli starts a program{f' ({program})' if program else ''} for each call;"
            " a capability file calls a REST API",
            "use an MCP server that offers it, below backends: of gateway.yaml",
        )
    document.mapping(*CONFIG)
