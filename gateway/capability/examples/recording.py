"""What one live call sent and got -> an example, as an author would write it down, without secrets.

The rule: what is written must come out again offline, so result and error are those of the replies
as they are written, shortened and masked, never those of the live call.
"""

import base64
import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.capability.answers import decode, truncate
from gateway.capability.answers.charsets import UTF8
from gateway.capability.answers.head import headers_read
from gateway.capability.answers.scrub import cleaned
from gateway.capability.compiled import Oversize
from gateway.capability.examples.checking import dummy_secrets
from gateway.capability.examples.mock import BODIES, OK, reply_of
from gateway.capability.examples.rehearsal import Rehearsal, rehearse, value_of
from gateway.capability.examples.tape import Exchange, Tape
from gateway.capability.expressions.values import Refused
from gateway.capability.flows.events import EVENT_STREAM, LINES
from gateway.capability.load import Loaded
from gateway.credentials.looks import masked
from gateway.credentials.redact import MASK, Redactor
from gateway.domain.tool import JsonObject
from gateway.http.message import HttpRequest, HttpResponse

KEPT: Final = ("location", "operation-location", "link", "retry-after")  # what flows go by
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
OTHERWISE: Final = re.compile(rb"encoding\s*=\s*[\"'](?!utf-?8|us-ascii)", re.IGNORECASE)
LARGEST: Final = 100_000  # bytes of replies that are left whole


class NotRecorded(Exception):
    """There is nothing that could be written down; the message says why."""


def example_of(
    loaded: Loaded, tool: str, given: JsonObject, tape: Tape, redactor: Redactor, most: int
) -> dict[str, Any]:
    """The example of a call with the arguments `given`; bodies of at most `most` bytes each.

    Where a cut reply would lead elsewhere (to fewer pages, say) they are left whole. Raises
    NotRecorded.
    """
    if any(exchange.response is None for exchange in tape.exchanges) or not tape.exchanges:
        raise NotRecorded("a request got no answer")
    args = cleaned(dict(given), redactor)
    replies, seen = _fitting_replies(loaded, tool, args, tape, redactor, most)
    requests, outcome = [_request(request) for request in seen.requests], _outcome(seen)
    if _masks(outcome) and not _masks(replies):
        raise NotRecorded("the answer spells a secret of this gateway in pieces")
    several = len(replies) > 1
    return {
        "args": args,
        **({"requests": requests} if several else {"request": requests[0]}),
        **({"replies": replies} if several else {"reply": replies[0]}),
        **outcome,
    }


def _masks(value: Any) -> bool:
    return MASK.encode() in msgspec.json.encode(value)


def _fitting_replies(
    loaded: Loaded, tool: str, args: JsonObject, tape: Tape, redactor: Redactor, most: int
) -> tuple[list[dict[str, Any]], Rehearsal]:
    """The replies as they are written, and what comes of them: the same course as live."""
    read = headers_read(loaded.parsed.tree["tools"][tool])
    cut = [_reply(exchange, redactor, most, read) for exchange in tape.exchanges]
    seen = _rehearsed(loaded, tool, args, cut)
    whole = [_reply(exchange, redactor, LARGEST, read) for exchange in tape.exchanges]
    live = _rehearsed(loaded, tool, args, whole)
    if live.starved or live.left:
        raise NotRecorded("its replies, written down, lead to other requests than they did live")
    if _course(seen) == _course(live):
        return cut, seen
    if sum(len(msgspec.json.encode(reply)) for reply in whole) > LARGEST:
        raise NotRecorded(
            f"its replies lead elsewhere when they are cut to {most} bytes; ask for less"
        )
    return whole, live


def _rehearsed(
    loaded: Loaded, tool: str, args: JsonObject, replies: Sequence[Mapping[str, Any]]
) -> Rehearsal:
    compiled = loaded.tools[tool]
    try:
        prepared = compiled.tool.prepare(args)
        answers = [reply_of(each) for each in replies]
        return rehearse(compiled, prepared, answers, dummy_secrets(loaded.secrets))
    except Refused:
        raise NotRecorded(
            "an argument holds a secret, and without it the call is refused"
        ) from None


