"""How long an answer asks to be left alone."""

from email.utils import formatdate

import pytest

from gateway.http.waits import asked_wait

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("47", 47),
        (" 3 ", 3),
        ("0", 0),
        ("-5", 0),
        ("999999999", 86_400),
        ("9" * 400, None),
        (formatdate(NOW + 30, usegmt=True), 30),
        (formatdate(NOW - 30, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 0),
        ("soon", None),
        ("1e3", None),
        ("NaN", None),
        ("+7", None),
        ("٣", None),
        ("--3", None),
        ("", None),
    ],
)
def test_retry_after_is_clamped_to_a_day_or_ignored(text: str, seconds: float | None) -> None:
    """I63."""
    assert asked_wait({"retry-after": text}, NOW) == seconds


def test_rate_limit_reset_is_seconds_or_a_date() -> None:
    assert asked_wait({"ratelimit-reset": "12"}, NOW) == 12
    assert asked_wait({"ratelimit-reset": str(int(NOW) + 12)}, NOW) == 12
    assert asked_wait({"ratelimit-reset": str(int(NOW) - 12)}, NOW) == 0


def test_retry_after_goes_before_rate_limit_reset() -> None:
    assert asked_wait({"retry-after": "1", "ratelimit-reset": "2"}, NOW) == 1
    assert asked_wait({}, NOW) is None
