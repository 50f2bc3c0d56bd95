"""I27: whatever is typed into a search, or said by a tool, the answer is fast and valid."""

import time

import pytest

from gateway.domain.search import Found, Index
from gateway.domain.tool import Tool, ToolRef

TOOLS = [
    Tool(ToolRef(f"backend{number % 7}", f"get_item_{number}"), {"description": "Get one item."})
    for number in range(150)
]
INDEX = Index.build(TOOLS)
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "query",
    [
        "",
        " \t\n",
        "\0",
        "the of and to a",
        ".*+?[](){}|^$\\",
        '"',
        "* OR *",
        '"unclosed',
        "';--",
        "-- -",
        "\ud800",
        "\u202e\u200b",
        "😀" * 100,
    ],
)
def test_i27_a_query_without_words_finds_nothing(query: str) -> None:
    assert INDEX.search(query) == Found((), 0)


def test_i27_operators_are_words_and_nothing_more() -> None:
    plain = INDEX.search("get item")
    for query in ('"get" item*', "get\0item", "(get) + item:", "get -item", "^get$ | item"):
        assert INDEX.search(query) == plain, query
    assert INDEX.search("item NEAR get").total == plain.total


@pytest.mark.parametrize(
    "text",
    [
        "item ",
        "aItem0",
        "a",
        "A",
        "7",
        "x@",
        "http://",
        "天",
        "e\u0301",
        "get item backend near web hook pull request ",
        "\0",
        "q1w2e3r4t5y6u7i8o9p0",
    ],
)
def test_i27_a_megabyte_is_answered_within_50_ms(text: str) -> None:
    query = text * (MEGABYTE // len(text))
    started = time.thread_time()
    INDEX.search(query)
    assert time.thread_time() - started < 0.05


def test_i27_thousands_of_unknown_words_are_answered_within_50_ms() -> None:
    query = " ".join(f"unknownword{number}" for number in range(50_000))
    started = time.thread_time()
    INDEX.search(query)
    assert time.thread_time() - started < 0.05


def test_what_lies_beyond_the_length_of_a_query_is_not_read() -> None:
    assert INDEX.search("zzzzzz " * 1_000 + "item") == Found((), 0)


def test_of_very_many_words_the_first_are_looked_up() -> None:
    unknown = " ".join(f"zq{chr(97 + n % 26)}{chr(97 + n // 26)}xj" for n in range(100))
    assert INDEX.search(f"item {unknown}").total == len(TOOLS)
    assert INDEX.search(f"{unknown} item") == Found((), 0)


def test_a_tool_of_megabytes_is_indexed_by_its_beginning() -> None:
    endless = Tool(
        ToolRef("x", "n" * MEGABYTE),
        {
            "description": "orchid " + "word " * MEGABYTE + "tulip",
            "inputSchema": {"properties": {f"argument_{n}": {} for n in range(20_000)}},
        },
    )
    started = time.thread_time()
    index = Index.build([endless])
    assert time.thread_time() - started < 0.5
    assert index.search("orchid").total == 1
    assert index.search("tulip").total == 0


def test_of_very_many_arguments_the_first_are_read() -> None:
    others = {f"a{number}": {} for number in range(300)}
    schema = {"properties": {"orchid": {}, **others, "tulip": {}}}
    index = Index.build([Tool(ToolRef("x", "y"), {"inputSchema": schema})])
    assert index.search("orchid").total == 1
    assert index.search("tulip").total == 0


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"description": None, "inputSchema": None},
        {"description": 7, "inputSchema": {"properties": []}},
        {"inputSchema": {"properties": {"a": None, "b": True, "c": {"description": 5}}}},
        {"inputSchema": {"properties": {"a": {"enum": [1, None, {}], "items": []}}}},
    ],
)
def test_a_malformed_definition_is_found_by_its_name(definition: dict[str, object]) -> None:
    assert Index.build([Tool(ToolRef("x", "orchid"), definition)]).search("orchid").total == 1


def test_an_argument_that_holds_itself_ends() -> None:
    schema: dict[str, object] = {"properties": {}}
    schema["properties"] = {"orchid": schema}
    index = Index.build([Tool(ToolRef("x", "y"), {"inputSchema": schema})])
    assert index.search("orchid").total == 1
