"""The body of one tool's request: which content type is sent, and what of it are arguments."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.capability.expressions.template import has_template
from gateway.capability.file.annotations import READS
from gateway.importers.base import Inexpressible
from gateway.importers.names import argument_name
from gateway.importers.openapi.fields import form, is_binary, multipart
from gateway.importers.openapi.merging import merged, united
from gateway.importers.openapi.model import Body, Media, Operation
from gateway.importers.openapi.placing import expression
from gateway.importers.openapi.request import Request
from gateway.importers.openapi.schema_parts import accepts
from gateway.importers.openapi.sending import BASE64, Sending
from gateway.importers.wording import words

MOST_MEMBERS = 80  # of a body that become arguments

_FORM = "application/x-www-form-urlencoded"
_STREAMED = re.compile(r"json-seq|ndjson|jsonl|json-lines|stream\+json")
_AS_TEXT = re.compile(
    r"text/|.*(?:yaml|csv|graphql|javascript|ndjson|jsonl|json-seq|xml|html|sparql|sql)"
)
_OF_TEXT = ("minLength", "maxLength", "pattern", "enum")
_ORDER = ("json", "form", "multipart", "text", "xml", "bytes")  # which of several is sent


def fill_body(request: Request, operation: Operation) -> None:
    """Raises Inexpressible and TooLarge."""
    body = operation.body
    if body is None:
        return
    if operation.method in READS:
        if body.required:
            raise Inexpressible(f"a body with {operation.method.upper()}")
        request.note(f"the optional body of a {operation.method.upper()} is left out")
        return
    media, seen = _chosen(request, body)
    family = _family(media.kind)
    others = sorted({_family(each.kind) for each in body.media} - {family})
    if others:
        request.note(f"the body may also be {', '.join(others)}: {family} is sent")
    _WRITERS[family](Sending(request, operation, body, media, seen))


def _chosen(request: Request, body: Body) -> tuple[Media, Any]:
    """The content type to send, and its schema; not parts that nobody described, if it can be."""
    document = request.converter.document
    found: list[tuple[Media, Any]] = []
    for media in sorted(body.media, key=lambda each: _rank(each.kind)):
        family, seen = _family(media.kind), merged(document, media.schema)
        if family in ("form", "multipart"):
            seen = united(document, seen)
        if family != "multipart" or (isinstance(seen, Mapping) and seen.get("properties")):
            return media, seen
        found.append((media, seen))
    return found[0]


def _family(kind: str) -> str:
    kind = kind.partition(";")[0].strip()
    if kind == _FORM:
        return "form"
    if kind.startswith("multipart/"):
        return "multipart"
    if ("json" in kind and not _STREAMED.search(kind)) or kind == "*/*":
        return "json"
    if kind.endswith(("/xml", "+xml")):
        return "xml"
    return "text" if _AS_TEXT.match(kind) else "bytes"


def _rank(kind: str) -> tuple[int, bool]:
    plain = kind in ("application/json", _FORM, "text/plain")
    return _ORDER.index(_family(kind)), not plain


def _json(sending: Sending) -> None:
    request = sending.request
    if is_binary(sending.seen):
        _bytes(sending)
        return
    if sending.media.kind not in ("application/json", "*/*"):
        request.headers["Content-Type"] = sending.media.kind
    members = _flat_members(sending)
    if members is None:
        schema = request.converter.schema(sending.media.schema, 1)
        # without an argument {} is sent: where that is no body, it has to be given
        read = sending.whole(schema, required=not accepts(schema, {}))
        request.body = {"json": expression(read)}
        return
    whole = "{{ rest }}" if request.args else "{{ args }}"
    names = {name: sending.member(name, schema) for name, schema in members.items()}
    plain = all(read == f"args.{name}" for name, read in names.items())
    found = {name: expression(read) for name, read in names.items()}
    request.body = {"json": whole if found and plain else found}


def _flat_members(sending: Sending) -> dict[str, Any] | None:
    """The properties, when each can be an argument of its own name; None when not."""
    if not _is_flat(sending.seen):
        return None
    request = sending.request
    members = sending.members()
    names = [argument_name(name) for name in members]
    if not request.args.keys().isdisjoint(names):
        request.note("the body is one argument: its members have names of other parameters")
        return None
    fits = len(set(names)) == len(names) <= MOST_MEMBERS
    return members if fits and not any(map(_is_no_key, members)) else None


def _is_no_key(name: str) -> bool:
    return has_template(name) or name == "..."


def _is_flat(seen: Any) -> bool:
    """An object of known members and nothing else."""
    if not isinstance(seen, Mapping) or not isinstance(seen.get("properties"), Mapping):
        return False
    if seen.get("type") not in (None, "object", ["object"]) or not seen["properties"]:
        return False
    more = seen.get("additionalProperties")
    return not (isinstance(more, Mapping) and more) and not seen.keys() & {"oneOf", "anyOf"}


def _form(sending: Sending) -> None:
    if sending.has_members():
        form(sending)
    else:
        _text(sending)


def _text(sending: Sending) -> None:
    converter = sending.request.converter
    schema = converter.schema(sending.media.schema, 1)
    described = schema.get("description") or words(sending.body.description, converter.detail.words)
    note = "" if sending.kind == "text/plain" else f"(the whole body, {sending.kind})"
    text = f"{described} {note}".strip() or "The whole body"
    limits = {
        key: schema[key] for key in _OF_TEXT if key in schema and sending.kind == "text/plain"
    }
    read = sending.whole({"type": "string", "description": text, **limits})
    sending.request.body = {"text": expression(read)}
    if sending.media.kind != "text/plain":
        sending.request.headers["Content-Type"] = sending.media.kind


def _bytes(sending: Sending) -> None:
    plain = Media(sending.media.kind, None)  # its examples are no base64
    whole = Sending(sending.request, sending.operation, sending.body, plain, None)
    read = whole.whole({**BASE64, "description": "The whole body, base64"})
    sending.request.body = {"bytes": expression(f"{read} | b64decode")}
    if "*" not in plain.kind and plain.kind != "application/octet-stream":
        sending.request.headers["Content-Type"] = plain.kind


_WRITERS: Final[dict[str, Callable[[Sending], None]]] = {
    "json": _json,
    "form": _form,
    "multipart": multipart,
    "text": _text,
    "xml": _text,
    "bytes": _bytes,
}
