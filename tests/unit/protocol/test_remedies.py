"""What may be done about a request that failed, before its failure is passed on."""

import pytest

from gateway.errors import BackendUnavailable, Reached, SessionLost
from gateway.protocol.answers import ErrorAnswered
from gateway.protocol.outbound import Draft
from gateway.protocol.remedies import Remedy, remedy

CALL = Draft("tools/call")
SAFE = Draft("tools/call", repeatable=True)
UNKNOWN = Reached.SENT_UNKNOWN


def error(code, message="no", status=200):
    return ErrorAnswered({"code": code, "message": message}, status)


@pytest.mark.parametrize(
    ("failure", "draft", "legacy", "modern"),
    [
        (SessionLost("x"), CALL, Remedy.INTRODUCE, Remedy.INTRODUCE),
        (SessionLost("x", reached=UNKNOWN), CALL, None, None),
        (SessionLost("x", reached=UNKNOWN), SAFE, Remedy.INTRODUCE, Remedy.INTRODUCE),
        (BackendUnavailable("x"), SAFE, None, None),
        (error(-32022, status=400), CALL, Remedy.INTRODUCE, Remedy.INTRODUCE),
        (error(-32020, status=400), CALL, Remedy.DOUBT, Remedy.RELIST),
        (error(-32020, status=400), Draft("prompts/get"), Remedy.DOUBT, None),
        (error(-32042), CALL, Remedy.VISIT, None),
        (error(-32601, status=404), CALL, Remedy.DOUBT, None),
        (error(-32602, status=400), CALL, Remedy.DOUBT, None),
        (error(-32600, status=400), CALL, Remedy.DOUBT, Remedy.DOUBT),
        (error(-32602, "not Initialized"), CALL, Remedy.DOUBT, Remedy.DOUBT),
        (error(-32602), CALL, None, None),
    ],
)
def test_each_failure_has_the_remedy_of_its_era(failure, draft, legacy, modern) -> None:
    found = [
        remedy(failure, draft, modern_server=server, modern_client=True) for server in (False, True)
    ]
    assert found == [legacy, modern]


def test_a_legacy_client_visits_urls_by_itself() -> None:
    assert remedy(error(-32042), CALL, modern_server=False, modern_client=False) is None
