"""examples/datasette: a SQLite file behind the whole gateway, called by the real MCP client."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from tests.peers.programs import ROOT, capgate, console, free_port, gateway, running

EXAMPLE = ROOT / "examples" / "datasette"

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture(scope="module")
def datasette(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("datasette")
    database, port = str(folder / "library.db"), free_port()
    subprocess.run([sys.executable, str(EXAMPLE / "make_database.py"), database], check=True)
    argv = [sys.executable, "-m", "datasette", database, "--port", str(port)]
    with running(argv, folder / "log", port) as program:
        yield program.url


@pytest.fixture(scope="module")
def url(datasette: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"DATASETTE_URL": datasette}
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield f"{program.url}/mcp"


async def invoke(client: Client, tool: str, **arguments: Any) -> Any:
    return await client.call_tool(
        "gateway_invoke", {"server": "library", "tool": tool, "arguments": arguments}
    )


async def rows(url: str, tool: str, **arguments: Any) -> Any:
    """The structured result of a call that must succeed."""
    async with Client(url) as client:
        result = await invoke(client, tool, **arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refusal(url: str, tool: str, **arguments: Any) -> str:
    """What a call that must fail says."""
    async with Client(url) as client:
        result = await invoke(client, tool, **arguments)
    assert result.is_error
    assert result.structured_content is None
    return result.content[0].text


@both_eras
async def test_an_agent_finds_a_tool_and_reads_rows_with_it(url: str, mode: str) -> None:
    async with Client(url, mode=mode) as client:
        found = await client.call_tool(
            "gateway_search_tools", {"query": "search books by title and author"}
        )
        best = json.loads(found.content[0].text)["matches"][0]
        result = await invoke(client, best["tool"], author="Lem")
    assert best["server"] == "library"
    assert result.content[0].text == "5. Solaris by Stanisław Lem (1961)\n"


@both_eras
async def test_direct_mode_lists_and_calls_the_tools_as_they_are(url: str, mode: str) -> None:
    async with Client(f"{url}/library", mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        result = await client.call_tool("get_book", {"id": 9})
    assert set(tools) == {
        *("search_books", "get_book", "list_books", "count_books", "longest_books", "query")
    }
    assert tools["get_book"].annotations.read_only_hint
    assert result.structured_content["title"] == "The Hobbit"


async def test_filters_narrow_the_rows(url: str) -> None:
    books = await rows(url, "search_books", genre="mystery", from_year=1900, to_year=1950)
    assert [book["year"] for book in books] == [1902, 1934]


@pytest.mark.parametrize(
    ("title", "ids"), [("& P", [14]), ("' or 1=1 --", []), ("../..", []), ("{{7*7}}", [])]
)
async def test_a_value_is_only_ever_one_filter_value(url: str, title: str, ids: list[int]) -> None:
    """I47: it reaches SQLite's own parameter, whatever it looks like."""
    books = await rows(url, "search_books", title=title)
    assert [book["id"] for book in books] == ids


@pytest.mark.parametrize("order", ["title", "author", "year", "pages"])
async def test_pages_of_the_server_come_as_one_list(url: str, order: str) -> None:
    """Sixteen books, five a page; `next` is a text such as `1968,6`, with what has no ASCII."""
    books = await rows(url, "list_books", order=order)
    assert sorted(book["id"] for book in books) == list(range(1, 17))
    values = [book[order] for book in books]
    assert values == sorted(values)


async def test_a_list_goes_on_where_it_is_told_to(url: str) -> None:
    books = await rows(url, "list_books", order="year")
    after = f"{books[6]['year']},{books[6]['id']}"
    assert await rows(url, "list_books", order="year", after=after) == books[7:]


@pytest.mark.parametrize("after", ["../..,1", "x&_sort=id,1", "'; drop table books; --,1", "🦊,1"])
async def test_a_hostile_place_to_go_on_is_only_ever_a_place(url: str, after: str) -> None:
    """I47: SQLite compares it with years; a text is greater than every number."""
    assert await rows(url, "list_books", order="year", after=after) == []
    assert len(await rows(url, "list_books")) == 16


async def test_facets_count_the_rows(url: str) -> None:
    counts = await rows(url, "count_books")
    assert {count["value"]: count["books"] for count in counts} == {
        "science fiction": 7,
        "mystery": 4,
        "novel": 3,
        "fantasy": 2,
    }


async def test_named_parameters_reach_the_fixed_sql(url: str) -> None:
    books = await rows(url, "longest_books", from_year=1800, to_year=1899)
    assert books[0] == {"title": "Middlemarch", "pages": 880}


async def test_a_missing_row_is_said_in_the_files_words(url: str) -> None:
    assert "The library has no book 99." in await refusal(url, "get_book", id=99)


@pytest.mark.parametrize(
    ("sql", "said"),
    [("select nope from books", "no such column: nope"), ("drop table books", "SELECT")],
)
async def test_the_databases_own_error_reaches_the_agent(url: str, sql: str, said: str) -> None:
    assert said in await refusal(url, "query", sql=sql)
    assert await rows(url, "get_book", id=1)


async def test_wrong_arguments_never_reach_the_database(url: str) -> None:
    said = await refusal(url, "search_books", autor="Lem")
    assert "author" in said
    assert "not_sent" in said


def test_the_readme_says_what_happens(datasette: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        assert capgate(words, {"DATASETTE_URL": datasette}) == answer
