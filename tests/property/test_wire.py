"""Whatever bytes come, in whatever pieces, an exchange gives one answer or one WireError."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.connection import Answer, Connection, WireError

ANSWER = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nwxyz\r\n1\r\n!\r\n0\r\n\r\n"
)


class Wire(asyncio.Transport):
    """A transport that only remembers whether it was closed."""

    closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def exchange(pieces: list[bytes]) -> Answer | WireError:
    connection = Connection(set())
    connection.connection_made(Wire())
    task = asyncio.ensure_future(connection.exchange(b"x", head_only=False, cap=1000))
    await asyncio.sleep(0)
    for piece in pieces:
        connection.data_received(piece)
    connection.connection_lost(None)
    try:
        return await task
    except WireError as error:
        return error


@given(st.sets(st.integers(0, len(ANSWER))))
def test_the_answer_does_not_depend_on_where_it_is_cut(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWER)]
    pieces = [ANSWER[a:b] for a, b in itertools.pairwise(edges) if a != b]
    answer = asyncio.run(exchange(pieces))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, b"wxyz!")


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(0, len(ANSWER)))
def test_any_bytes_end_in_an_answer_or_a_wire_error(pieces: list[bytes], start: int) -> None:
    assert isinstance(asyncio.run(exchange([ANSWER[:start], *pieces])), Answer | WireError)
