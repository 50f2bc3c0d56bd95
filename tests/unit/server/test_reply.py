import pytest

from gateway.server.reply import EVENTS, JSON, accepts, is_json, unfit

BOTH = f"{JSON}, {EVENTS}"


@pytest.mark.parametrize(
    "header", [BOTH, f"{EVENTS};q=0.5,{JSON};q=1", "*/*", "application/*, text/*", BOTH.upper()]
)
def test_an_accept_header_that_takes_both_kinds_passes(header: str) -> None:
    assert accepts(header, JSON)
    assert accepts(header, EVENTS)


@pytest.mark.parametrize("header", [None, "", "text/html", JSON, f"{JSON}, {EVENTS};q=0"])
def test_an_accept_header_that_lacks_one_does_not(header: str | None) -> None:
    """I12."""
    assert not (accepts(header, JSON) and accepts(header, EVENTS))
    reply = unfit({"content-type": JSON, **({} if header is None else {"accept": header})})
    assert reply is not None
    assert reply.status == 406


@pytest.mark.parametrize("kind", [JSON, f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"'])
def test_json_in_utf8_is_a_good_content_type(kind: str) -> None:
    assert is_json(kind)
    assert unfit({"content-type": kind, "accept": BOTH}) is None


@pytest.mark.parametrize("kind", [None, "text/plain", f"{JSON}; charset=utf-16", f"{JSON}, {JSON}"])
def test_any_other_content_type_is_refused(kind: str | None) -> None:
    """I12."""
    reply = unfit({"accept": BOTH, **({} if kind is None else {"content-type": kind})})
    assert reply is not None
    assert reply.status == 415
