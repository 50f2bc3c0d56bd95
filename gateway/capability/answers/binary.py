"""Bytes as a result: an image, a sound or a resource of MCP, or a file that is linked to.

A type is what the answer says it is; where it says nothing, what its first bytes look like.
"""

import base64
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from gateway.capability import media_types
from gateway.capability.answers.decode import IMAGES
from gateway.capability.answers.truncate import spaced
from gateway.capability.compiled import Oversize
from gateway.capability.expressions.values import RenderError
from gateway.capability.file_name import file_name
from gateway.domain.tool import JsonObject, ToolResult

_NAMED: Final = re.compile(r"""filename\*=(?:utf-8|iso-8859-1)'[\w-]*'([^;\s]+)""", re.IGNORECASE)
_PLAINLY: Final = re.compile(r"""filename=(?:"([^"]*)"|([^;\s]+))""", re.IGNORECASE)


def block(type_: str, body: bytes, uri: str) -> JsonObject:
    """The MCP content block of `body`; `uri` is what an embedded resource is called."""
    data = base64.b64encode(body).decode()
    if type_ in IMAGES:
        return {"type": "image", "data": data, "mimeType": type_}
    if type_.startswith("audio/"):
        return {"type": "audio", "data": data, "mimeType": type_}
    return {"type": "resource", "resource": {"uri": uri, "mimeType": type_, "blob": data}}


def name_of(headers: Mapping[str, str], tool: str, type_: str) -> str:
    """What the answer calls its file (RFC 6266), else the tool and the usual ending of its type."""
    said = headers.get("content-disposition", "")
    encoded, plain = _NAMED.search(said), _PLAINLY.search(said)
    usual = f"{tool}.{media_types.ending_of(type_)}"
    text = unquote(encoded[1]) if encoded else (plain[1] or plain[2] if plain else None)
    try:
        return file_name(text or usual, usual)
    except RenderError:
        return usual


def link(file: Oversize) -> JsonObject:
    """The MCP content block that tells of `file`, but for where it is."""
    size = len(file.data)
    return {"type": "resource_link", "name": file.name, "mimeType": file.type, "size": size}


def linked(file: Oversize, uri: str, minutes: int) -> ToolResult:
    """The result that tells where `file` is kept."""
    text = (
        f"{file.name}: {spaced(len(file.data))} bytes of {file.type}, more than fit a result. "
        f"Read them as the resource {uri} within {minutes} minutes."
    )
    return ToolResult(({**link(file), "uri": uri}, {"type": "text", "text": text}))
