"""Which requests may be carried out twice: what their server says of them, and what the operator
says in its place. Pure.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.domain.call import Call, Query
from gateway.domain.globs import any_of
from gateway.errors import BackendError, GatewayError, Reached
from gateway.failsafe.settings import Retries
from gateway.protocol.outbound import HARMLESS, repeatable


def may_go_again(error: GatewayError, request: Call | Query) -> bool:
    """Whether `request`, which ended with `error`, may be sent again, and with some hope."""
    if not isinstance(error, BackendError) or not error.retryable:
        return False
    if not error.unwell and error.after is None:
        return False
    return error.reached is Reached.NOT_SENT or _harmless(request)


def _harmless(request: Call | Query) -> bool:
    if isinstance(request, Query):
        return request.method in HARMLESS
    return repeatable(request.tool.definition) if request.repeat is None else request.repeat


def by_operator(retries: Retries | None) -> Callable[[Call], Call] | None:
    """What puts the operator's word into a call; None where there is none of it."""
    if retries is None:
        return lambda call: replace(call, repeat=False)
    if not retries.idempotent and not retries.not_idempotent:
        return None
    safe, unsafe = any_of(retries.idempotent), any_of(retries.not_idempotent)

    def put(call: Call) -> Call:
        name = call.tool.ref.name
        if unsafe(name):
            return replace(call, repeat=False)
        return replace(call, repeat=True) if safe(name) else call

    return put
