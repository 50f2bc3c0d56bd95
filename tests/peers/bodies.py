"""Capability files of one tool, and their request bodies read by somebody else's parsers."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from gateway.capability.compile import Compiled
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.http.message import HttpRequest

HEAD = """
capability: 1
name: api
description: An API
base_url: https://api.example.com
"""


def loaded(tool: dict[str, Any], file: dict[str, Any] | None = None) -> Loaded:
    """JSON is YAML."""
    spec = {"description": "Create a thing.", **tool}
    text = HEAD + "".join(f"{key}: {json.dumps(each)}\n" for key, each in (file or {}).items())
    text += f"tools: {json.dumps({'t': spec})}\n"
    return load(text.encode(), "api.yaml", environ={}, redactor=Redactor())


def compiled(tool: dict[str, Any], file: dict[str, Any] | None = None) -> Compiled:
    found = loaded(tool, file)
    assert found.capability is not None, [str(issue) for issue in found.issues]
    return found.tools["t"]


def sent(tool: dict[str, Any], args: dict[str, Any], file: dict[str, Any] | None = None) -> Any:
    made = compiled(tool, file).tool
    return made.request(made.prepare(args))


def header(request: HttpRequest, name: str) -> str:
    (value,) = [value for key, value in request.headers if key.lower() == name.lower()]
    return value


def parts(request: HttpRequest) -> list[tuple[str, str | None, str | None, bytes]]:
    """Name, file name, content type and bytes of each part, as Python's email package reads it."""
    head = f"Content-Type: {header(request, 'Content-Type')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + (request.body or b""))
    assert message.is_multipart(), message.defects
    assert not message.defects
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        found.append((name, part.get_filename(), part["Content-Type"], data))
    return found
