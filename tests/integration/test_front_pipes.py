"""Lines over real descriptors: pipes and files, the long, the unfinished and the gone."""

import asyncio
import os
from pathlib import Path

from gateway.server.pipes import MOST_UNWRITTEN, LineReader, LineWriter, TooLong


async def lines(reader: LineReader) -> list[object]:
    async with asyncio.timeout(5):
        return [line async for line in reader]


async def test_a_file_is_read_to_its_end_with_or_without_a_last_line_break(tmp_path: Path) -> None:
    for content in (b"a\n\nb\n", b"a\n\nb"):
        path = tmp_path / "input"
        path.write_bytes(content)
        descriptor = os.open(path, os.O_RDONLY)
        assert await lines(LineReader(descriptor, 1000)) == [b"a", b"", b"b"]
        os.close(descriptor)


async def test_a_line_that_comes_in_pieces_is_one_line() -> None:
    out, into = os.pipe()
    reader = LineReader(out, 1000)
    for piece in (b"ab", b"cd\ne", b"f\n"):
        os.write(into, piece)
    os.close(into)
    assert await lines(reader) == [b"abcd", b"ef"]
    os.close(out)


async def test_a_line_that_is_too_long_is_dropped_alone(tmp_path: Path) -> None:
    """I57: from the client's side."""
    path = tmp_path / "input"
    path.write_bytes(b"good\n" + b"x" * 200_000 + b"\nfine\n" + b"y" * 200_000)
    descriptor = os.open(path, os.O_RDONLY)
    first, long, third, last = await lines(LineReader(descriptor, largest=1000))
    assert (first, third) == (b"good", b"fine")
    assert isinstance(long, TooLong)
    assert isinstance(last, TooLong)
    os.close(descriptor)


async def test_stopping_ends_the_lines() -> None:
    out, into = os.pipe()
    reader = LineReader(out, 1000)
    reader.stop()
    assert await lines(reader) == []
    os.close(into)


async def test_what_is_written_comes_out_in_order() -> None:
    out, into = os.pipe()
    writer = LineWriter(into)
    for line in (b"a", b"b"):
        writer.write(line)
    async with asyncio.timeout(5):
        await writer.aclose(5)
    assert os.read(out, 100) == b"a\nb\n"
    os.close(out)
    os.close(into)


async def test_a_reader_that_does_not_read_is_waited_for_and_then_served() -> None:
    """I11."""
    out, into = os.pipe()
    writer, reader = LineWriter(into), LineReader(out, largest=MOST_UNWRITTEN * 2)
    writer.write(b"x" * (MOST_UNWRITTEN + 1))
    waiting = asyncio.ensure_future(writer.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    async with asyncio.timeout(10):
        line = await anext(reader)
        await waiting
        assert len(line if isinstance(line, bytes) else b"") == MOST_UNWRITTEN + 1
        await writer.aclose(5)
    os.close(into)


async def test_a_reader_that_is_gone_blocks_nobody() -> None:
    out, into = os.pipe()
    os.close(out)
    writer = LineWriter(into)
    writer.write(b"x" * (MOST_UNWRITTEN + 1))
    async with asyncio.timeout(5):
        await writer.room()
        await writer.aclose(5)
    os.close(into)
