"""Parameters and request bodies of OpenAPI 3.x."""

from collections.abc import Mapping
from typing import Any

from gateway.importers.base import Inexpressible
from gateway.importers.openapi.document import Document
from gateway.importers.openapi.model import PLACES, Body, Media, Parameter

_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
MOST_EXAMPLES = 3


def parameter(document: Document, node: Mapping[str, Any]) -> Parameter | None:
    """None for one that says nothing of use. Raises Inexpressible."""
    name, place = node.get("name"), node.get("in")
    required = node.get("required") is True or place == "path"
    if not isinstance(name, str) or not name or place not in PLACES:
        if required and place not in (None, *PLACES):
            raise Inexpressible(f"a parameter stands in {str(place)[:40]!r}")
        return None
    style = node.get("style")
    style = style if isinstance(style, str) else _STYLES[place]
    explode = node.get("explode")
    content = document.mapping(node.get("content"))
    schema, as_json, examples = node.get("schema"), False, _examples(document, node)
    if content and schema is None:
        kind, media = next(iter(content.items()))
        found = document.mapping(media)
        schema, as_json = found.get("schema"), "json" in str(kind)
        examples = examples or _examples(document, found)
    return Parameter(
        name,
        place,
        required,
        schema,
        style,
        explode if isinstance(explode, bool) else style in ("form", "deepObject"),
        as_json,
        _text(node.get("description")),
        examples,
    )


def body(document: Document, node: Any) -> Body | None:
    found = document.mapping(node)
    content = document.mapping(found.get("content"))
    media: list[Media] = []
    for kind, each in content.items():
        seen = document.mapping(each)
        encoding = document.mapping(seen.get("encoding"))
        media.append(Media(_kind(kind), seen.get("schema"), encoding, _examples(document, seen)))
    if not media:
        return None
    return Body(found.get("required") is True, tuple(media), _text(found.get("description")))


def _examples(document: Document, node: Mapping[str, Any]) -> tuple[Any, ...]:
    """Values, those of the node itself first."""
    found = [node["example"]] if "example" in node else []
    for each in list(document.mapping(node.get("examples")).values())[:MOST_EXAMPLES]:
        value = document.see(each)
        if isinstance(value, Mapping) and "value" in value:
            found.append(value["value"])
    return tuple(found)


def _kind(kind: Any) -> str:
    """A content type in lower case, its parameters kept; what no header could hold is JSON."""
    text = str(kind).strip()
    fits = text.isascii() and text.isprintable() and "{" not in text and "/" in text
    return text.lower() if fits else "application/json"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
