"""gateway/http/live.py: how much of a body is handed on in one turn of the loop."""

import gzip
import random
import zlib

import pytest

from gateway.errors import BadResponse
from gateway.http.live import TURN, Live


class Ear:
    def __init__(self, enough=1 << 40):
        self.pieces = []
        self.left = enough

    def begins(self, head):
        self.head = head

    def hear(self, data):
        self.pieces.append(data)
        self.left -= len(data)
        return self.left <= 0


def heard(body, encoding=None, *, cut=300_000, enough=1 << 40, cap=1 << 24):
    """The turns that each read of `cut` bytes took, what was heard in them, and the last word."""
    ear = Ear(enough)
    live = Live(ear, cap)
    assert live.takes(200, [("content-encoding", encoding)] if encoding else [])
    turns, said = [], False
    for at in range(0, len(body), cut):
        said, count = live(body[at : at + cut]), 1
        while said is None:
            said, count = live(b""), count + 1
        turns.append(count)
        if said:
            break
    live.end()
    return turns, ear.pieces, said


PACKERS = {
    None: bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "x-gzip": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
}


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("cut", [1, 1000, 300_000])
def test_however_much_comes_at_once_it_is_heard_in_small_turns_f4(encoding, cut):
    body = random.Random(1).randbytes(20_000) + b"1\n" * 30_000
    turns, pieces, said = heard(PACKERS[encoding](body), encoding, cut=cut)
    assert (b"".join(pieces), said) == (body, False)
    assert max(map(len, pieces)) <= TURN
    assert max(turns) <= 2 * len(body) // TURN + 2


def test_raw_deflate_that_ends_with_a_long_repetition_is_heard_whole():
    """All that was given is taken in then, and some of it not yet given out."""
    for extra in range(300):
        packer = zlib.compressobj(wbits=-15)
        body = b"a" * (TURN + extra)
        packed = packer.compress(body) + packer.flush()
        assert b"".join(heard(packed, "deflate")[1]) == body


def test_enough_is_enough_within_a_read():
    _, pieces, said = heard(b"x" * 300_000, enough=10_000)
    assert (len(pieces), said) == (2, True)


def test_a_bomb_stops_within_a_turn_of_the_cap_i59():
    with pytest.raises(BadResponse, match="larger than 1,000,000 bytes"):
        heard(gzip.compress(b"x" * 30_000_000), "gzip", cap=1_000_000)
