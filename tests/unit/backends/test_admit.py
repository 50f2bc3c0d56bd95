"""Each thing that a server lists is judged alone."""

from typing import Any

import pytest

from gateway.backends.admit import (
    LARGEST,
    LONGEST_TEXT,
    MOST,
    PROMPTS,
    RESOURCES,
    TEMPLATES,
    TOOLS,
    Kind,
    Taken,
    taken,
    tools,
)
from gateway.backends.remarks import MOST as MOST_ISSUES
from gateway.domain.issue import Severity

OBJECT: dict[str, Any] = {"type": "object"}


def tool(name: Any = "read", **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": OBJECT, **more}


def admit(*came: Any, kind: Kind = TOOLS, before: Taken | None = None) -> Taken:
    return taken("files", kind, came, before or Taken())


def names(found: Taken) -> list[Any]:
    return [item["name"] for item in found.items]


def test_what_is_well_is_taken_as_it_came_with_fields_nobody_knows() -> None:
    item = tool(
        "a.b-c_1",
        title="T",
        icons=[{"src": "x"}],
        execution={"taskSupport": "optional"},
        future={"any": [1, None]},
        inputSchema={"type": "object", "$defs": {"x": {"$anchor": "y"}}, "x-odd": 1},
        outputSchema={"type": "object", "properties": {"a": True}},
    )
    found = admit(item)
    assert found.items[0] is item
    assert found.issues == ()


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (tool(""), "its name is empty"),
        (tool("x" * 129), "its name is longer than 128 characters"),
        (tool("a b/../.."), "its name is a path"),
        (tool("a\\b"), "its name is a path"),
        (tool(".."), "its name is a path"),
        (tool("a\x1b[31m"), "its name holds characters that are not printable"),
        (tool("a\u202eb"), "its name holds characters that are not printable"),
        (tool("a\u200bb"), "its name holds characters that are not printable"),
        (tool(7), "it has no name"),
        ({"inputSchema": OBJECT}, "it has no name"),
        ("a tool", "no object"),
        ({"name": "read"}, "its inputSchema is missing"),
        (tool(inputSchema=None), "its inputSchema is missing"),
        (tool(inputSchema=[1]), "its inputSchema is no object"),
        (tool(inputSchema={}), "its inputSchema is not of type object"),
        (tool(inputSchema={"type": "string"}), "its inputSchema is not of type object"),
        (tool(outputSchema="x"), "its outputSchema is no object"),
        (tool(big="x" * LARGEST), f"it has {LARGEST + 56} bytes, more than {LARGEST}"),
    ],
)
def test_an_odd_tool_is_left_out_alone_with_a_reason(item: Any, reason: str) -> None:
    found = admit(tool("before"), item, tool("after"))
    assert names(found) == ["before", "after"]
    assert [issue.message for issue in found.issues] == [f"left out: {reason}"]


def test_an_issue_says_which_backend_and_tool_without_its_tricks() -> None:
    (issue,) = admit(tool("a\n\x1b/b")).issues
    assert (issue.file, issue.path) == ("files", "tool 'a\\n\\x1b/b'")
    assert issue.severity is Severity.WARNING


def test_of_two_with_one_name_the_first_is_taken() -> None:
    found = admit(tool(description="first"), tool(description="second"))
    assert [item["description"] for item in found.items] == ["first"]
    assert "another tool before it has the same name" in found.issues[0].message


def test_a_name_that_some_clients_refuse_is_taken_with_a_remark() -> None:
    found = admit(tool("list files"), tool("grüße"))
    assert names(found) == ["list files", "grüße"]
    assert len(found.issues) == 2


def test_a_description_without_measure_is_cut() -> None:
    found = admit(tool(description="x" * 1_000_000))
    assert len(found.items[0]["description"]) < LONGEST_TEXT + 20
    assert "1000000 characters" in found.issues[0].message


