"""What the index finds, in which order, and what an update leaves alone."""

from collections.abc import Sequence

from gateway.domain.search import Found, Index, Part
from gateway.domain.tool import Tool, ToolRef


def a_tool(backend: str, name: str, description: str = "", **arguments: object) -> Tool:
    schema = {"type": "object", "properties": arguments}
    return Tool(
        ToolRef(backend, name), {"name": name, "description": description, "inputSchema": schema}
    )


SEARCH_FILES = a_tool(
    "files",
    "search_files",
    "Recursively search for files and directories matching a pattern.",
    path={"type": "string", "description": "Starting directory"},
    pattern={"type": "string", "description": "Glob for names"},
)
READ_FILE = a_tool("files", "read_file", "The text of one file.", path={"type": "string"})
POST_MESSAGE = a_tool(
    "slack", "post_message", "Post a message to a channel.", channel_id={"type": "string"}
)
LIST_CHANNELS = a_tool("slack", "list_channels", "All channels of the workspace.")
FORECAST = a_tool(
    "weather",
    "getForecast",
    "Weather for the days to come.",
    units={"enum": ["celsius", "fahrenheit"]},
    place={"properties": {"latitude": {"type": "number", "description": "Degrees north"}}},
)
TOOLS = (SEARCH_FILES, READ_FILE, POST_MESSAGE, LIST_CHANNELS, FORECAST)
INDEX = Index.build(TOOLS)


def names(found: Found) -> list[str]:
    return [str(match.tool.ref) for match in found.matches]


def first(query: str, tools: Sequence[Tool] = TOOLS) -> str:
    return names(Index.build(tools).search(query, 1))[0]


def test_queries_as_agents_write_them_find_their_tool() -> None:
    assert first("search files by name in a directory") == "files:search_files"
    assert first("send message channel") == "slack:post_message"
    assert first("what will the weather be like in Paris tomorrow?") == "weather:getForecast"


def test_words_are_found_in_every_part_of_a_tool() -> None:
    assert first("slack") == "slack:list_channels", "the backend's name; ties go by name"
    assert first("forecast") == "weather:getForecast", "a part of a camelCase name"
    assert first("fahrenheit") == "weather:getForecast", "a choice"
    assert first("latitude") == "weather:getForecast", "an argument inside an argument"
    assert first("north") == "weather:getForecast", "its description"


def test_tags_and_samples_are_found_though_they_are_never_listed() -> None:
    tool = Tool(ToolRef("a", "b"), {"name": "b"}, tags=("meteorology",), samples=("Reykjavik",))
    tools = (*TOOLS, tool)
    assert first("meteorology", tools) == "a:b"
    assert first("reykjavik", tools) == "a:b"


def test_a_tag_counts_more_than_a_sample() -> None:
    sampled = Tool(ToolRef("x", "one"), {}, samples=("orchid",))
    tagged = Tool(ToolRef("x", "two"), {}, tags=("orchid",))
    assert first("orchid", [sampled, tagged]) == "x:two"


def test_a_name_counts_more_than_a_description() -> None:
    tools = [a_tool("x", "mention", "Can export a report."), a_tool("x", "export_report")]
    assert first("export report", tools) == "x:export_report"


def test_the_tool_whose_whole_name_is_asked_for_comes_first() -> None:
    tools = [a_tool("x", "merge_pull_request"), a_tool("x", "merge_pull_request_review_comment")]
    assert first("merge pull request", list(reversed(tools))) == "x:merge_pull_request"


def test_other_forms_of_a_word_match_and_the_very_form_comes_first() -> None:
    tools = [a_tool("x", "booking"), a_tool("x", "bookings")]
    index = Index.build(tools)
    assert names(index.search("bookings")) == ["x:bookings", "x:booking"]
    assert names(index.search("booking")) == ["x:booking", "x:bookings"]


def test_any_word_may_match_not_all_must() -> None:
    assert names(INDEX.search("forecast xylophone quux")) == ["weather:getForecast"]


def test_related_words_match_after_the_word_itself() -> None:
    tools = [a_tool("x", "erase_note"), a_tool("x", "remove_note")]
    assert names(Index.build(tools).search("remove notes")) == ["x:remove_note", "x:erase_note"]


