"""Parameters and bodies of OpenAPI 2.0, where a form's fields and the body are parameters too."""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.importers.base import Inexpressible
from gateway.importers.openapi.document import Document
from gateway.importers.openapi.model import PLACES, Body, Media, Parameter

_STYLES = {  # collectionFormat → style, explode
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

Inputs = tuple[tuple[Parameter, ...], Body | None]


def inputs(
    document: Document, operation: Mapping[str, Any], given: Iterable[Mapping[str, Any]]
) -> Inputs:
    """Raises Inexpressible."""
    parameters: list[Parameter] = []
    fields: list[Mapping[str, Any]] = []
    body: Mapping[str, Any] | None = None
    for each in given:
        match each.get("in"):
            case "body":
                body = each
            case "formData" | "form":
                fields.append(each)
            case place if place in PLACES:
                parameters += _parameter(each)
            case other if each.get("required") is True:
                raise Inexpressible(f"a parameter stands in {str(other)[:40]!r}")
    kinds = _consumed(document, operation)
    if fields:
        return tuple(parameters), _form(fields, kinds)
    return tuple(parameters), _body(body, kinds) if body is not None else None


def _parameter(node: Mapping[str, Any]) -> list[Parameter]:
    name, place = node.get("name"), node["in"]
    if not isinstance(name, str) or not name:
        return []
    schema = node["schema"] if isinstance(node.get("schema"), Mapping) else _schema(node)
    style, explode = _style(node)
    if place != "query" and style == "form":
        style = "simple"
    required = node.get("required") is True or place == "path"
    text = node.get("description")
    description = text if isinstance(text, str) else ""
    return [
        Parameter(
            name, place, required, schema, style, explode, False, description, _examples(node)
        )
    ]


def _style(node: Mapping[str, Any]) -> tuple[str, bool]:
    return _STYLES.get(str(node.get("collectionFormat", "csv")), ("form", False))


def _schema(node: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that is not in the body is its own schema."""
    beside = ("name", "in", "required", "description", "collectionFormat", "allowEmptyValue")
    return {key: value for key, value in node.items() if key not in beside}


def _examples(node: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(node[key] for key in ("x-example", "example") if key in node)[:1]


def _consumed(document: Document, operation: Mapping[str, Any]) -> list[str]:
    own = operation.get("consumes")
    given = document.listed(document.root.get("consumes") if own is None else own)
    return [
        each.lower() for each in given if isinstance(each, str) and "/" in each and "{" not in each
    ]


def _form(fields: list[Mapping[str, Any]], kinds: list[str]) -> Body:
    properties: dict[str, Any] = {}
    encoding: dict[str, Any] = {}
    required: list[str] = []
    for each in fields:
        name = each.get("name")
        if not isinstance(name, str) or not name:
            continue
        text = each.get("description")
        properties[name] = {**_schema(each), **({"description": text} if text else {})}
        if each.get("required") is True:
            required.append(name)
        if each.get("type") == "array":
            style, explode = _style(each)
            encoding[name] = {"style": style, "explode": explode}
    schema = {"type": "object", "properties": properties, "required": required}
    files = any(each.get("type") == "file" for each in fields)
    only_form = any(kind.startswith(FORM) for kind in kinds) or MULTIPART not in kinds
    kind = FORM if only_form and not files else MULTIPART
    return Body(bool(required), (Media(kind, schema, encoding),))


def _body(node: Mapping[str, Any], kinds: list[str]) -> Body:
    text = node.get("description")
    examples = _examples(node)
    usable = [kind for kind in kinds if not kind.startswith((FORM, MULTIPART))]
    media = tuple(
        Media(kind, node.get("schema"), {}, examples) for kind in usable or ["application/json"]
    )
    return Body(node.get("required") is True, media, text if isinstance(text, str) else "")
