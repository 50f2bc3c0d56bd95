"""Content encodings, undone within a budget: I59, T3."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from gateway.errors import BadResponse
from gateway.http.inflate import MOST_MEMBERS, SLICE, inflate

TEXT = b'{"a": 1}' * 1000
NOISE = random.Random(1).randbytes(SLICE + 1)


@pytest.mark.parametrize("body", [b"x", TEXT, NOISE, b"a" * SLICE, b"a" * (SLICE * 2)])
async def test_what_was_packed_comes_back(body: bytes) -> None:
    packed = {
        "gzip": gzip.compress(body),
        "X-GZip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "identity": body,
        "": body,
    }
    for encoding, data in packed.items():
        assert await inflate(data, encoding, len(body)) == body


async def test_deflate_may_lack_its_header() -> None:
    assert await inflate(zlib.compress(TEXT)[2:-4], "deflate", 10_000) == TEXT


async def test_gzip_may_have_several_members() -> None:
    assert await inflate(gzip.compress(b"one") + gzip.compress(b"two"), "gzip", 100) == b"onetwo"


async def test_an_empty_body_has_nothing_to_undo() -> None:
    assert await inflate(b"", "gzip", 10) == b""


async def test_one_byte_over_the_cap_is_too_large() -> None:
    with pytest.raises(BadResponse, match="larger than 7,999 bytes"):
        await inflate(gzip.compress(TEXT), "gzip", 7_999)


async def test_a_bomb_stops_within_a_slice_of_the_cap() -> None:
    bomb = gzip.compress(bytes(16 << 20), 1)
    tracemalloc.start()
    with pytest.raises(BadResponse, match="larger than"):
        await inflate(bomb, "gzip", 1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (2 << 20) + len(bomb)


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:20],
        gzip.compress(TEXT)[:-8] + b"\0" * 8,
        gzip.compress(TEXT) + b"rest",
        gzip.compress(b"") * (MOST_MEMBERS + 1),
    ],
)
async def test_broken_gzip_is_an_error(body: bytes) -> None:
    with pytest.raises(BadResponse, match="not the gzip data"):
        await inflate(body, "gzip", 100_000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,deflate", "x" * 500])
async def test_an_encoding_nobody_asked_for_is_an_error(encoding: str) -> None:
    with pytest.raises(BadResponse, match="nobody asked for") as caught:
        await inflate(b"data", encoding, 100)
    assert len(str(caught.value)) < 120