def test_unknown_words_are_completed_split_joined_and_shortened() -> None:
    tools = [a_tool("x", "webhook"), a_tool("y", "pull_request"), a_tool("z", "kubernetes")]
    assert first("web hook", tools) == "x:webhook"
    assert first("pullrequest", tools) == "y:pull_request"
    assert first("kube", tools) == "z:kubernetes"
    assert first("webhookery", tools) == "x:webhook"
    assert Index.build(tools).search("ku").matches == (), "too short to complete"


def test_an_address_asks_for_a_url() -> None:
    tools = [a_tool("x", "open_page", "Go to a URL."), a_tool("x", "examples", "Examples.")]
    assert first("go to https://example.com/examples", tools) == "x:open_page"


def test_scripts_without_spaces_and_with_accents_match() -> None:
    tools = [
        a_tool("x", "tianqi", "查询指定城市的天气预报"),
        a_tool("x", "youjian", "发送电子邮件"),
        a_tool("x", "pogoda", "Прогноз погоды по городу"),
        a_tool("x", "cafe", "Cafés à proximité"),
    ]
    assert first("北京天气", tools) == "x:tianqi"
    assert first("прогнозы", tools) == "x:pogoda"
    assert first("CAFE", tools) == "x:cafe"


def test_equal_scores_go_by_backend_and_name() -> None:
    tools = [a_tool(backend, name) for backend in "ba" for name in ("two_it", "one_it")]
    expected = ["a:one_it", "a:two_it", "b:one_it", "b:two_it"]
    same = [Tool(tool.ref, {"description": "Alpha."}) for tool in tools]
    assert names(Index.build(same).search("alpha")) == expected
    assert names(Index.build(same[::-1]).search("alpha")) == expected


def test_names_decide_who_of_many_equals_is_ranked_at_all() -> None:
    same = [Tool(ToolRef("x", f"t{number:03}"), {"description": "Alpha."}) for number in range(200)]
    for order in (same, same[::-1], same[::3] + same[1::3] + same[2::3]):
        assert names(Index.build(order).search("alpha", 3)) == ["x:t000", "x:t001", "x:t002"]


def test_the_best_are_kept_and_among_equals_the_first_names() -> None:
    index = Index.build([a_tool("x", name) for name in "dcba"])
    scores = {0: 1.0, 1: 1.0, 2: 1.0, 3: 2.0}  # d, c, b, a
    assert index._best(scores, 2) == {3: 2.0, 2: 1.0}
    assert index._best(scores, 4) == scores
    assert index._best({0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}, 3) == {1: 2.0, 2: 3.0, 3: 4.0}


def test_total_counts_all_matches_and_limit_cuts() -> None:
    found = INDEX.search("channel message file", 2)
    assert len(found.matches) == 2
    assert found.total == 4
    assert INDEX.search("channel", 0).matches == ()


def test_nothing_found_is_an_empty_answer() -> None:
    assert INDEX.search("xylophone") == Found((), 0)
    assert Index.empty().search("forecast") == Found((), 0)


def test_a_backend_keeps_to_itself() -> None:
    found = INDEX.search("list files channels", backend="files")
    assert names(found) == ["files:search_files", "files:read_file"]
    assert found.total == 2
    assert INDEX.search("files", backend="nobody") == Found((), 0)


def all_but(ref: ToolRef) -> Part:
    return INDEX.part((), (tool.ref for tool in TOOLS if tool.ref != ref))


def test_what_is_not_allowed_is_neither_found_nor_counted() -> None:
    found = INDEX.search("search file", 1, part=all_but(SEARCH_FILES.ref))
    assert names(found) == ["files:read_file"], "the place is not lost to a hidden tool"
    assert found.total == 1


def test_hidden_tools_make_no_word_known_or_common_that_is_not() -> None:
    """I39: an answer would tell that there is such a tool."""
    seen = [a_tool("a", "report_list", "List the reports of people"), a_tool("a", "people_get")]
    seen.append(a_tool("a", "payment_make", "Make a payment."))
    hidden = [a_tool("h", f"r{n}", "report") for n in range(8)]
    hidden += [a_tool("h", name) for name in ("paym", "payma", "paymb", "paymc")]
    alone, index = Index.build(seen), Index.build([*seen, *hidden])
    for query in ("report people", "people report", "paym", "payme", "list report"):
        assert index.search(query, part=index.part("a")) == alone.search(query)


