"""What may be done about a request that a server did not take as we meant it, before its failure is
passed on.

Pure. The rule: nothing is sent again that may have been carried out, unless the server says that
this does no harm.
"""

import re
from enum import Enum, auto

from gateway.errors import GatewayError, Reached, SessionLost
from gateway.protocol import mcp
from gateway.protocol.answers import ErrorAnswered
from gateway.protocol.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND
from gateway.protocol.outbound import Draft
from gateway.protocol.received import OK

UNINTRODUCED = re.compile(r"initiali[sz]", re.IGNORECASE)


class Remedy(Enum):
    INTRODUCE = auto()  # the server does not know us any more: introduce ourselves, send it again
    DOUBT = auto()  # perhaps it does not: find out, and then as above
    RELIST = auto()  # our headers are not those of its tool any more: look the tool up again
    VISIT = auto()  # the user has to visit URLs first


def remedy(
    failure: GatewayError, draft: Draft, *, modern_server: bool, modern_client: bool
) -> Remedy | None:
    """What to do about `failure` of the request `draft`; None: pass it on."""
    if isinstance(failure, SessionLost):
        safe = failure.reached is Reached.NOT_SENT or draft.repeatable
        return Remedy.INTRODUCE if safe else None
    if not isinstance(failure, ErrorAnswered):
        return None
    number = failure.number
    if number == mcp.UNSUPPORTED_VERSION:
        return Remedy.INTRODUCE
    if number == mcp.HEADER_MISMATCH and modern_server and draft.method == mcp.TOOLS_CALL:
        return Remedy.RELIST
    if number == mcp.URL_ELICITATION and modern_client and not modern_server:
        return Remedy.VISIT
    return Remedy.DOUBT if estranged(failure, modern=modern_server) else None


def estranged(failure: ErrorAnswered, *, modern: bool) -> bool:
    """Whether it reads as if the server took us for somebody not introduced, or of another era.

    A tool may say the same of its own affairs, so this is no more than a suspicion.
    """
    if UNINTRODUCED.search(failure.said):
        return True
    usual = {METHOD_NOT_FOUND, INVALID_PARAMS, mcp.MISSING_CAPABILITY, mcp.HEADER_MISMATCH}
    return failure.status != OK and not (modern and failure.number in usual)
