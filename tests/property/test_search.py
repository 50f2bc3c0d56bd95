"""For any tools and any request: searches are valid, and updates lead where a fresh build does."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.search import Found, Index
from gateway.domain.search.words import words
from gateway.domain.signature import first_sentence, signature
from gateway.domain.tool import Tool, ToolRef

WORDS = ("get", "list", "user", "users", "file", "message", "web", "hook", "webhook", "天气预报")
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
refs = st.builds(ToolRef, st.sampled_from("ab"), st.sampled_from(["one", "two", "get_user", "v3"]))
queries = st.one_of(
    texts, st.text(max_size=30), st.sampled_from(["hooks", "weather files", "filename"])
)


@st.composite
def tools(draw: st.DrawFn) -> Tool:
    argument = draw(st.sampled_from(WORDS))
    schema = {"properties": {argument: {"description": draw(texts)}}}
    return Tool(draw(refs), {"description": draw(texts), "inputSchema": schema})


changes = st.lists(st.tuples(st.lists(refs, max_size=2), st.lists(tools(), max_size=4)), max_size=5)


def shown(found: Found) -> list[tuple[str, float]]:
    return [(str(match.tool.ref), match.score) for match in found.matches]


@given(changes, st.lists(queries, min_size=1, max_size=3))
def test_any_road_of_updates_leads_where_a_build_does(
    steps: list[tuple[list[ToolRef], list[Tool]]], asked: list[str]
) -> None:
    index, expected = Index.empty(), dict[ToolRef, Tool]()
    for removed, added in steps:
        index = index.updated(removed, added)
        for ref in removed:
            expected.pop(ref, None)
        expected |= {tool.ref: tool for tool in added}
    fresh = Index.build(expected.values())
    assert len(index) == len(fresh)
    assert index._store.stems == fresh._store.stems
    assert index._store.postings.keys() == fresh._store.postings.keys()
    for query in asked:
        assert shown(index.search(query)) == shown(fresh.search(query))
        assert shown(index.search(query, backend="a")) == shown(fresh.search(query, backend="a"))


@given(st.lists(tools(), max_size=8), queries, st.integers(-1, 8))
def test_a_search_is_within_its_bounds(many: list[Tool], query: str, limit: int) -> None:
    index = Index.build(many)
    found = index.search(query, limit)
    assert len(found.matches) <= max(limit, 0)
    assert len(found.matches) <= found.total <= len(index)
    order = [(-match.score, match.tool.ref) for match in found.matches]
    assert order == sorted(order)
    assert all(match.score > 0 for match in found.matches)
    assert shown(found) == shown(index.search(query, 50))[: max(limit, 0)]


@given(st.lists(tools(), max_size=8), queries, st.sets(refs))
def test_what_may_not_be_seen_changes_no_answer(
    many: list[Tool], query: str, permitted: set[ToolRef]
) -> None:
    index = Index.build(many)
    everything = {match.tool.ref for match in index.search(query, 50).matches}
    held = {tool.ref: tool for tool in many}
    alone = Index.build(tool for ref, tool in held.items() if ref in permitted)
    found = index.search(query, 50, part=index.part((), permitted))
    assert (shown(found), found.total) == (shown(alone.search(query, 50)), len(found.matches))
    of_one = index.search(query, 50, part=index.part("a", (ref for ref in permitted)))
    known = Index.build(
        tool for ref, tool in held.items() if ref.backend == "a" or ref in permitted
    )
    assert shown(of_one) == shown(known.search(query, 50))
    both = index.search(query, 50, part=index.part((), permitted), backend="a")
    assert shown(both) == shown(alone.search(query, 50, backend="a"))
    one = index.search(query, 50, backend="a")
    assert {match.tool.ref for match in one.matches} == {r for r in everything if r.backend == "a"}


@given(st.text())
def test_words_are_plain(text: str) -> None:
    for word in words(text):
        assert word == word.lower()
        assert not any(char.isspace() for char in word)
        assert word


schema_keys = st.sampled_from(
    ["type", "properties", "items", "enum", "const", "anyOf", "$ref", "$defs", "required", "x"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(schema_keys, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
@settings(max_examples=200)
def test_any_schema_has_a_signature(schema: Any) -> None:
    text = signature(Tool(ToolRef("a", "b"), {"inputSchema": {"properties": {"x": schema}}}))
    assert text.startswith("x?: ")
    assert "\n" not in text


@given(st.text(), st.integers(1, 200))
def test_a_first_sentence_is_one_line_and_short(text: str, longest: int) -> None:
    sentence = first_sentence(text, longest)
    assert len(sentence) <= longest + 1
    assert "\n" not in sentence
