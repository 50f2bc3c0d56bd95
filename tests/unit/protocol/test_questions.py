"""What servers may ask of clients."""

import pytest

from gateway.errors import BadResponse
from gateway.protocol.questions import MOST_AT_ONCE, asked, for_client, lacking, urls

ELICIT, SAMPLE, ROOTS = "elicitation/create", "sampling/createMessage", "roots/list"


@pytest.mark.parametrize(
    ("method", "params", "can", "required"),
    [
        (ELICIT, {}, {"elicitation": {}}, None),
        (ELICIT, {}, {"elicitation": {"form": {}}}, None),
        (ELICIT, {}, {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        (ELICIT, {"mode": "url"}, {"elicitation": {"url": {}}}, None),
        (ELICIT, {"mode": "url"}, {"elicitation": {}}, {"elicitation": {"url": {}}}),
        (ELICIT, {}, {"elicitation": True}, {"elicitation": {}}),
        (SAMPLE, {}, {"sampling": {}}, None),
        (SAMPLE, {"tools": []}, {"sampling": {"tools": {}}}, None),
        (SAMPLE, {"toolChoice": {}}, {"sampling": {}}, {"sampling": {"tools": {}}}),
        (ROOTS, {}, {"roots": {}}, None),
        (ROOTS, {}, {}, {"roots": {}}),
    ],
)
def test_what_a_client_lacks_is_named_as_it_would_declare_it(method, params, can, required) -> None:
    missing = lacking(method, params, can)
    assert (missing and missing.required) == required


def test_questions_keep_their_keys_and_params() -> None:
    result = {
        "inputRequests": {"a": {"method": ROOTS}, "b": {"method": ELICIT, "params": {"x": 1}}}
    }
    assert asked(result) == {"a": (ROOTS, {}), "b": (ELICIT, {"x": 1})}
    assert asked({}) == {}


@pytest.mark.parametrize(
    "requests",
    [7, [], {"a": {}}, {"a": {"method": "tools/call"}}, dict.fromkeys(map(str, range(100)))],
)
def test_questions_in_no_known_shape_are_refused(requests) -> None:
    with pytest.raises(BadResponse):
        asked({"inputRequests": requests})


@pytest.mark.parametrize(
    "data", [None, 7, {}, {"elicitations": {}}, {"elicitations": [{}] * (MOST_AT_ONCE + 1)}]
)
def test_an_error_may_name_no_url_at_all(data) -> None:
    assert urls(data) == []


def test_only_urls_are_visited() -> None:
    visit = {"mode": "url", "url": "https://x"}
    assert urls({"elicitations": [visit, {"mode": "form"}, 7]}) == [visit]


def test_a_form_is_shown_as_it_is() -> None:
    params = {"message": "?", "elicitationId": "kept", "_meta": {}, "task": {}}
    assert for_client(params, modern=True) == {"message": "?", "elicitationId": "kept"}
