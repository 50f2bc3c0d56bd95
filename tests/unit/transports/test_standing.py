import pytest

from gateway.transports.standing import LONGEST_PAUSE, pause


@pytest.mark.parametrize(
    ("failures", "longest"), [(0, 4.0), (1, 6.0), (3, 18.0), (10_000, 2.0 + LONGEST_PAUSE)]
)
def test_a_stream_is_tried_again_later_and_later_but_never_sooner_than_the_server_wants(
    failures: int, longest: float
) -> None:
    assert pause(2.0, failures, 0.0) == 2.0
    assert pause(2.0, failures, 1.0) == longest
