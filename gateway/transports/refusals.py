"""Answers to our requests that are no result: what each HTTP status means of an MCP server.

Bodies may hold anything, so nothing of them is shown unless it is a JSON-RPC error, which is
relayed as such.
"""

import math
import re
import time
from collections.abc import Callable

import msgspec

from gateway.errors import BackendUnavailable, BadResponse, GatewayError, Reached, SessionLost
from gateway.http.failures import Refused
from gateway.http.message import HttpResponse
from gateway.http.waits import asked_wait
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND, encode, loads
from gateway.protocol.received import Inbound, decode
from gateway.transports.requests import media_type

OK = 200
SUCCESS = range(200, 300)
BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
TIMED_OUT = 408
TOO_MANY = 429
SERVER_ERROR = 500
UNAVAILABLE = 503
NOT_CARRIED_OUT = frozenset({TOO_MANY, UNAVAILABLE})
REDIRECTION = range(300, 400)
PLAIN = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}")


def told(answer: HttpResponse, body: bytes, request: int) -> Inbound | None:
    """The JSON-RPC error in an answer that is no success, with its status; None if it has none.

    Servers that could not read our id put another text or null in its place.
    """
    try:
        messages = decode(body)
    except BadResponse:
        return None
    found = messages[0]
    if found.error is None or (isinstance(found.id, int) and found.id != request):
        return None
    return msgspec.structs.replace(found, id=request, status=answer.status)


def discreet(answer: Inbound, redact: Callable[[bytes], bytes]) -> Inbound:
    """The answer; an error that repeats what was shown to the server, without that (I43)."""
    if answer.error is None:
        return answer
    said = encode(answer.error)
    told = redact(said)
    return answer if told is said else msgspec.structs.replace(answer, error=loads(told))


def session_lost(answer: HttpResponse, body: bytes, error: Inbound | None) -> bool:
    """Whether an answer to a request of a session says that there is none such (any more).

    That is 404, except where the method is what was not found; some servers say 400 instead, and
    complain about a session in words.
    """
    if answer.status == NOT_FOUND:
        return error is None or error.error.get("code") != METHOD_NOT_FOUND
    return answer.status == BAD_REQUEST and b"session" in body[:1024].lower()


def failure(answer: HttpResponse) -> GatewayError:
    """The error for an answer that is neither a success nor a JSON-RPC error."""
    status = answer.status
    if status in REDIRECTION:
        return BadResponse(
            f"the server redirects to another URL (HTTP {status}), which is not followed",
            hint="the operator has to configure the URL it redirects to",
        )
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return Refused(
            f"the server refuses our credentials (HTTP {status})",
            status,
            hint="the operator has to give the gateway credentials that this server accepts",
        )
    if status >= SERVER_ERROR or status in {TIMED_OUT, TOO_MANY}:
        reached = Reached.NOT_SENT if status in NOT_CARRIED_OUT else Reached.SENT_UNKNOWN
        error = BackendUnavailable(f"the server answered with HTTP {status}", reached=reached)
        error.unwell = status != TOO_MANY
        error.after = asked_wait(answer.headers, time.time())
        if error.after is not None:
            error.hint = f"retry after {max(1, math.ceil(error.after))} s"
        return error
    return Refused(f"the server answered with HTTP {status}", status)


def session_gone(reached: Reached = Reached.NOT_SENT) -> SessionLost:
    return SessionLost("the server no longer knows our session", reached=reached)


def no_answer(answer: HttpResponse) -> BadResponse:
    """For a success that holds nothing we could read."""
    kind = media_type(answer)
    if answer.status != OK:
        return BadResponse(f"the server gave no answer (HTTP {answer.status})")
    shown = kind if PLAIN.fullmatch(kind) else "something else"
    return BadResponse(f"the server answered with {shown}, not with JSON or an event stream")
