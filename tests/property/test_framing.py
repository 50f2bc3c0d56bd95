"""However its bytes are cut, a stream of requests has one reading: that of an independent parser.

h11 is that parser. It refuses more than we do, but never reads anything else.
"""

import asyncio
import itertools

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.server.arrival import Arrival
from gateway.server.connection import Connection
from gateway.server.exchange import Exchange
from gateway.server.framing import Framing
from gateway.server.house import House
from gateway.server.limits import Limits
from gateway.server.reply import Reply, Unreadable
from tests.peers.wire import Wire

Reading = tuple[str, str, dict[str, str], bytes]

LARGEST = 1000
OFFER = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
PIPELINE = (
    b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-A: \r\n\r\nhello"
    b"GET http://x/2?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4;a=b\r\nwxyz\r\n1\r\n!\r\n0\r\nX-T: u\r\n\r\n"
    b"POST /4 HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Content-Length: 3\r\n\r\nabc"
    b"POST /5 HTTP/1.1\r\nhOST:x \r\nX-A: 1\r\nx-a: 2\r\n"
    + OFFER
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    b"GET /6 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)
SCRAPS = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b",", b";", b"0", b"\xff", b"\r\n\r\n"),
    *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: y\r\n", b"0\r\n\r\n"),
    *(b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"chunked", b"gzip, ", b"HTTP/1.0"),
    *(b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT ", OFFER, b"Expect: 100-continue\r\n"),
]

cuts = st.sets(st.integers(0, len(PIPELINE)), max_size=12)
edits = st.lists(
    st.tuples(st.integers(0, len(PIPELINE)), st.integers(0, 6), st.sampled_from(SCRAPS)),
    max_size=3,
)


def cut(data: bytes, at: set[int]) -> list[bytes]:
    edges = [0, *sorted(edge for edge in at if edge < len(data)), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def edited(changes: list[tuple[int, int, bytes]]) -> bytes:
    """PIPELINE with scraps put in, in the place of some bytes."""
    found = PIPELINE
    for at, gone, scrap in changes:
        found = found[:at] + scrap + found[at + gone :]
    return found


def ours(pieces: list[bytes]) -> list[Reading]:
    """The whole requests, up to the first that is none."""
    found: list[Arrival] = []
    framing = Framing(lambda: Arrival(LARGEST), found.append)
    for piece in pieces:
        framing.feed(piece)
    whole = itertools.takewhile(lambda one: one.complete and not one.malformed, found)
    return [(one.method, one.target, one.headers, asyncio.run(one.read())) for one in whole]


def theirs(data: bytes) -> tuple[list[Reading], bool]:
    """The same as h11 reads them, and whether the connection closes with the last of them."""
    peer = h11.Connection(h11.SERVER)
    found: list[Reading] = []
    try:
        peer.receive_data(data)
        while isinstance(request := peer.next_event(), h11.Request):
            body = bytearray()
            while isinstance(event := peer.next_event(), h11.Data):
                body += event.data
            if not isinstance(event, h11.EndOfMessage):
                break
            found.append(_reading(request, bytes(body)))
            peer.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            peer.send(h11.EndOfMessage())
            if peer.our_state is h11.MUST_CLOSE:
                return found, True
            peer.start_next_cycle()
    except h11.ProtocolError:  # ours is a CONNECT, which it takes and we do not
        pass
    return found, False


def _reading(request: h11.Request, body: bytes) -> Reading:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return request.method.decode(), request.target.decode(), headers, body


def test_all_of_a_pipeline_is_read() -> None:
    found = ours([PIPELINE])
    assert [(target, body) for _, target, _, body in found] == [
        *(("/1", b"hello"), ("http://x/2?a=b", b""), ("/3", b"wxyz!")),
        *(("/4", b"abc"), ("/5", b"ab"), ("/6", b"")),
    ]
    assert found[4][2]["x-a"] == "1, 2"
    assert theirs(PIPELINE) == (found, True)


@given(cuts)
def test_the_requests_do_not_depend_on_where_they_are_cut(at: set[int]) -> None:
    assert ours(cut(PIPELINE, at)) == ours([PIPELINE])


@settings(max_examples=500)
@given(edits, cuts)
def test_what_is_read_is_what_another_parser_reads(
    changes: list[tuple[int, int, bytes]], at: set[int]
) -> None:
    data = edited(changes)
    read = ours([data])
    assert ours(cut(data, at)) == read
    others, closed = theirs(data)
    for mine, other in zip(read, others, strict=False):
        assert mine == other
    assert not closed or len(read) <= len(others)


async def echo(exchange: Exchange) -> Reply:
    try:
        return Reply(200, await exchange.read())
    except Unreadable as error:
        return error.reply


async def exchanged(pieces: list[bytes]) -> tuple[bytes, House, Wire]:
    house = House(echo, Limits(largest_body=LARGEST))
    connection = Connection(house)
    wire = Wire(connection)
    for piece in pieces:
        connection.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(40):
        await asyncio.sleep(0)
    wire.close()
    for _ in range(5):
        await asyncio.sleep(0)
    return bytes(wire.written), house, wire


@given(edits, cuts)
def test_each_request_has_one_answer_and_nothing_stays_behind(
    changes: list[tuple[int, int, bytes]], at: set[int]
) -> None:
    data = edited(changes)
    read = ours([data])
    written, house, _ = asyncio.run(exchanged(cut(data, at)))
    answers = written.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert len(answers) == len(read)
    for answer, (_, _, _, body) in zip(answers, read, strict=True):
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert b"Content-Length: %d" % len(body) in head
        assert rest.startswith(body)
    assert not house.connections
    assert not house.tasks


@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(0, len(PIPELINE)))
def test_any_bytes_at_all_raise_nothing(pieces: list[bytes], start: int) -> None:
    written, house, _ = asyncio.run(exchanged([PIPELINE[:start], *pieces]))
    assert not house.tasks
    assert b"500" not in written
