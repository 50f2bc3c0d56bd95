"""A tool: what is listed, how it is named, and what a call of it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

JsonObject = Mapping[str, Any]


class ToolRef(NamedTuple):
    """The gateway-wide name of a tool. `str()` gives `backend:name`."""

    backend: str
    name: str

    def __str__(self) -> str:
        return f"{self.backend}:{self.name}"


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable tool.

    `definition` is the MCP `Tool` object exactly as it is listed (name, description, inputSchema,
    …), unknown fields included: the gateway reads it and never rewrites it. `tags` and `samples`
    (texts of example arguments) are for search only and never reach the wire.
    """

    ref: ToolRef
    definition: JsonObject
    tags: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        return str(self.definition.get("description") or "")

    @property
    def input_schema(self) -> JsonObject:
        schema = self.definition.get("inputSchema")
        return schema if isinstance(schema, Mapping) else {}

    @property
    def properties(self) -> Mapping[str, Any]:
        """Argument name → its JSON Schema."""
        found = self.input_schema.get("properties")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave: MCP `CallToolResult` in our own terms.

    `content` holds MCP content blocks. `structured` is the JSON text (UTF-8) of
    `structuredContent`, never parsed again; None means there is none. `meta` becomes the result's
    `_meta`. `asked`: the backend was asked for it, now; it was not kept from before.
    """

    content: tuple[JsonObject, ...]
    structured: bytes | None = None
    is_error: bool = False
    meta: JsonObject | None = None
    asked: bool = True


def text_result(text: str, *, is_error: bool = False) -> ToolResult:
    return ToolResult(({"type": "text", "text": text},), is_error=is_error)
