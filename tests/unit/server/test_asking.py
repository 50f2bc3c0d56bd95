from typing import Any

import pytest

from gateway.errors import CapabilityMissing
from gateway.server.asking import check, fits, loud_enough, may_be_asked

ELICIT, SAMPLE, ROOTS = "elicitation/create", "sampling/createMessage", "roots/list"
SAID = {"role": "assistant", "content": {"type": "text", "text": "hi"}, "model": "m"}


@pytest.mark.parametrize(
    ("capabilities", "method", "params", "required"),
    [
        ({}, ELICIT, {}, {"elicitation": {}}),
        ({"elicitation": {"url": {}}}, ELICIT, {}, {"elicitation": {"form": {}}}),
        ({"elicitation": {}}, ELICIT, {"mode": "url"}, {"elicitation": {"url": {}}}),
        ({"sampling": {}}, SAMPLE, {"tools": []}, {"sampling": {"tools": {}}}),
        ({"elicitation": {}}, ROOTS, {}, {"roots": {}}),
        ({"elicitation": {}}, "ping", {}, {"ping": {}}),
    ],
)
def test_what_a_client_did_not_declare_is_not_asked(
    capabilities: Any, method: str, params: Any, required: Any
) -> None:
    with pytest.raises(CapabilityMissing) as raised:
        check(capabilities, method, params)
    assert raised.value.required == required


@pytest.mark.parametrize(
    ("capabilities", "method", "params"),
    [
        ({"elicitation": {}}, ELICIT, {}),
        ({"elicitation": {"form": {}, "url": {}}}, ELICIT, {"mode": "url"}),
        ({"sampling": {}}, SAMPLE, {}),
        ({"sampling": {"tools": {}}}, SAMPLE, {"toolChoice": {}}),
        ({"roots": {"listChanged": True}}, ROOTS, {}),
    ],
)
def test_what_it_declared_is(capabilities: Any, method: str, params: Any) -> None:
    check(capabilities, method, params)
    assert may_be_asked(capabilities)


def test_a_client_with_other_capabilities_is_asked_nothing() -> None:
    assert not may_be_asked({})
    assert not may_be_asked({"extensions": {}, "experimental": {}})


@pytest.mark.parametrize(
    ("method", "answer", "expected"),
    [
        (ELICIT, {"action": "accept", "content": {}}, True),
        (ELICIT, {"action": "decline"}, True),
        (ELICIT, {"action": "accept", "content": "x"}, False),
        (ELICIT, {"action": ["accept"]}, False),
        (ELICIT, {}, False),
        (SAMPLE, SAID, True),
        (SAMPLE, {**SAID, "content": []}, True),
        (SAMPLE, {**SAID, "role": "root"}, False),
        (SAMPLE, {**SAID, "model": None}, False),
        (SAMPLE, {**SAID, "content": "hi"}, False),
        (ROOTS, {"roots": []}, True),
        (ROOTS, {"roots": {}}, False),
        (ROOTS, None, False),
        (ROOTS, [], False),
    ],
)
def test_what_can_be_an_answer_depends_on_the_question(
    method: str, answer: Any, *, expected: bool
) -> None:
    assert fits(method, answer) == expected


def test_messages_below_the_level_are_not_loud_enough() -> None:
    assert not loud_enough({"level": "info"}, "notice")
    assert loud_enough({"level": "notice"}, "notice")
    assert loud_enough({"level": "emergency"}, "debug")
    assert loud_enough({"level": "of its own"}, "emergency")
    assert loud_enough({"level": ["x"]}, "emergency")
