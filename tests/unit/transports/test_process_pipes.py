import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transports.process_pipes import KEPT, MOST_LINES, WIDEST, LastWords, Lines


class Told:
    def __init__(self, largest: int = 100) -> None:
        self.lines: list[bytes] = []
        self.ends: list[str | None] = []
        self.reader = Lines(self.lines.append, self.ends.append, largest)


def words(*chunks: bytes) -> LastWords:
    made = LastWords(lambda: None)
    for chunk in chunks:
        made.data_received(chunk)
    return made


@given(st.lists(st.binary(max_size=5).map(lambda part: part.replace(b"x", b"\n")), max_size=20))
def test_lines_are_the_same_however_they_are_cut(chunks):
    told = Told()
    for chunk in filter(None, chunks):
        told.reader.data_received(chunk)
    told.reader.eof_received()
    whole = b"".join(chunks).split(b"\n")[:-1]
    assert [line.removesuffix(b"\n") for line in told.lines] == [
        line for line in whole if line
    ] or (
        b"\n" in told.lines  # a line break alone may be told as it came
    )
    assert told.ends == [None]


@pytest.mark.parametrize("chunks", [[b"x" * 101], [b"x" * 60, b"y" * 60], [b"a\n" + b"x" * 101]])
def test_a_line_over_the_cap_ends_it_and_nothing_after_counts(chunks):
    told = Told()
    for chunk in [*chunks, b"more\n", b"z" * 500]:
        told.reader.data_received(chunk)
    told.reader.connection_lost(None)
    assert told.lines == [b"a"] * chunks[0].count(b"a")
    assert told.ends == ["wrote a line of more than 100 bytes"]


def test_a_line_of_just_the_cap_passes():
    told = Told()
    for chunk in (b"x" * 99, b"x", b"\nb\n"):
        told.reader.data_received(chunk)
    assert told.lines == [b"x" * 100, b"b"]


def test_once_deaf_it_tells_no_lines_and_no_end():
    told = Told()
    told.reader.data_received(b"begun")
    told.reader.deafen()
    told.reader.data_received(b" and ended\n")
    told.reader.data_received(b"another\n")
    told.reader.eof_received()
    assert (told.lines, told.ends, told.reader.ended) == ([], [], True)


def test_the_last_words_are_the_last_few_lines_made_safe():
    said = words(b"one\n", b"\x1b[31mtwo\xff\n\n", b"three\r\nfour\nfive\nsix")
    assert said.lines() == ["one", "\\u001b[31mtwo\ufffd", "three", "four", "five", "six"]
    assert said.shown(str.upper) == "\\U001B[31MTWO\ufffd | THREE | FOUR | FIVE | SIX"
    assert words().shown(str) == ""


def test_of_a_flood_only_the_end_is_kept():
    said = words(*[b"line %d\n" % number for number in range(10_000)])
    lines = said.lines()
    assert len(lines) == MOST_LINES
    assert lines[-1] == "line 9999"
    said = words(b"x" * 1_000_000, b"y" * 1_000_000 + b"\nend\n")
    assert len(said._kept) == KEPT
    assert said.lines() == ["end"]
    assert len(words(b"z" * 5_000).shown(str)) == WIDEST
