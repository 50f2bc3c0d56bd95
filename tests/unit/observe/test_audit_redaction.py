"""What of arguments is shown: names that are hidden, texts that are looked into, and bounds."""

import json

import pytest

from gateway.config.observing import REDACTED
from gateway.credentials.redact import Redactor
from gateway.observe.audit_copy import DEEPEST, MOST_VALUES, WHOLE, copied
from gateway.observe.audit_redaction import Names, Redaction, Rules

LONGEST = 100


def shown(arguments, *, rules=REDACTED, tool=("github", "create_issue"), redactor=None):
    redaction = Redaction(LONGEST, redactor or Redactor())
    names = Rules(rules).of(*tool) if tool else Rules(rules).of_any()
    return redaction.shown(copied(arguments, LONGEST).value, names)


@pytest.mark.parametrize(
    "name",
    [
        *("password", "PASSWORD", "dbPassword", "new_password_2", "client_secret", "accessToken"),
        *("api_key", "apiKey", "X-API-Key", "x-api-key", "Authorization", "privateKey", "cookie"),
    ],
)
def test_a_name_is_hidden_whatever_its_case_and_joints(name):
    assert shown({name: "hunter2"}) == {name: "***"}


@pytest.mark.parametrize("name", ["pass", "authorization_url", "cookies_wanted", "key", "author"])
def test_another_name_is_shown(name):
    assert shown({name: "hunter2"}) == {name: "hunter2"}


def test_what_is_hidden_is_hidden_at_any_depth_and_whole():
    arguments = {"a": [{"b": {"token": {"value": ["x"]}}}], "n": 1, "t": True, "none": None}
    expected = {"a": [{"b": {"token": "***"}}], "n": 1, "t": True, "none": None}
    assert shown(arguments) == expected


@pytest.mark.parametrize(
    ("tool", "hidden"),
    [
        (("github", "create_issue"), True),
        (("GitHub", "CREATE_ISSUE"), True),
        (("github", "get_issue"), False),
        (("gitlab", "create_issue"), False),
        (None, True),  # nobody knows which tool it was
    ],
)
def test_a_rule_for_a_tool_is_for_that_tool(tool, hidden):
    rules = ("github:create_*:body",)
    expected = {"body": "***" if hidden else "x", "title": "y"}
    assert shown({"body": "x", "title": "y"}, rules=rules, tool=tool) == expected


def test_a_glob_may_have_a_class_of_characters():
    names = Names(["pin_[0-9]"])
    assert [names.hide(name) for name in ("pin_1", "PIN_7", "pin_x")] == [True, True, False]


def test_names_that_clients_make_up_are_not_remembered_for_ever():
    names = Names(REDACTED)
    for number in range(10_000):
        assert names.hide(f"n{number}") is False
    assert len(names._known) <= 4_096


def test_json_in_a_text_is_looked_into():
    body = json.dumps({"user": "bob", "password": "hunter2", "of": [{"token": "x"}]})
    found = shown({"body": body})["body"]
    assert json.loads(found) == {"user": "bob", "password": "***", "of": [{"token": "***"}]}


def test_json_in_json_in_a_text_is_looked_into():
    inner = json.dumps({"password": "hunter2"})
    found = shown({"body": json.dumps({"body": inner})})["body"]
    assert json.loads(json.loads(found)["body"]) == {"password": "***"}


def test_json_with_nothing_to_hide_stays_as_it_was_written():
    assert shown({"body": '{ "a":  1 }'}) == {"body": '{ "a":  1 }'}


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "hunter2"',  # half of it
        '{"a": 1}\n{"password": "hunter2"}',  # lines of it
        '\ufeff{"password": "hunter2"}',
        "[" * 5_000 + '{"password": "hunter2"}' + "]" * 5_000,
        json.dumps({"padding": "x" * WHOLE, "password": "hunter2"}),  # too much of it
        json.dumps({"password": "hunter2", "padding": "x" * WHOLE}),
    ],
)
def test_what_looks_like_json_and_cannot_be_looked_into_is_not_shown(text):
    found = shown({"body": text})["body"]
    assert "hunter2" not in found
    assert "characters" in found or "***" in found


def test_other_text_in_brackets_is_shown():
    assert shown({"body": "[info] started"}) == {"body": "[info] started"}


def test_a_long_text_is_cut_and_says_how_long_it_was():
    assert shown({"body": "x" * 101}) == {"body": "x" * 100 + " … (101 characters)"}
    assert shown({"body": "x" * 100}) == {"body": "x" * 100}
    nine_megabytes = "y" * 9_000_000
    assert shown({"body": nine_megabytes}) == {"body": "y" * 100 + " … (9000000 characters)"}


@pytest.mark.parametrize("size", [200, 2 * WHOLE])
def test_a_secret_that_the_cut_parts_is_not_shown_by_half(size):
    redactor = Redactor()
    redactor.learn("canary-0123456789")
    text = ("x" * 90 + "canary-0123456789").ljust(size, "y")
    found = shown({"body": text}, redactor=redactor)["body"]
    assert "canary" not in found


def test_more_values_than_are_wanted_are_counted():
    found = shown({"list": list(range(10_000)), "after": 1})
    assert found["list"][-1] == f"({10_000 - MOST_VALUES + 1} more)"
    assert found["…"] == "(1 more)"
    assert len(found["list"]) == MOST_VALUES
    wide = shown({str(number): number for number in range(1_000)})
    assert wide["…"] == f"({1_000 - MOST_VALUES} more)"


def test_what_is_deeper_than_wanted_is_counted():
    nested = {"end": 1}
    for _ in range(60):
        nested = {"in": nested}
    text = json.dumps(shown(nested))
    assert text.count("in") == DEEPEST
    assert "(1 members)" in text


def test_all_texts_together_are_bounded():
    found = shown({str(number): "z" * WHOLE for number in range(100)})
    assert len(json.dumps(found)) < 100 * (LONGEST + 50)


def test_long_names_are_not_shown_and_neither_is_what_stands_under_them():
    assert shown({"password" + "x" * 300: "hunter2"}) == {"(308 characters)": "***"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**63, 2**63),
        (2**64, str(2**64)),
        (-(2**64), str(-(2**64))),
        (2**1_024, "(a number of 1025 bits)"),
        (b"raw", "(bytes)"),
        (("a", "b"), ["a", "b"]),
    ],
)
def test_values_that_json_or_its_readers_do_not_know_are_described(value, expected):
    assert shown({"value": value}) == {"value": expected}


def test_what_becomes_of_arguments_later_changes_nothing():
    arguments = {"list": [1], "of": {"a": "b"}}
    copy = copied(arguments, LONGEST)
    arguments["list"].append(2)
    arguments["of"]["a"] = "c"
    assert copy.value == {"list": [1], "of": {"a": "b"}}