def _course(seen: Rehearsal) -> tuple[Any, ...]:
    """What a reader of the example goes by: the requests, and whether it ends well."""
    return list(map(_request, seen.requests)), seen.left, seen.starved, seen.error is None


def _request(request: HttpRequest) -> dict[str, Any]:
    """As it is sent with dummies for secrets; only what a reader of the example looks at."""
    parts: dict[str, Any] = {"method": request.method, "url": request.url}
    if request.method == "GET":
        del parts["method"]
    kind = decode.media(dict(_lower(request)).get("content-type", "")).type
    if request.body and kind == JSON:
        parts["json"] = msgspec.json.decode(request.body)
    elif request.body and kind == FORM:
        parts["form"] = request.body.decode()
    return parts


def _lower(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in request.headers]


def _reply(
    exchange: Exchange, redactor: Redactor, most: int, read: Collection[str]
) -> dict[str, Any]:
    """`read` are headers that the result is made of."""
    response = exchange.response or HttpResponse(OK, {}, b"")
    reply: dict[str, Any] = {} if response.status == OK else {"status": response.status}
    said = response.headers.get("content-type", "")
    body = _body(response, decode.media(said), redactor, most)
    kept = (*KEPT, *sorted(read))
    headers = {name: response.headers[name] for name in kept if name in response.headers}
    told = said if "base64" in body else decode.media(said).type
    if body and told and not BODIES[next(iter(body))].startswith(told):
        headers = {"content-type": told, **headers}
    if headers:
        reply["headers"] = masked(cleaned(headers, redactor))
    return {**reply, **body}


def _body(
    response: HttpResponse, found: decode.Media, redactor: Redactor, most: int
) -> dict[str, Any]:
    if not response.body:
        return {}
    if found.kind == "json":
        with contextlib.suppress(ValueError):
            value = decode.loads(decode.utf8(response.body, found.charset))
            return {"json": _fitting(masked(cleaned(value, redactor)), most)}
    text = _text(response.body, found)
    if text is not None:
        return {"text": _fitting_text(masked(redactor.text(text)), found.type, most)}
    if len(response.body) > most:
        size = f"{len(response.body)} bytes of {found.type or 'binary data'}"
        raise NotRecorded(f"its reply, {size}, cannot be cut to {most}: see --max-reply")
    if redactor.data(response.body) is not response.body:
        raise NotRecorded("its reply, which is no text, holds a secret")
    return {"base64": base64.b64encode(response.body).decode()}


def _text(body: bytes, found: decode.Media) -> str | None:
    """None for what is none, such as XML that says itself how it is encoded."""
    other = found.charset is not None and found.charset not in UTF8
    if found.kind == "xml" and (other or OTHERWISE.search(body[:200])):
        return None
    if found.kind in ("other", "xml"):
        return decode.sniff(body)
    return decode.text_of(body, found.charset) if found.kind in ("text", "json") else None


def _fitting(value: Any, most: int) -> Any:
    data = msgspec.json.encode(value)
    return value if len(data) <= most else truncate.fit(value, data, most).value


def _fitting_text(text: str, type_: str, most: int) -> str:
    """A stream loses whole events from its end."""
    ends = ("\n\n", "\r\n\r\n") if type_ == EVENT_STREAM else ("\n",) if type_ in LINES else ()
    kept = text.encode()[:most].decode(errors="ignore")
    last = max((kept.rfind(end) + len(end) for end in ends if end in kept), default=0)
    if len(kept) < len(text) and last:
        return kept[:last]
    return truncate.fit_text(text, most)


def _outcome(seen: Rehearsal) -> dict[str, Any]:
    """`result` or `error`; neither where it is no JSON or text."""
    if seen.error is not None:
        return {"error": str(seen.error)}
    found = seen.result
    if found is None or isinstance(found, Oversize):
        return {}
    value = value_of(found)
    shown = found.structured is not None or isinstance(value, str)
    return {"result": value} if shown else {}
