"""What one live call sent and got -> an example, as an author would write it down, without secrets.

The rule: what is written must come out again offline, so result and error are those of the replies
as they are written, shortened and masked, never those of the live call.
"""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from gateway.capability import decode, truncate
from gateway.capability.compiled import CompiledTool
from gateway.capability.flow import Send, at_once
from gateway.capability.mock import BODIES, OK, Replies, reply_of
from gateway.capability.scrub import cleaned
from gateway.capability.tape import Exchange, Tape
from gateway.credentials.redact import MASK, Redactor
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse

KEPT: Final = ("location", "operation-location", "link", "retry-after")  # what flows go by
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
SECRETIVE: Final = re.compile(
    r"(?i)(?:access|refresh|id|auth|session|bearer|csrf)_?token|token|pass(?:word|wd|phrase)"
    r"|(?:client|api|app|shared)?_?secret(?:_?key)?|api_?key|private_?key|authorization|cookies?"
)


class NotRecorded(Exception):
    """There is nothing that could be written down; the message says why."""


def example_of(
    tool: CompiledTool, given: JsonObject, tape: Tape, redactor: Redactor, most: int
) -> dict[str, Any]:
    """The example of a call with the arguments `given`; bodies of at most `most` bytes each.

    Raises NotRecorded.
    """
    if any(exchange.response is None for exchange in tape.exchanges) or not tape.exchanges:
        raise NotRecorded("a request got no answer, so there is no reply to write down")
    example: dict[str, Any] = {"args": cleaned(dict(given), redactor)}
    requests = [_request(exchange.request, redactor) for exchange in tape.exchanges]
    replies = [_reply(exchange, redactor, most) for exchange in tape.exchanges]
    if len(replies) > 1:
        example["requests"] = requests
        example["replies"] = replies
    else:
        example["request"] = requests[0]
        example["reply"] = replies[0]
    if not any(requests):
        example.pop("requests", None)
        example.pop("request", None)
    example |= _outcome(tool, tool.prepare(given), replies)
    return example


def _request(request: HttpRequest, redactor: Redactor) -> dict[str, Any]:
    """Empty where a secret stands in it: an example could not say what must be there."""
    parts: dict[str, Any] = {"method": request.method, "url": request.url}
    if request.method == "GET":
        del parts["method"]
    kind = decode.media(dict(_lower(request)).get("content-type", "")).type
    if request.body and kind == JSON:
        parts["json"] = msgspec.json.decode(request.body)
    elif request.body and kind == FORM:
        parts["form"] = request.body.decode()
    data = msgspec.json.encode(parts)
    return parts if redactor.data(data) is data else {}


def _lower(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in request.headers]


def _reply(exchange: Exchange, redactor: Redactor, most: int) -> dict[str, Any]:
    response = exchange.response or HttpResponse(OK, {}, b"")
    reply: dict[str, Any] = {} if response.status == OK else {"status": response.status}
    found = decode.media(response.headers.get("content-type", ""))
    body = _body(response, found, redactor, most)
    headers = {name: response.headers[name] for name in KEPT if name in response.headers}
    if body and found.type and not BODIES[next(iter(body))].startswith(found.type):
        headers = {"content-type": found.type, **headers}
    if headers:
        reply["headers"] = cleaned(headers, redactor)
    return {**reply, **body}


def _body(
    response: HttpResponse, found: decode.Media, redactor: Redactor, most: int
) -> dict[str, Any]:
    if not response.body:
        return {}
    if found.kind == "json":
        try:
            value = decode.loads(decode.utf8(response.body, found.charset))
        except ValueError:
            return {"text": redactor.text(decode.text_of(response.body, found.charset))}
        return {"json": _fitting(_masked(cleaned(value, redactor)), most)}
    text = decode.sniff(response.body) if found.kind == "other" else None
    if found.kind == "text":
        text = decode.text_of(response.body, found.charset)
    if text is not None:
        return {"text": truncate.fit_text(redactor.text(text), most)}
    if len(response.body) > most or redactor.data(response.body) is not response.body:
        raise NotRecorded(f"{len(response.body)} bytes of {found.type or 'binary data'}")
    return {"base64": base64.b64encode(response.body).decode()}


def _fitting(value: Any, most: int) -> Any:
    data = msgspec.json.encode(value)
    return value if len(data) <= most else truncate.fit(value, data, most).value


def _masked(value: Any) -> Any:
    """Members whose names say that their texts are secret: the API's own, which we cannot know."""
    if isinstance(value, dict):
        return {
            name: MASK if isinstance(each, str) and SECRETIVE.fullmatch(name) else _masked(each)
            for name, each in value.items()
        }
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _outcome(
    tool: CompiledTool, args: JsonObject, replies: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`result` or `error`, as the replies give it offline; neither where it is no JSON or text."""
    try:
        result = played(tool, args, Replies([reply_of(each) for each in replies]))
    except GatewayError as error:
        return {"error": str(error)}
    if result.structured is not None:
        return {"result": msgspec.json.decode(result.structured)}
    text = result.content[0].get("text") if result.content else None
    return {} if text is None else {"result": text}


def played(tool: CompiledTool, args: JsonObject, replies: Replies) -> ToolResult:
    """A call that is answered by `replies`, at once. Raises GatewayError."""
    if tool.run is None:
        result: ToolResult = replies.read(partial(tool.read, args))
        return result
    flow = tool.run(args, lambda: math.inf)
    came: Any = None
    error: GatewayError | None = None
    while True:
        try:
            effect = flow.send(came) if error is None else flow.throw(error)
        except StopIteration as stop:
            ended: ToolResult = stop.value
            return ended
        came = error = None
        try:
            came = replies.read(at_once(effect, _untold)) if isinstance(effect, Send) else None
        except GatewayError as failed:
            error = failed


def _untold(_: object) -> None:
    """Nobody follows."""
