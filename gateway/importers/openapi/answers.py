"""What an operation answers when all is well: content types, and one example."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.importers.openapi.document import Document
from gateway.importers.openapi.model import Answers
from gateway.importers.openapi.parameters import MOST_EXAMPLES

_FIRST_ERROR = 300


def answers(document: Document, operation: Mapping[str, Any]) -> Answers:
    kinds: dict[str, None] = {}
    examples: list[Any] = []
    status, files = 200, []
    for code, response in _successes(document, operation):
        files.append(_is_file(document, response))
        status = code if not examples else status
        for kind, media in _media(document, operation, response):
            kinds[kind] = None
            if "json" in kind:
                examples += media
    return Answers(
        tuple(kinds), bool(files) and all(files), status, tuple(examples[:MOST_EXAMPLES])
    )


def _successes(
    document: Document, operation: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for code, node in document.mapping(operation.get("responses")).items():
        text = str(code).lower()
        if text.startswith("2"):
            status = int(text) if text.isdecimal() and 200 <= int(text) < _FIRST_ERROR else 200  # noqa: PLR2004  2xx
            yield status, document.mapping(node)


def _media(
    document: Document, operation: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, list[Any]]]:
    """Content type → examples."""
    if document.is_swagger:
        given = document.mapping(response.get("examples"))
        produced = operation.get("produces", document.root.get("produces"))
        for kind in {**dict.fromkeys(map(str, document.listed(produced))), **given}:
            yield kind.lower(), [given[kind]] if kind in given else []
        return
    for kind, node in document.mapping(response.get("content")).items():
        media = document.mapping(node)
        found = [media["example"]] if "example" in media else []
        for each in list(document.mapping(media.get("examples")).values())[:MOST_EXAMPLES]:
            value = document.see(each)
            if isinstance(value, Mapping) and "value" in value:
                found.append(value["value"])
        yield str(kind).lower(), found


def _is_file(document: Document, response: Mapping[str, Any]) -> bool:
    """`type: file` of 2.0, or `format: binary` and nothing else of 3.0."""
    if document.is_swagger:
        return document.mapping(response.get("schema")).get("type") == "file"
    media = document.mapping(response.get("content")).values()
    schemas = [document.mapping(document.mapping(each).get("schema")) for each in media]
    return bool(schemas) and all(each.get("format") == "binary" for each in schemas)
