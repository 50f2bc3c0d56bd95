import pytest

from gateway.errors import BadResponse
from gateway.protocol.sse import COMMENT, Event, Parser, RawEvent, encode


def test_an_event_reads_back() -> None:
    assert Parser().feed(encode(b'{"a":1}', "7")) == [Event('{"a":1}', "message", "7")]


def test_lines_of_data_are_kept_apart() -> None:
    assert Parser().feed(encode(b"a\nb\r\nc\rd")) == [Event("a\nb\nc\nd")]


def test_a_priming_event_has_an_id_and_no_data() -> None:
    parser = Parser()
    assert parser.feed(encode(b"", "0", 2000)) == [Event("", "message", "0")]
    assert parser.retry_ms == 2000


def test_comments_are_no_events() -> None:
    assert Parser().feed(COMMENT + b":\n\n: x\r\n\r\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_kind_of_line_end_ends_a_line(end: bytes) -> None:
    stream = end.join([b"event: tick", b"data: 1", b"", b"data:2", b"", b""])
    parser = Parser()
    assert [*parser.feed(stream), *parser.feed(b"")] == [Event("1", "tick"), Event("2")]


def test_a_byte_order_mark_is_skipped_at_the_start_only() -> None:
    parser = Parser()
    found = [event for byte in b"\xef\xbb\xbfdata: a\n\n" for event in parser.feed(bytes([byte]))]
    assert found == [Event("a")]
    assert parser.feed(b"\xef\xbb\xbfdata: b\n\n") == []


def test_an_id_stays_until_the_next_one() -> None:
    parser = Parser()
    found = parser.feed(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: x\0y\ndata: d\n\n")
    assert [event.id for event in found] == ["1", "1", "", ""]


def test_an_event_without_data_is_none_but_its_id_counts() -> None:
    parser = Parser()
    assert parser.feed(b"event: x\nid: 3\n\n") == []
    assert parser.last_id == "3"
    assert parser.feed(b"data: a\n\n") == [Event("a", "message", "3")]


def test_an_event_cut_short_does_not_count_as_heard() -> None:
    parser = Parser()
    parser.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n")
    assert parser.last_id == "1"
    assert parser.feed_raw(b"\n") == [RawEvent(b"b", "message", "2")]
    assert parser.last_id == "2"


def test_a_retry_that_is_no_number_is_ignored() -> None:
    parser = Parser()
    parser.feed(b"retry: soon\nretry: -1\n\n")
    assert parser.retry_ms is None


def test_broken_utf8_is_replaced() -> None:
    assert Parser().feed(b"data: \xff\n\n") == [Event("\ufffd")]


@pytest.mark.parametrize(
    "chunk", [b"x" * 100, b"data: " + b"x" * 90 + b"\n", b": " + b"y" * 70], ids=repr
)
def test_what_grows_without_end_is_refused(chunk: bytes) -> None:
    """I60."""
    parser = Parser(largest=300)
    assert parser.feed(chunk) == []
    with pytest.raises(BadResponse, match="larger than 300"):
        parser.feed(chunk * 9)


def test_many_small_events_are_no_large_one() -> None:
    parser = Parser(largest=300)
    for _ in range(1000):
        assert parser.feed(b"data: abc\n\n") == [Event("abc")]
