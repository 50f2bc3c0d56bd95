"""gateway/credentials/redact.py: what is masked, for how long, what is left alone (I42, I43)."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from gateway.credentials.redact import MEMORY, Redactor


def knowing(*values, clock=lambda: 0.0):
    redactor = Redactor(clock)
    for value in values:
        redactor.learn(value)
    return redactor


VALUE = 'pa/ss w+rd"é'


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        quote(VALUE, safe=""),
        quote(VALUE),
        quote(VALUE, safe="")
        .replace("%2F", "%2f")
        .replace("%C3%A9", "%c3%a9")
        .replace("%2B", "%2b"),
        quote_plus(VALUE),
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        "pa/ss w+rd&quot;é",
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        "Basic " + base64.b64encode(f"user:{VALUE}".encode()).decode(),
        "Basic " + base64.b64encode(f"me:{VALUE}".encode()).decode(),
        "Basic " + base64.b64encode(f"u:{VALUE}".encode()).decode(),
        base64.b64encode(f"key={VALUE}&more".encode()).decode(),
    ],
)
def test_value_is_masked_as_it_travels(form):
    redactor = knowing(VALUE)
    for masked in (
        redactor.text(f"before {form} after"),
        redactor.data(f"before {form} after".encode()).decode(),
    ):
        assert masked.startswith("before ")
        assert masked.endswith(" after")
        assert "***" in masked
        assert form not in masked
        assert "ss w" not in masked


def test_lone_surrogate_does_not_stop_the_search():
    redactor = knowing("some-secret")
    assert redactor.text("\ud800 some-secret") == "\ud800 ***"
    assert redactor.text("\ud800 nothing") == "\ud800 nothing"


def test_value_with_a_lone_surrogate_hides_the_others_no_less():
    redactor = knowing("\ud800-secret", "some-secret")
    assert redactor.text("some-secret \ud800-secret") == "*** ***"


def test_text_without_secrets_comes_back_as_the_same_object():
    redactor = knowing("some-secret", "another-one")
    text, data = "nothing to see — é", "nothing to see — é".encode()
    assert redactor.text(text) is text
    assert redactor.data(data) is data


def test_redactor_that_knows_nothing_changes_nothing():
    assert Redactor().text("secret") == "secret"
    assert Redactor().data(b"\xff\x00") == b"\xff\x00"


def test_bytes_that_are_no_text_are_masked_too():
    assert knowing("s3cret-é").data(b"\xff" + "s3cret-é".encode() + b"\xfe") == b"\xff***\xfe"


def test_short_values_are_left_alone():
    """They would blot out ordinary words."""
    assert knowing("admin").text("the admin page") == "the admin page"
    assert knowing("admin1").text("the admin1 page") == "the *** page"


def test_value_inside_a_longer_value_leaves_nothing_of_it():
    assert knowing("secret", "secret-and-more").text("x secret-and-more y") == "x *** y"


def test_value_of_two_files_stays_until_both_let_it_go():
    now = [0.0]
    redactor = knowing("shared-value", "shared-value", clock=lambda: now[0])
    redactor.forget("shared-value")
    now[0] += MEMORY + 1
    redactor.learn("other-value")
    assert redactor.text("shared-value") == "***"
    redactor.forget("shared-value")
    now[0] += MEMORY + 1
    redactor.learn("third-value")
    assert redactor.text("shared-value") == "shared-value"


def test_rotated_value_is_remembered_for_a_while():
    now = [0.0]
    redactor = knowing("old-value", clock=lambda: now[0])
    redactor.forget("old-value")
    assert redactor.text("old-value") == "***"
    now[0] += MEMORY - 1
    redactor.learn("new-value")
    assert redactor.text("old-value") == "***"


def test_value_that_comes_back_stays():
    now = [0.0]
    redactor = knowing("old-value", clock=lambda: now[0])
    redactor.forget("old-value")
    redactor.learn("old-value")
    now[0] += 2 * MEMORY
    redactor.learn("new-value")
    assert redactor.text("old-value") == "***"


def test_value_that_came_back_counts_as_one():
    now = [0.0]
    redactor = knowing("old-value", clock=lambda: now[0])
    redactor.forget("old-value")
    redactor.learn("old-value")
    redactor.forget("old-value")
    now[0] += MEMORY + 1
    redactor.learn("new-value")
    assert redactor.text("old-value") == "old-value"


def test_forgetting_the_unknown_does_nothing():
    redactor = knowing("some-value")
    redactor.forget("never-seen")
    redactor.forget("x")
    assert redactor.text("some-value") == "***"


def test_repr_tells_the_number_only():
    assert repr(knowing("some-value", "x")) == "<Redactor of 1 values>"


def test_it_tells_how_much_of_an_end_may_be_the_beginning_of_a_secret():
    redactor = knowing("k3y-4711", "key-0815")
    assert redactor.begun("it is k3y-4") == 5
    assert redactor.begun("it is k3y-4 ") == 0
    assert redactor.begun("k") == 1
    assert redactor.begun("") == Redactor().begun("k3y") == 0
