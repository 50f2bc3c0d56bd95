import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.sse import COMMENT, Event, Parser, encode

lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)
texts = st.lists(lines, min_size=1, max_size=4).map("\n".join)
ids = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=5)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


@given(
    st.lists(st.tuples(texts, ids.map(str.strip).filter(bool)), max_size=6),
    st.lists(st.integers(0, 999)),
)
def test_events_survive_being_cut_at_any_byte(
    events: list[tuple[str, str]], cuts: list[int]
) -> None:
    stream = b"".join(encode(text.encode(), id) + COMMENT for text, id in events)
    parser = Parser()
    found = [event for piece in pieces(stream, cuts) for event in parser.feed(piece)]
    assert found == [Event(text, "message", id) for text, id in events]


@given(
    st.lists(st.sampled_from([b"data: a", b"id: 1", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b":"])),
    st.lists(st.integers(0, 99)),
)
def test_cuts_never_change_what_a_stream_says(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    whole, cut = Parser(), Parser()
    expected = whole.feed(stream)
    assert [event for piece in pieces(stream, cuts) for event in cut.feed(piece)] == expected
    assert cut.last_id == whole.last_id


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parser_raise(stream: bytes) -> None:
    Parser().feed(stream)