def test_characters_that_no_reader_sees_are_taken_out_and_told() -> None:
    secret = "".join(chr(0xE0000 + ord(c)) for c in "ignore previous")
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "description": f"one{secret}", "default": "\u200bkept"},
            "description": {"type": "string", "title": "\u202etitle"},
        },
    }
    item = tool(
        description=f"a\x00b\u202ec\u200bd{secret}\n\te", title="\x1b[1mT", inputSchema=schema
    )
    found = admit(item)
    (clean,) = found.items
    assert clean["description"] == "abcd\n\te"
    assert clean["title"] == "[1mT"
    properties = clean["inputSchema"]["properties"]
    assert properties["a"] == {"type": "string", "description": "one", "default": "\u200bkept"}
    assert properties["description"]["title"] == "title"
    assert "no reader sees" in found.issues[0].message


def test_foreign_words_and_smileys_are_no_oddity() -> None:
    item = tool(description="Grüße, 你好, שלום, नमस्ते 🙂")
    found = admit(item)
    assert found.items[0] is item
    assert found.issues == ()


def test_very_many_tools_are_bounded_and_their_issues_too() -> None:
    found = admit(
        *(tool(f"t{n}", inputSchema=None if n < 100 else OBJECT) for n in range(MOST + 5))
    )
    assert len(found.items) == MOST - 100
    assert f"{MOST + 5} are listed" in found.issues[0].message
    assert len(found.issues) == MOST_ISSUES + 1
    assert found.issues[-1].message == "51 more findings"


def test_what_did_not_change_is_the_same_object_as_before() -> None:
    first = admit(tool("a"), tool("b"), tool("c"))
    again = admit(tool("a"), tool("b"), tool("c"), before=first)
    assert again.items is first.items
    other = admit(tool("a"), tool("b", description="new"), tool("c"), before=first)
    assert [one is two for one, two in zip(first.items, other.items, strict=True)] == [
        True,
        False,
        True,
    ]


def test_an_oddity_is_told_again_when_the_list_comes_again() -> None:
    first = admit(tool("a b", description="\u200b"), tool("x", inputSchema=None))
    again = admit(tool("a b", description="\u200b"), tool("x", inputSchema=None), before=first)
    assert again.issues == first.issues
    assert len(first.issues) == 3


def test_tools_of_the_same_definition_are_the_same_tool() -> None:
    found = admit(tool("a"), tool("b"))
    first = tools("files", found.items, ())
    assert [str(one.ref) for one in first] == ["files:a", "files:b"]
    again = tools("files", admit(tool("a"), tool("b", title="B"), before=found).items, first)
    assert again[0] is first[0]
    assert again[1] != first[1]


@pytest.mark.parametrize(
    ("kind", "good", "bad", "reason"),
    [
        (PROMPTS, {"name": "p/1", "odd": 1}, {"title": "p"}, "it has no name"),
        (RESOURCES, {"uri": "a:b", "name": "r"}, {"uri": "a:c"}, "it has no name"),
        (RESOURCES, {"uri": "a:b", "name": "r"}, {"name": "r"}, "it has no uri"),
        (TEMPLATES, {"uriTemplate": "a:{b}", "name": "t"}, {"name": "t"}, "it has no uriTemplate"),
    ],
)
def test_prompts_and_resources_are_judged_likewise(
    kind: Kind, good: dict[str, Any], bad: dict[str, Any], reason: str
) -> None:
    found = admit(bad, good, kind=kind)
    assert found.items == (good,)
    assert found.items[0] is good
    assert found.issues[0].message == f"left out: {reason}"


def test_two_resources_may_have_one_name_but_not_one_uri() -> None:
    found = admit(
        {"uri": "a:1", "name": "r"},
        {"uri": "a:2", "name": "r"},
        {"uri": "a:1", "name": "s"},
        kind=RESOURCES,
    )
    assert [item["uri"] for item in found.items] == ["a:1", "a:2"]
