"""From a transport kind to a conversation: which era the server speaks, and the first words in it.

The rule: only an answer is a verdict. A network error says nothing about the era, and what was
spoken last time is a guess that any answer may overrule.
Source: 2026-07-28, basic/versioning "Backward compatibility".
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.domain.client import NOBODY
from gateway.errors import BackendUnavailable, BadResponse, GatewayError, Reached, SessionLost
from gateway.http.failures import ConnectionLost, Refused
from gateway.protocol import introduction, jsonrpc, mcp
from gateway.protocol.answers import ErrorAnswered, raw
from gateway.protocol.eras import MODERN, Revision
from gateway.protocol.introduction import Introduction
from gateway.protocol.outbound import Dialect, next_id
from gateway.protocol.received import Inbound
from gateway.transports.base import Outbound, Transport

PATIENCE = 15.0  # seconds for the probe: a Python server on a busy machine takes six to start
NO_STREAMABLE = frozenset({400, 404, 405})
CREDENTIALS = frozenset({401, 403})
PROBES = 2


class NoStreamableHttp(BackendUnavailable):
    """The URL refuses to be initialized: it may be the one of an HTTP+SSE server (2024-11-05)."""


Connect = Callable[[], Awaitable[Transport]]


async def opened(
    connect: Connect, known: Revision | None, patience: float = PATIENCE
) -> tuple[Transport, Introduction]:
    """Connect and be introduced. Raises GatewayError, and leaves nothing behind then."""
    transport = await connect()
    try:
        return transport, await introduced(transport, known, patience)
    except GatewayError as error:
        await transport.aclose()
        legacy = known is not None and not known.modern  # so `initialize` was the first it heard
        if legacy or transport.apart or was_answered(error):
            raise
    except BaseException:
        await transport.aclose()
        raise
    # Some servers end when the first thing they hear is not `initialize`.
    transport = await connect()
    try:
        return transport, await initialize(transport)
    except BaseException:
        await transport.aclose()
        raise


async def introduced(
    transport: Transport, known: Revision | None = None, patience: float = PATIENCE
) -> Introduction:
    """Which revision the server speaks, and what it tells of itself."""
    if known is not None and not known.modern:
        try:
            return await initialize(transport)
        except GatewayError as error:
            if not was_answered(error):
                raise
    found = await probe(transport, patience)
    if found is not None:
        return found
    try:
        return await initialize(transport)
    except ErrorAnswered as error:
        if error.number != mcp.UNSUPPORTED_VERSION:
            raise
        found = await probe(transport, patience)  # it was slow, and has read the first one by now
        if found is None:
            raise
        return found


async def probe(transport: Transport, patience: float = PATIENCE) -> Introduction | None:
    """Ask server/discover; None when it has to be a legacy server."""
    revision = MODERN
    for left in reversed(range(PROBES)):
        answer = await _discover(transport, revision, patience)
        if answer is None:
            return None
        if answer.error is None:
            return _discovered(answer)
        if answer.error.get("code") not in introduction.MODERN_ERRORS:
            return None
        common = _common(answer)
        if common is None or not left:
            break
        revision = common
    return None


async def _discover(transport: Transport, revision: Revision, patience: float) -> Inbound | None:
    """The answer; None when there is none that makes a modern server."""
    dialect = Dialect(revision, named=transport.apart)
    draft = dialect.query(mcp.DISCOVER, {})
    id = next_id()
    body = dialect.body(id, draft, NOBODY)
    try:
        async with asyncio.timeout(patience):
            return await transport.request(Outbound(id, draft.method, body, draft.headers))
    except TimeoutError:
        return None
    except GatewayError as error:
        if was_answered(error):
            return None
        raise


def _discovered(answer: Inbound) -> Introduction | None:
    try:
        return introduction.discovered(raw(answer))
    except BadResponse:
        return None


def _common(answer: Inbound) -> Revision | None:
    """The modern revision to ask again with; None to try a legacy one."""
    if answer.error.get("code") != mcp.UNSUPPORTED_VERSION:
        raise ErrorAnswered(answer.error, answer.status)
    versions = introduction.supported(answer.error)
    revision = introduction.newest_modern(versions)
    if revision is None and versions and not introduction.speaks_legacy(versions):
        raise BadResponse("the server speaks no revision of MCP that is known here")
    return revision


async def initialize(transport: Transport) -> Introduction:
    """The legacy handshake, to its end. Raises NoStreamableHttp where another transport may do."""
    id = next_id()
    body = jsonrpc.request(id, mcp.INITIALIZE, jsonrpc.encode(introduction.INITIALIZE_PARAMS))
    try:
        answer = await transport.request(Outbound(id, mcp.INITIALIZE, body))
    except Refused as refused:
        raise _unstreamable(refused) or refused from None
    if answer.error is not None:
        error = ErrorAnswered(answer.error, answer.status)
        raise _unstreamable(error) or error
    found = introduction.initialized(raw(answer))
    headers = Dialect(found.revision, named=False).headers
    await transport.send(jsonrpc.notification(mcp.INITIALIZED), headers)
    transport.follow(headers)
    return found


def _unstreamable(error: Refused | ErrorAnswered) -> NoStreamableHttp | None:
    """What a refusal to be initialized means at a URL, unless a modern server refused."""
    modern = isinstance(error, ErrorAnswered) and error.number in introduction.MODERN_ERRORS
    if modern or error.status not in NO_STREAMABLE:
        return None
    return NoStreamableHttp(f"the server answered initialize with HTTP {error.status}")


def was_answered(error: GatewayError) -> bool:
    """Whether the server itself said no, rather than nobody anything, or our credentials do not
    suffice.
    """
    if isinstance(error, Refused):
        return error.status not in CREDENTIALS
    if isinstance(error, SessionLost | NoStreamableHttp):
        return True
    if isinstance(error, BackendUnavailable):  # HTTP 5xx: some break over what they do not know
        return error.reached is Reached.SENT_UNKNOWN
    return error.reached is Reached.COMPLETED and not isinstance(error, ConnectionLost)
