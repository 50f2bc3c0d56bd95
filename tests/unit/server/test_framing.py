import pytest

from gateway.server.arrival import Arrival
from gateway.server.framing import FIELD_BYTES, FIELD_COUNT, HEAD_BYTES, Framing
from gateway.server.reply import Unreadable

POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"


def arrivals(*pieces: bytes, largest: int = 1000) -> list[Arrival]:
    found: list[Arrival] = []
    framing = Framing(lambda: Arrival(largest), found.append)
    for piece in pieces:
        framing.feed(piece)
    return found


async def test_a_request_is_there_with_its_head_and_whole_with_its_body() -> None:
    found: list[Arrival] = []
    framing = Framing(lambda: Arrival(1000), found.append)
    framing.feed(POST + b"Content-Length: 3\r\n")
    assert framing.in_head
    framing.feed(b"\r\nab")
    assert not framing.in_head
    (one,) = found
    assert (one.method, one.target, one.headers["host"], one.keep) == ("POST", "/a", "x", True)
    assert not one.complete
    framing.feed(b"c")
    assert one.complete
    assert await one.read() == b"abc"


async def test_names_are_in_lower_case_values_stripped_and_copies_joined() -> None:
    (one,) = arrivals(POST + b"X-A: 1 \t\r\nx-a:\t2\r\nX-Empty:\r\nX-Wide: \xe9\r\n\r\n")
    assert one.headers == {"host": "x", "x-a": "1, 2", "x-empty": "", "x-wide": "\xe9"}


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        POST + b"Content-Length: 3, 3\r\n\r\nabc",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"X : 1\r\n\r\n",
        POST + b"X: 1\nY: 2\r\n\r\n",
        POST + b"X: 1\rY: 2\r\n\r\n",
        POST + b"X: \0\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * FIELD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        POST + b"X: " + b"a" * FIELD_BYTES + b"\r\n\r\n",
        POST + b"X: 1\r\n" * FIELD_COUNT + b"\r\n",
    ],
    ids=lambda sent: repr(sent[-60:]),
)
def test_what_has_more_than_one_reading_has_none(sent: bytes) -> None:
    """I5, I6, T13: also byte by byte, and nothing after it is read."""
    pieces = [bytes([byte]) for byte in sent]
    for found in (arrivals(sent, GET), arrivals(*pieces, GET)):
        assert [(one.malformed or one.failed, one.keep) for one in found] == [(True, False)]


def test_a_head_is_bounded_before_its_lines_end() -> None:
    endless = [b"a" * 4096] * (HEAD_BYTES // 4096 + 1)
    (one,) = arrivals(POST + b"X: ", *endless)
    assert one.malformed


@pytest.mark.parametrize(
    "padding", [b"1;" + b"x" * 2000 + b"\r\na\r\n", b"0\r\nX: " + b"x" * 80_000]
)
async def test_chunks_and_trailers_are_bounded_too(padding: bytes) -> None:
    pieces = [padding[at : at + 4096] for at in range(0, len(padding), 4096)]
    (one,) = arrivals(CHUNKED, *pieces * 60, largest=50)
    with pytest.raises(Unreadable):
        await one.read()


async def test_chunks_are_one_body_and_trailers_are_dropped() -> None:
    """They must pass for headers neither of their own request nor of the next."""
    sent = CHUNKED + b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nHost: evil\r\nX-T: 1\r\n\r\n"
    for pieces in ([sent + GET], [sent, GET]):
        first, second = arrivals(*pieces)
        assert await first.read() == b"abc"
        assert first.headers["host"] == second.headers["host"] == "x"
        assert "x-t" not in {*first.headers, *second.headers}


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 3\r\n", b"abc"),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n2\r\nbc\r\n0\r\nX: y\r\n\r\n"),
        (b"", b""),
    ],
)
async def test_an_offer_to_upgrade_is_ignored_and_the_body_read(
    framing: bytes, body: bytes
) -> None:
    """As Java's client makes it; httptools steps over the body."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
    sent = POST + offer + framing + b"\r\n" + body
    for pieces in ([sent + sent + GET], [bytes([byte]) for byte in sent + sent + GET]):
        *two, last = arrivals(*pieces)
        assert [await one.read() for one in two] == [b"abc" if body else b""] * 2
        assert (last.method, last.target, last.complete) == ("GET", "/b", True)


def test_after_the_last_request_nothing_is_read() -> None:
    (one,) = arrivals(POST + b"Connection: close\r\n\r\n" + GET, GET)
    assert (one.malformed, one.complete, one.keep) == (False, True, False)


async def test_after_a_last_request_that_offers_to_upgrade_nothing_is_read_either() -> None:
    head = POST + b"Connection: close, Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\n"
    (one,) = arrivals(head + b"a" + GET)
    assert await one.read() == b"a"


@pytest.mark.parametrize(
    ("head", "keep", "http10"),
    [
        (b"GET / HTTP/1.0\r\n", False, True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", True, True),
        (b"GET / HTTP/1.1\r\nConnection: foo, Close\r\n", False, False),
        (b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n", True, False),
    ],
)
def test_who_keeps_the_connection(head: bytes, keep: bool, http10: bool) -> None:  # noqa: FBT001
    (one,) = arrivals(head + b"\r\n")
    assert (one.keep, one.http10) == (keep, http10)


async def test_a_body_that_is_announced_too_large_is_refused_with_the_head() -> None:
    """I8."""
    (one,) = arrivals(POST + b"Content-Length: 1001\r\n\r\n")
    with pytest.raises(Unreadable) as refused:
        await one.read()
    assert refused.value.reply.status == 413


async def test_a_chunked_body_is_too_large_as_soon_as_it_is() -> None:
    (one,) = arrivals(CHUNKED + b"3e9\r\n" + b"x" * 1001)
    with pytest.raises(Unreadable) as refused:
        await one.read()
    assert refused.value.reply.status == 413


async def test_a_body_whose_framing_breaks_is_cut_off() -> None:
    (one,) = arrivals(CHUNKED + b"3\r\nabcd\r\n")
    with pytest.raises(Unreadable) as refused:
        await one.read()
    assert refused.value.reply.status == 400
