"""gateway/importers/inserting: one more example, and every other byte as it was."""

import pytest

from gateway.capability.file.yaml import parse
from gateway.importers.inserting import NotInserted, with_example

NEW = {
    "args": {"id": "a: b # c", "n": 8},
    "request": {"url": "https://h/x?y=1"},
    "reply": {"json": {"text": "line\nbreak {{ x }}", "list": [1, 2.5, None, True]}},
    "result": {"ok": "yes"},
}
HEAD = """\
# a comment of the author's
capability: 1          # the format
description: d
base_url: https://h
tools:
"""
NEXT = """
  # the next tool
  other: {description: o, get: /o}   # in one line
"""


def tree(text):
    found = parse(text.encode(), "f")
    assert found.issues == ()
    return found.tree


def lines_lost(before, after):
    kept = after.splitlines()
    return [line for line in before.splitlines() if line not in kept]


PLAIN = "  t:\n    description: d\n    get: /x\n"
TOOLS = [
    "  t:\n    description: d\n    get: /x   # where\n",
    PLAIN
    + """\
    # about examples
    examples:
      - args: {id: a}     # first

      - args: {id: b}
        # of the second
        result: 1   # that is all
""",
    "  t:\n    description: d\n    examples:\n    - args: {}\n    get: /x\n",
    f"{PLAIN}    examples: []\n",
    f"{PLAIN}    examples: [{{args: {{id: a}}}}]   # in one line\n",
    f"{PLAIN}    examples: [\n      {{args: {{id: a}}}},  # one\n    ]\n",
    "  t: {description: d, get: /x}\n",
    "  t: {description: d, get: /x, examples: [{args: {}}]}\n",
    "  t:\n    get: /x\n    description: |\n      two\n      lines\n",
    "  t:\n    get: /x\n    description: >-\n      folded\n      text\n\n",
]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("after", ["", NEXT])
def test_the_example_stands_last_and_comments_stay(tool, after):
    text = HEAD + tool + after
    made = with_example(text, "t", NEW)
    before, found = tree(text), tree(made)
    assert found["tools"]["t"]["examples"] == [*before["tools"]["t"].get("examples", []), NEW]
    assert found["tools"].get("other") == before["tools"].get("other")
    assert made.count("#") >= text.count("#")
    if "{description: d" not in tool and "examples: [" not in tool:
        assert lines_lost(text, made) == []


def test_line_ends_stay_those_of_the_file():
    text = (HEAD + "  t:\n    description: d\n    get: /x\n").replace("\n", "\r\n")
    made = with_example(text, "t", {"args": {"id": "a"}})
    assert made.count("\n") == made.count("\r\n")


def test_a_file_without_a_last_line_end_gets_one():
    text = HEAD + "  t:\n    description: d\n    get: /x"
    assert with_example(text, "t", {"args": {}}).endswith("\n")


def test_examples_that_several_tools_share_are_not_touched():
    text = HEAD + (
        "  t:\n    description: d\n    get: /x\n    examples: &e\n      - args: {}\n"
        "  u:\n    description: d\n    get: /x\n    examples: *e\n"
    )
    with pytest.raises(NotInserted, match="an anchor, perhaps"):
        with_example(text, "u", NEW)
    with pytest.raises(NotInserted, match="an anchor, perhaps"):
        with_example(text, "t", NEW)


def test_arguments_that_come_by_an_alias_are_no_trouble():
    text = HEAD + (
        "  t:\n    description: d\n    args: &a\n      id: {type: string}\n    get: /x\n"
        "  u:\n    description: d\n    get: /x\n    args: *a\n"
    )
    assert tree(with_example(text, "u", NEW))["tools"]["u"]["examples"] == [NEW]


@pytest.mark.parametrize("text", ["tools: [", "tools: {}", "a: 1", ""])
def test_a_file_without_the_tool_is_refused(text):
    with pytest.raises(NotInserted):
        with_example(text, "t", NEW)
