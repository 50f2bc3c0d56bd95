"""The file in an answer, for a person's disk: bytes of a tool are nothing that a terminal shows."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.domain.naming import Owned, owner_named
from gateway.runtime.view import View

DATA = ("image", "audio")


@dataclass(frozen=True, slots=True)
class AnsweredFile:
    type: str
    data: bytes


async def file_of(
    view: View, backend: str, content: Sequence[Mapping[str, Any]]
) -> AnsweredFile | None:
    """The first file in a result's `content`; None without one. Raises GatewayError."""
    for block in content:
        if block["type"] in DATA:
            return _file(block, block["data"])
        if block["type"] == "resource":
            return _embedded(block["resource"])
        if block["type"] == "resource_link":
            owned = owner_named(block["uri"]) or Owned(backend, block["uri"])
            read = await view.query(owned.backend, "resources/read", {"uri": owned.name})
            return _embedded(msgspec.json.decode(read.raw)["contents"][0])
    return None


def _embedded(resource: Mapping[str, Any]) -> AnsweredFile:
    if "blob" in resource:
        return _file(resource, resource["blob"])
    return AnsweredFile(resource.get("mimeType", "text"), resource["text"].encode())


def _file(said: Mapping[str, Any], data: str) -> AnsweredFile:
    return AnsweredFile(said.get("mimeType", "no type given"), base64.b64decode(data))
