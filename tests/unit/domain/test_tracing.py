"""Which Trace Context is believed, and how it is handed on."""

import pytest

from gateway.domain.tracing import LONGEST_STATE, Trace, pairs, read

IDS = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_what_is_one_is_handed_on_unchanged():
    trace = read(f"00-{IDS}", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
    assert trace == (f"00-{IDS}", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
    assert pairs(trace) == (("traceparent", trace.parent), ("tracestate", trace.state))


def test_without_a_state_there_is_but_a_parent():
    assert pairs(Trace("p")) == (("traceparent", "p"),)


@pytest.mark.parametrize(
    "parent",
    [
        None,
        7,
        "",
        "00-1",
        f"ff-{IDS}",
        f"00-{IDS}-more",
        f"00-{IDS}, 00-{IDS}",
        f"00-{IDS}\n",
        f"00-{IDS}".upper(),
        f" 00-{IDS}",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        f"00-{IDS}" * 10_000,
    ],
)
def test_what_is_none_is_dropped(parent):
    assert read(parent, "rojo=1") is None


def test_of_a_version_to_come_what_we_know_of_it_goes_on():
    assert read(f"cc-{IDS}") == (f"00-{IDS}", "")
    assert read(f"cc-{IDS}-what-the-future-brings") == (f"00-{IDS}", "")
    assert read(f"cc-{IDS}.what-the-future-brings") is None


@pytest.mark.parametrize(
    "state", [None, 7, "a=1\r\nX-Evil: 1", "a=\u00e4", "a=\x00", "a" * (LONGEST_STATE + 1)]
)
def test_a_state_that_no_header_can_carry_is_left_out_alone(state):
    assert read(f"00-{IDS}", state) == (f"00-{IDS}", "")
