"""One content type of one body while it becomes arguments: what its writers share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.importers.openapi.merging import merged
from gateway.importers.openapi.model import Body, Media, Operation
from gateway.importers.openapi.request import Request
from gateway.importers.openapi.schema_parts import is_writable, required_names
from gateway.importers.wording import words

BASE64 = {"type": "string", "contentEncoding": "base64"}

_REPLACES = ("put", "patch")


@dataclass(frozen=True, slots=True)
class Sending:
    """`seen` is the media's schema, merged: a mapping, a boolean or None."""

    request: Request
    operation: Operation
    body: Body
    media: Media
    seen: Any

    @property
    def kind(self) -> str:
        """The content type without its parameters."""
        return self.media.kind.partition(";")[0].strip()

    def has_members(self) -> bool:
        return isinstance(self.seen, Mapping) and isinstance(self.seen.get("properties"), Mapping)

    def members(self) -> dict[str, Any]:
        """Name → schema, of what a request may set."""
        return self.request.converter.members(self.seen, 0)

    def required(self) -> list[str]:
        return required_names(self.seen)

    def node(self, name: str) -> Mapping[str, Any]:
        """What the document says of a member."""
        document = self.request.converter.document
        node = merged(document, document.mapping(self.seen.get("properties")).get(name))
        return node if isinstance(node, Mapping) else {}

    def member(self, name: str, schema: dict[str, Any]) -> str:
        """An argument for a member. Gives the expression that reads it."""
        node, required = self.node(name), name in self.required()
        described = schema if required else self._with_default(schema, node)
        described = {key: value for key, value in described.items() if key != "required"}
        read = self.request.argument(name, described, required=required, place="body")
        examples = [each for each in self.media.examples if isinstance(each, Mapping)][:1]
        given = [each[name] for each in examples if name in each]
        self.request.sample(read, [*given, *(node[key] for key in ("example",) if key in node)])
        return read

    def whole(self, schema: dict[str, Any], *, required: bool = False) -> str:
        """The body as one argument, which must be given where the document says so too."""
        text = words(self.body.description, self.request.converter.detail.words)
        if text and "description" not in schema:
            schema = {**schema, "description": text}
        required = self.body.required or required
        read = self.request.argument("body", schema, required=required, place="content")
        self.request.sample(read, self.media.examples)
        return read

    def _with_default(self, schema: dict[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
        """A default is sent by the gateway, which in an update would overwrite what is there."""
        value = node.get("default")
        if value is None or isinstance(value, (dict, list)) or not is_writable(value):
            return schema
        if self.operation.method not in _REPLACES:
            return {**schema, "default": value}
        text = words(f"{schema.get('description', '')} (default: {value})".strip(), 300)
        return {**schema, "description": text}
