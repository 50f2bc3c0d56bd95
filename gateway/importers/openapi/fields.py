"""Bodies of named fields: `form:` in its styles, and the parts of `multipart:`."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.importers.base import Inexpressible
from gateway.importers.openapi import placing
from gateway.importers.openapi.merging import merged
from gateway.importers.openapi.model import Media
from gateway.importers.openapi.placing import Dropped, expression
from gateway.importers.openapi.sending import BASE64, Sending

_FILE_FORMATS = ("binary", "base64", "byte")


def form(sending: Sending) -> None:
    """Raises Inexpressible for a required field that no file can name."""
    fields: dict[str, str] = {}
    required = sending.required()
    for name, schema in sending.members().items():
        try:
            key, filters = _field(name, schema, sending.media.encoding.get(name))
        except Dropped as error:
            if name in required:
                raise Inexpressible(str(error)) from None
            sending.request.note(f"an optional field is left out: {error}")
            continue
        fields[key] = expression(sending.member(name, schema) + filters)
    sending.request.body = {"form": fields}


def _field(name: str, schema: Mapping[str, Any], encoding: Any) -> tuple[str, str]:
    """The field's key, and the filters its value goes through."""
    key = placing.fixed_name(name)
    said = encoding if isinstance(encoding, Mapping) else {}
    style = str(said.get("style", ""))
    if style == "deepObject":
        return key, " | indexed" if placing.holds_lists(schema) else ""
    separator = placing.SEPARATORS.get(style, ",")
    if placing.is_list(schema) and (style in placing.SEPARATORS or said.get("explode") is False):
        return key, f" | join('{separator}')"
    return key, " | tojson" if _is_structure(schema) and not style else ""


def _is_structure(schema: Mapping[str, Any]) -> bool:
    """An object, or a list of objects: what a form cannot say by itself."""
    items = schema.get("items")
    nested = isinstance(items, Mapping) and placing.is_object(items)
    return placing.is_object(schema) or (placing.is_list(schema) and nested)


def multipart(sending: Sending) -> None:
    """Raises Inexpressible."""
    if not sending.has_members():
        raise Inexpressible("the parts of its multipart body are not described")
    parts: dict[str, Any] = {}
    for name, schema in sending.members().items():
        try:
            key = placing.fixed_name(name)
        except Dropped as error:
            raise Inexpressible(str(error)) from None
        kind = _content_type(sending.media, name)
        if _is_file(sending, sending.node(name)):
            read = sending.member(name, {**BASE64, **_described(schema)})
            parts[key] = _file(read, key, kind)
        elif _is_structure(schema):
            read = sending.member(name, schema)
            parts[key] = {
                "data": expression(f"{read} | tojson"),
                "content_type": "application/json",
            }
        else:
            parts[key] = expression(sending.member(name, schema))
    sending.request.body = {"multipart": parts}


def is_binary(seen: Any) -> bool:
    """A text that stands for bytes."""
    if not isinstance(seen, Mapping) or seen.get("type") not in (None, "string", "file"):
        return False
    return seen.get("type") == "file" or seen.get("format") == "binary"


def _is_file(sending: Sending, node: Mapping[str, Any]) -> bool:
    if node.get("type") == "array":
        items = merged(sending.request.converter.document, node.get("items"))
        if isinstance(items, Mapping) and _is_file(sending, items):
            sending.request.note("a list of files is one file here")
            return True
        return False
    if is_binary(node):
        return True
    encoded = node.get("format") in _FILE_FORMATS or "contentMediaType" in node
    return encoded and node.get("type") in (None, "string")


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": schema["description"]} if "description" in schema else {}


def _file(read: str, name: str, kind: str | None) -> dict[str, str]:
    return {
        "data": expression(f"{read} | b64decode"),
        "filename": re.sub(r"[^A-Za-z0-9._-]", "_", name) or "file",
        "content_type": kind or "application/octet-stream",
    }


def _content_type(media: Media, name: str) -> str | None:
    said = media.encoding.get(name)
    given = said.get("contentType") if isinstance(said, Mapping) else None
    kind = given.partition(",")[0].strip() if isinstance(given, str) else ""
    return kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else None
