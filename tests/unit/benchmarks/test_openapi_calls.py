"""The measurement of imports tells what prism says of a request from what it says of itself."""

import json

import pytest

from benchmarks.openapi_calls import Fate, has_structure, judged, spread
from benchmarks.openapi_prism import Exchange

MANY = 'Too many violations! [{{"location":["{}","body"'  # cut off, as prism does
ANSWER = {"result": {"content": [{"type": "text", "text": "said"}]}}


def exchange(status, content=b"{}", **answered):
    names = {name.replace("_", "-"): value for name, value in answered.items()}
    return Exchange(
        "GET", "/", {}, b"", status, {"content-type": "application/json", **names}, content
    )


def problem(status, kind):
    told = {"type": f"https://x/prism/errors#{kind}", "title": "no", "detail": "that is why"}
    return exchange(status, json.dumps(told).encode())


def violation(place, severity="Error"):
    told = {"location": [place, "body", "a"], "severity": severity, "code": "type", "message": "no"}
    return json.dumps([told])


@pytest.mark.parametrize(
    ("seen", "fate"),
    [
        (None, Fate.REFUSED),
        (exchange(0), Fate.LOST),
        (exchange(200), Fate.ACCEPTED),
        (exchange(404), Fate.ACCEPTED),
        (exchange(200, sl_violations=violation("request", "Warning")), Fate.ACCEPTED),
        (exchange(200, sl_violations=violation("response")), Fate.ACCEPTED),
        (exchange(400, sl_violations=violation("request")), Fate.REJECTED),
        (exchange(422, sl_violations=MANY.format("request")), Fate.REJECTED),
        (exchange(200, sl_violations=MANY.format("response")), Fate.ACCEPTED),
        (problem(500, "VIOLATIONS"), Fate.UNANSWERED),
        (problem(401, "UNAUTHORIZED"), Fate.REJECTED),
        (problem(404, "NO_PATH_MATCHED_ERROR"), Fate.REJECTED),
        (Exchange("GET", "/", {}, b"", 500, {}, b"oops"), Fate.CRASHED),
    ],
)
def test_the_fate_of_a_call_is_what_prism_said_of_the_request(seen, fate):
    assert judged(seen, ANSWER)[0] is fate


def test_only_successful_answers_in_json_must_have_structure():
    with_it = {"result": {"content": [], "structuredContent": {}}}

    assert has_structure(exchange(200), with_it) is True
    assert has_structure(exchange(200), ANSWER) is False
    assert has_structure(exchange(200, b""), ANSWER) is None
    assert has_structure(exchange(404), ANSWER) is None
    assert has_structure(exchange(200, content_type="text/html"), ANSWER) is None
    assert has_structure(None, ANSWER) is None


def test_a_choice_is_spread_over_all_of_them():
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread(range(3), 5) == [0, 1, 2]
    assert spread([], 5) == []
