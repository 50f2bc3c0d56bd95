"""Rules over several keys, and lints (capability-format.md §6 annotations, §7)."""

import msgspec
import pytest

from gateway.capability.file.annotations import annotations
from gateway.capability.file.checks import tool_problems
from gateway.capability.file.model import METHODS, ToolSpec
from gateway.capability.file.problem import Problem
from gateway.domain.issue import Severity


def problems(**keys: object) -> list[Problem]:
    return list(tool_problems(msgspec.convert({"description": "Deletes it.", **keys}, ToolSpec)))


def only(**keys: object) -> Problem:
    (problem,) = problems(**keys)
    return problem


@pytest.mark.parametrize("method", METHODS)
def test_one_method_is_right(method: str) -> None:
    assert problems(**{method: "/x"}) == []


def test_no_method_is_an_error() -> None:
    assert only().message == "no method"


def test_each_further_method_is_an_error_at_its_key() -> None:
    found = problems(get="/a", post="/b", delete="/c")
    assert [(problem.path, problem.at_key) for problem in found] == [
        (("post",), True),
        (("delete",), True),
    ]
    assert found[0].message == "a second method: 'get' stands here too"


def test_a_second_body_is_an_error_at_its_key() -> None:
    assert problems(post="/x", json={}) == []
    assert only(post="/x", form={}, text="a").path == ("text",)
    assert only(post="/x", json=None, text="a").path == ("text",)
    assert len(problems(post="/x", json={}, form={}, bytes="x")) == 2


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("body", [{"json": {}}, {"json": None}, {"text": "x"}, {"form": {}}])
def test_a_read_has_no_body(method: str, body: dict[str, object]) -> None:
    assert only(**{method: "/x"}, **body).message == f"a request of '{method}' has no body"
    assert problems(post="/x", **body) == []
    assert problems(delete="/x", **body) == []


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"timeout": "5 years"}, ("timeout",)),
        ({"timeout": 0}, ("timeout",)),
        ({"cache": "soon"}, ("cache",)),
        ({"cache": {"ttl": "-1s"}}, ("cache", "ttl")),
        ({"retry": {"max_wait": "x"}}, ("retry", "max_wait")),
        ({"limits": {"max_bytes": "x"}}, ("limits", "max_bytes")),
        ({"limits": {"transfer": 0}}, ("limits", "transfer")),
        ({"response": {"max_bytes": "4 mega"}}, ("response", "max_bytes")),
    ],
)
def test_a_wrong_quantity_is_told_at_its_place(
    keys: dict[str, object], path: tuple[str, ...]
) -> None:
    assert only(get="/x", **keys).path == path


def test_right_quantities_pass() -> None:
    limits = {"max_bytes": "4m", "transfer": 4096}
    assert problems(get="/x", timeout="30s", cache=0, retry={"max_wait": 5}, limits=limits) == []


def test_an_error_rule_for_nothing_is_an_error() -> None:
    assert only(get="/x", errors=[{"status": 404}, {"message": "x"}]).path == ("errors", 1)


def test_argument_and_output_schemas_are_checked_at_their_place() -> None:
    assert only(get="/x", args={"a": {"typ": 1}}).path == ("args", "a", "typ")
    assert only(get="/x", output={"typ": 1}).path == ("output", "typ")


def test_a_name_with_a_line_end_is_refused() -> None:
    """`$` of a pattern lets it pass."""
    assert only(get="/x", args={"a\n": {}}).message == "a name with a line end"


def test_annotations_are_of_their_type() -> None:
    assert only(get="/x", annotations={"readOnlyHint": "yes"}).message == "must be true or false"
    assert only(get="/x", annotations={"title": True}).message == "must be text"
    assert problems(get="/x", annotations={"title": "T", "openWorldHint": False}) == []


def test_a_blank_description_is_an_error() -> None:
    assert only(get="/x", description="  \n").severity is Severity.ERROR


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_destructive_tool_must_say_what_it_changes(method: str) -> None:
    found = only(**{method: "/x"}, description="The labels of a repository.")
    assert found.severity is Severity.WARNING
    assert found.path == ("description",)
    assert "readOnlyHint" in (found.hint or "")


@pytest.mark.parametrize(
    "description",
    ["Create an issue.", "Sends a message", "Closes it", "Permanently removes a label.", "Run it"],
)
def test_a_word_of_effect_is_enough(description: str) -> None:
    assert problems(post="/x", description=description) == []


def test_a_tool_that_only_reads_need_not_say_so() -> None:
    text = "Find people by name."
    assert problems(get="/x", description=text) == []
    assert problems(post="/x", description=text, annotations={"readOnlyHint": True}) == []
    assert problems(post="/x", description=text, annotations={"destructiveHint": False}) == []


def test_a_cached_post_is_flagged_unless_it_only_reads() -> None:
    found = only(post="/x", cache="5m")
    assert found.severity is Severity.WARNING
    assert found.path == ("cache",)
    assert only(post="/x", cache={"ttl": 60}).path == ("cache",)
    assert problems(post="/x", cache=0) == []
    assert problems(get="/x", cache="5m") == []
    assert problems(post="/x", cache="5m", annotations={"readOnlyHint": True}) == []


@pytest.mark.parametrize(
    ("method", "reads", "destroys", "repeats"),
    [
        ("get", True, None, True),
        ("head", True, None, True),
        ("put", False, True, True),
        ("delete", False, True, True),
        ("post", False, True, False),
        ("patch", False, True, False),
    ],
)
def test_annotations_follow_the_method(
    method: str, *, reads: bool, destroys: bool | None, repeats: bool
) -> None:
    told = annotations(method, {})
    assert told["readOnlyHint"] is reads
    assert told.get("destructiveHint") is destroys
    assert told["idempotentHint"] is repeats
    assert told["openWorldHint"] is True


def test_explicit_annotations_win() -> None:
    assert annotations("get", {"readOnlyHint": False, "title": "T"}) == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": True,
        "openWorldHint": True,
        "title": "T",
    }
    assert annotations("post", {"idempotentHint": True})["idempotentHint"] is True
    assert annotations("delete", {"destructiveHint": False})["destructiveHint"] is False


def test_a_post_that_only_reads_can_be_repeated_and_destroys_nothing() -> None:
    told = annotations("post", {"readOnlyHint": True})
    assert told == {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True}
