"""JSON-RPC batches, which revision 2025-03-26 alone has: bounded, answered together."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.protocol import jsonrpc, mcp
from gateway.protocol.eras import Revision
from gateway.protocol.inbound import Rejection

MOST = 100  # messages (I16)
AT_ONCE = 8  # of a batch

One = Callable[[jsonrpc.Message], Awaitable[bytes | None]]


async def answer_batch(
    revision: Revision, batch: jsonrpc.Batch, one: One
) -> bytes | Rejection | None:
    """The responses as one array; None where none is due. `one` answers a single message."""
    reason = _unfit(revision, batch)
    if reason is not None:
        return Rejection(jsonrpc.INVALID_REQUEST, reason)
    gate = asyncio.Semaphore(AT_ONCE)

    async def answer(message: jsonrpc.Message) -> bytes | None:
        async with gate:
            return await one(message)

    bodies = await asyncio.gather(*map(answer, batch.items))
    whole = b",".join(body for body in bodies if body is not None)
    return b"[%b]" % whole if whole else None


def _unfit(revision: Revision, batch: jsonrpc.Batch) -> str | None:
    if not revision.batches:
        return f"protocol version {revision} has no batches"
    if len(batch.items) > MOST:
        return f"a batch may hold {MOST} messages"
    if any(_is_initialize(item) for item in batch.items):
        return "initialize cannot be part of a batch"
    return None


def _is_initialize(message: jsonrpc.Message) -> bool:
    return isinstance(message, jsonrpc.Request) and message.method == mcp.INITIALIZE
