"""What a server's response comes to."""

import msgspec
import pytest

from gateway.domain.client import NOBODY
from gateway.errors import BadResponse
from gateway.protocol.answers import ErrorAnswered, raw, read, relayed
from gateway.protocol.eras import REVISIONS
from gateway.protocol.received import Inbound
from gateway.protocol.relay import relayed as for_client

MODERN, LEGACY = REVISIONS["2026-07-28"], REVISIONS["2025-11-25"]


def answer(result: bytes) -> Inbound:
    return Inbound(id=1, result=msgspec.Raw(result))


def test_a_modern_result_without_a_kind_is_a_complete_one_and_says_so_to_clients() -> None:
    found = relayed(answer(b'{"content":[]}'), NOBODY, modern=True)
    told = msgspec.json.decode(for_client(found, MODERN))
    assert (told["resultType"], told["content"]) == ("complete", [])
    assert "resultType" not in msgspec.json.decode(for_client(found, LEGACY))


def test_a_modern_result_with_a_kind_is_handed_on_as_it_is() -> None:
    body = b'{"resultType":"complete","content":[],"isError":true}'
    found = relayed(answer(body), NOBODY, modern=True)
    assert found.is_error
    assert for_client(found, MODERN) == body


@pytest.mark.parametrize("kind", [b'"task"', b'"other"', b"null", b"7"])
def test_a_kind_that_the_client_cannot_know_is_a_bad_response(kind: bytes) -> None:
    with pytest.raises(BadResponse, match="unknown type of result"):
        relayed(answer(b'{"resultType":%b}' % kind), NOBODY, modern=True)


def test_the_kind_in_a_legacy_result_means_nothing() -> None:
    assert relayed(answer(b'{"resultType":"other"}'), NOBODY, modern=False).kind == "complete"


def test_an_error_is_raised_and_nothing_at_all_is_a_bad_response() -> None:
    with pytest.raises(ErrorAnswered) as refused:
        raw(Inbound(id=1, error={"code": -5, "message": "no", "data": {"why": 1}}))
    assert (refused.value.number, refused.value.data) == (-5, {"why": 1})
    with pytest.raises(BadResponse):
        raw(Inbound(id=1))


def test_what_is_no_object_is_unreadable() -> None:
    with pytest.raises(BadResponse):
        relayed(answer(b"[]"), NOBODY, modern=True)
    with pytest.raises(BadResponse):
        read(answer(b"7"))
