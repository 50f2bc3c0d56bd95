import asyncio
import gzip
import zlib

import pytest

from gateway.server.arrival import Arrival
from gateway.server.reply import Unreadable


def arrived(body: bytes, coding: str | None = None, largest: int = 1000) -> Arrival:
    one = Arrival(largest)
    one.headers = {} if coding is None else {"content-encoding": coding}
    one.add(body)
    one.end()
    return one


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"abc", None),
        (b"abc", "identity"),
        (gzip.compress(b"abc"), "GZIP"),
        (gzip.compress(b"a") + gzip.compress(b"bc"), "x-gzip"),
        (zlib.compress(b"abc"), "deflate"),
        (zlib.compress(b"abc")[2:-4], "deflate"),
    ],
)
async def test_a_body_is_read_without_its_coding(body: bytes, coding: str | None) -> None:
    assert await arrived(body, coding).read() == b"abc"


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(b" " * 1001), "gzip", 413),
        (gzip.compress(b"abc")[:-3], "gzip", 400),
        (b"abc", "gzip", 400),
        (b"abc", "br", 415),
        (b"abc", "gzip, gzip", 415),
    ],
)
async def test_a_body_that_cannot_be_taken_says_why(body: bytes, coding: str, status: int) -> None:
    """I9."""
    with pytest.raises(Unreadable) as refused:
        await arrived(body, coding).read()
    assert refused.value.reply.status == status


async def test_reading_waits_for_the_last_piece() -> None:
    one = Arrival(1000)
    reading = asyncio.ensure_future(one.read())
    for piece in (b"a", b"b", b"c"):
        await asyncio.sleep(0)
        assert not reading.done()
        one.add(piece)
    one.end()
    assert await reading == b"abc"


async def test_reading_ends_when_the_rest_will_not_come() -> None:
    one = Arrival(1000)
    reading = asyncio.ensure_future(one.read())
    await asyncio.sleep(0)
    one.fail(408, "too slow")
    one.fail(400, "cut off")
    with pytest.raises(Unreadable) as refused:
        await reading
    assert refused.value.reply.status == 408