def test_an_update_adds_replaces_and_removes() -> None:
    changed = a_tool("slack", "post_message", "Shout.")
    added = a_tool("mail", "send_mail")
    index = INDEX.updated([READ_FILE.ref, ToolRef("no", "such")], [changed, added])
    assert names(index.search("mail")) == ["mail:send_mail"]
    assert names(index.search("shout")) == ["slack:post_message"]
    assert names(index.search("channel")) == ["slack:list_channels"], "its old words are gone"
    assert names(index.search("files")) == ["files:search_files"]
    assert len(index) == len(TOOLS)


def test_the_old_index_answers_as_before_an_update() -> None:
    queries = ("files", "post message channel", "weather forecast", "webhook")
    index = Index.build(TOOLS)
    before = [index.search(query) for query in queries]
    index.updated([tool.ref for tool in TOOLS], [a_tool("x", "webhook", "Post files.")])
    assert [index.search(query) for query in queries] == before


def test_a_tool_both_removed_and_added_is_replaced() -> None:
    index = INDEX.updated([FORECAST.ref], [FORECAST])
    assert names(index.search("forecast")) == ["weather:getForecast"]


def test_the_last_of_two_tools_of_one_name_counts() -> None:
    index = Index.build([a_tool("x", "y", "Apples."), a_tool("x", "y", "Pears.")])
    assert names(index.search("pears")) == ["x:y"]
    assert index.search("apples") == Found((), 0)


def test_unchanged_tools_leave_the_index_as_it_is() -> None:
    again = [Tool(tool.ref, dict(tool.definition)) for tool in TOOLS]
    assert INDEX.updated([], again) is INDEX
    assert INDEX.updated([ToolRef("no", "such")], []) is INDEX


def test_an_update_shares_the_postings_it_does_not_touch() -> None:
    after = INDEX.updated([POST_MESSAGE.ref], ())
    before, now = INDEX._store.postings, after._store.postings
    assert now["weather"] is before["weather"]
    assert now["channel"] is not before["channel"]
    assert "messag" in before
    assert "messag" not in now, "a word that nobody uses any more is forgotten"


def test_an_edit_touches_only_the_words_that_changed() -> None:
    edited = a_tool("weather", "getForecast", "Weather for the days to come, hourly.")
    after = Index.build([FORECAST]).updated([], [edited])
    assert names(after.search("hourly")) == ["weather:getForecast"]
    assert after.search("fahrenheit") == Found((), 0)
    assert len(after) == 1


def test_common_words_rank_but_name_no_candidates_where_rarer_ones_do() -> None:
    many = [a_tool("big", f"get_{number}", "Get a thing of the shop.") for number in range(400)]
    rare = [a_tool("big", f"find_{number}", "A rare orchid.") for number in range(20)]
    both = a_tool("zoo", "get_orchid", "Get an orchid of the shop.")
    index = Index.build([*many, *rare, both])
    found = index.search("get orchid shop")
    assert found.total == 21
    assert names(found)[0] == "zoo:get_orchid"
    assert index.search("get shop").total == 401, "with common words alone, they do name them"


def test_a_common_word_adds_to_a_score_whichever_way_it_is_counted() -> None:
    many = [a_tool("big", f"get_{number}", "Get a thing of the shop.") for number in range(400)]
    rare = [a_tool("big", f"find_{number}", "A rare orchid.") for number in range(20)]
    index = Index.build([*many, *rare, a_tool("zoo", "get_orchid", "Get an orchid of the shop.")])
    ranked_only = index.search("get orchid shop", 1)
    named = index.search("get orchid shop", 1, backend="zoo")  # too few candidates by rare words
    assert ranked_only.matches == named.matches


def test_hidden_tools_do_not_hide_those_that_common_words_name() -> None:
    many = [a_tool("big", f"get_{number}", "Get a thing of the shop.") for number in range(400)]
    rare = [a_tool("secret", f"find_{number}", "A rare orchid.") for number in range(20)]
    index = Index.build([*many, *rare])
    short = [tool.ref for tool in many[:10]]
    found = index.search("orchid shop thing get", 20, part=index.part((), short))
    assert {match.tool.ref.name for match in found.matches} == {f"get_{n}" for n in range(10)}
    assert found.total == 10
    few = index.search("orchid shop thing get", part=index.part((), short[:4]))
    assert few.total == 4


def test_indexes_and_their_size_show_in_repr() -> None:
    assert repr(Index.build([a_tool("x", "orchid")])) == "<Index 1 tools, 1 stems>"
