import pytest

from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    Busy,
    DeadlineExceeded,
    GatewayError,
    Reached,
    UpstreamFailed,
)
from gateway.http.failures import ConnectionLost, Unreachable


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (Busy("too many"), "try again in a moment"),
        (BackendUnavailable("cannot connect"), "try again later"),
        (DeadlineExceeded("timeout", reached=Reached.NOT_SENT), "try again later"),
        (DeadlineExceeded("timeout"), "look before you repeat it"),
        (ConnectionLost("closed"), "look before you repeat it"),
        (Unreachable("certificate refused"), "the operator of the gateway has to mend this"),
        (BadResponse("no JSON"), "trying again will not help"),
    ],
)
def test_an_error_without_a_hint_of_its_own_says_what_to_do_next(
    error: GatewayError, advice: str
) -> None:
    told, _, following = error.explain().partition("\nnext: ")
    assert told == f"{error} ({error.code}; {error.reached})"
    assert advice in following


def test_a_hint_of_its_own_comes_first() -> None:
    assert DeadlineExceeded("timeout", hint="ask for less").explain().endswith("next: ask for less")


def test_what_the_api_itself_says_speaks_for_itself() -> None:
    assert UpstreamFailed("HTTP 404").explain() == "HTTP 404 (upstream_error; completed)"
