"""Content encodings of a response body, undone within a budget.

A bomb stops within one slice of the cap. Only what we offer in `Accept-Encoding` is understood.
"""

import asyncio
import zlib
from collections.abc import Iterator

from gateway.errors import BadResponse

OFFERED = "gzip, deflate"
GZIP = frozenset({"gzip", "x-gzip"})
DEFLATE = "deflate"
KNOWN = frozenset({"br", "compress", "zstd", "gzip, gzip", "deflate, gzip", "gzip, deflate"})
SLICE = 1 << 18  # bytes unpacked before others on the loop get their turn: about a millisecond
MOST_MEMBERS = 64  # gzip allows members one after another; nobody sends many


async def inflate(body: bytes, encoding: str, cap: int) -> bytes:
    """`body` without its content encoding. Raises BadResponse if it is over `cap`, or broken."""
    named = encoding.strip().lower()
    if not body or named in {"", "identity"}:
        return body
    if named not in GZIP and named != DEFLATE:
        said = f": {named!a}" if named in KNOWN else ""  # others may be anything, a secret too
        raise BadResponse(f"the answer has an encoding nobody asked for{said}")
    found: list[bytes] = []
    size = 0
    try:
        for piece in unpacked(body, gzip=named in GZIP):
            size += len(piece)
            if size > cap:
                raise too_large(cap)
            found.append(piece)
            if len(piece) == SLICE:
                await asyncio.sleep(0)
    except zlib.error:
        raise BadResponse(f"the answer is not the {named} data it says it is") from None
    return b"".join(found)


def too_large(cap: int) -> BadResponse:
    return BadResponse(
        f"the answer is larger than {cap:,} bytes",
        hint="ask for less; where a capability file sets limits.transfer, that can be raised",
    )


def unpacked(data: bytes, *, gzip: bool) -> Iterator[bytes]:
    """Gzip or deflate data in slices of at most SLICE bytes. Raises zlib.error if it is broken."""
    members = 0
    while data:
        members += 1
        if members > (MOST_MEMBERS if gzip else 1):
            raise zlib.error("data after the end")
        stream = zlib.decompressobj(window(data, gzip=gzip))
        piece = stream.decompress(data, SLICE)
        while not stream.eof:
            yield piece
            piece = stream.decompress(stream.unconsumed_tail, SLICE)
            if not piece and not stream.eof:
                raise zlib.error("truncated")
        yield piece
        data = stream.unused_data


def window(data: bytes, *, gzip: bool) -> int:
    """The `wbits` to use. Some servers send deflate without the header that RFC 9110 wants."""
    if gzip:
        return 16 + zlib.MAX_WBITS
    return zlib.MAX_WBITS if data[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS
