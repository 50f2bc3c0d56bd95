"""What the operator changes in tools before anybody sees them."""

from typing import Any

from gateway.backends.overrides import Overridden, overridden
from gateway.backends.settings import ToolOverride

READ: dict[str, Any] = {
    "name": "read",
    "description": "Read it.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "token": {"type": "string", "x-mcp-header": "Token"},
        },
        "required": ["path", "token"],
        "additionalProperties": False,
    },
    "_meta": {"odd": True},
}
WRITE: dict[str, Any] = {"name": "write", "inputSchema": {"type": "object"}}
LIST: dict[str, Any] = {"name": "list", "inputSchema": {"type": "object"}}


def override(**overrides: ToolOverride) -> Overridden:
    return overridden("files", (READ, WRITE, LIST), overrides)


def names(found: Overridden) -> list[str]:
    return [item["name"] for item in found.items]


def messages(found: Overridden) -> list[str]:
    return [issue.message for issue in found.issues]


def test_tools_that_nobody_overrides_are_the_objects_they_were() -> None:
    items = (READ, WRITE)
    assert overridden("files", items, {}).items is items
    found = override(write=ToolOverride(description="new"))
    assert found.items[0] is READ
    assert found.items[2] is LIST
    assert set(found.targets) == {"write"}


def test_a_hidden_tool_is_gone() -> None:
    assert names(override(write=ToolOverride(hidden=True))) == ["read", "list"]


def test_a_renamed_tool_is_called_by_its_own_name_and_keeps_the_rest() -> None:
    found = override(read=ToolOverride(name="open", description="Open it."))
    assert found.items[0] == {**READ, "name": "open", "description": "Open it."}
    assert found.targets["open"].name == "read"
    assert found.targets["open"].arguments({"path": "x"}) == {"path": "x"}


def test_a_pinned_argument_is_neither_seen_nor_set_by_the_caller() -> None:
    found = override(read=ToolOverride(pinned={"token": "t0"}))
    schema = found.items[0]["inputSchema"]
    assert schema == {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    }
    target = found.targets["read"]
    assert target.arguments({"path": "x", "token": "mine"}) == {"path": "x", "token": "t0"}
    assert target.schema is READ["inputSchema"]  # with the header that the server asks for


def test_a_default_is_sent_where_the_caller_gives_none() -> None:
    found = override(read=ToolOverride(defaults={"path": "/home", "token": None}))
    schema = found.items[0]["inputSchema"]
    assert schema["properties"]["path"] == {"type": "string", "default": "/home"}
    assert "required" not in schema
    target = found.targets["read"]
    assert target.arguments({}) == {"path": "/home", "token": None}
    assert target.arguments({"path": "x"}) == {"path": "x", "token": None}
    assert READ["inputSchema"]["required"] == ["path", "token"]


def test_an_argument_that_the_tool_does_not_have_is_remarked_on() -> None:
    found = override(read=ToolOverride(pinned={"tokn": 1}))
    assert messages(found) == ["the tool has no argument 'tokn'; it is sent all the same"]
    assert found.issues[0].hint == "did you mean 'token'?"
    assert found.targets["read"].arguments({}) == {"tokn": 1}


def test_an_override_of_no_tool_names_the_nearest() -> None:
    found = override(wriet=ToolOverride(hidden=True))
    assert messages(found) == ["the server has no such tool"]
    assert found.issues[0].hint == "did you mean 'write'?"
    assert (found.issues[0].file, found.issues[0].path) == ("files", "override 'wriet'")


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    found = override(read=ToolOverride(name="list", description="new"))
    assert names(found) == ["read", "write", "list"]
    assert found.items[0]["description"] == "new"
    assert found.items[2] is LIST
    assert messages(found) == ["there is a tool 'list' already; not renamed"]


def test_the_name_of_a_tool_that_is_hidden_or_renamed_is_free() -> None:
    assert names(override(list=ToolOverride(hidden=True), read=ToolOverride(name="list"))) == [
        "list",
        "write",
    ]
    swapped = override(read=ToolOverride(name="write"), write=ToolOverride(name="read"))
    assert names(swapped) == ["write", "read", "list"]
    assert swapped.targets["write"].name == "read"
    assert swapped.issues == ()


def test_a_rename_that_fails_takes_its_own_name_back_from_another() -> None:
    found = override(read=ToolOverride(name="list"), write=ToolOverride(name="read"))
    assert names(found) == ["read", "write", "list"]
    assert len(messages(found)) == 2
    assert {name: target.name for name, target in found.targets.items()} == {
        "read": "read",
        "write": "write",
    }


def test_a_name_that_no_tool_may_have_is_not_given() -> None:
    found = override(read=ToolOverride(name="../x"))
    assert names(found)[0] == "read"
    assert messages(found) == ["not renamed: its name is a path"]
