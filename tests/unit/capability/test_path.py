"""JSONPath: what is read, what is refused, and what it may cost (T9)."""

import subprocess
import sys

import pytest

from gateway.capability.expressions.path import compile_path
from gateway.capability.expressions.values import MISSING
from gateway.errors import BadResponse, ConfigError

STORE = {
    "shop": {
        "c d": [1, 2, 3, 4, 5],
        "books": [
            {"title": "a", "price": 8, "tags": ["x", "y"], "isbn": "1"},
            {"title": "b", "price": 12.5, "sold": True, "isbn": None},
            {"title": "c", "price": 8.0, "sold": False},
            {"title": "d", "price": "8", "deep": {"z": [1]}},
        ],
        "max": 10,
    },
    "": 0,
    "ünï": 1,
    "it's": 2,
}


def find(source, document=STORE):
    return compile_path(source).value(document)


def titles(condition):
    return "".join(book["title"] for book in find(f"$.shop.books[?{condition}]"))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$", STORE),
        ("$.shop.max", 10),
        ("$.shop['c d'][0]", 1),
        ("$.shop['c d'][-1]", 5),
        ('$["shop"]["max"]', 10),
        ("$ .shop\n.max", 10),
        ("$['']", 0),
        ("$.ünï", 1),
        ("$['it\\'s']", 2),
        ("$['\\u00fcnï']", 1),
        ("$.shop.books[1].isbn", None),
    ],
)
def test_singular_path_gives_the_value(source, value):
    assert compile_path(source).singular
    assert find(source) == value


@pytest.mark.parametrize(
    "source",
    [
        "$.no",
        "$.shop.max.deeper",
        "$.shop.books.title",
        "$.shop['c d'][9]",
        "$.shop.books[0].title[0]",
        "$.shop[0]",
        "$.shop['c d']['0']",
        "$.no.no.no",
    ],
)
def test_singular_path_that_leads_nowhere_is_missing_not_null(source):
    assert find(source) is MISSING


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("$.shop.books[*].title", ["a", "b", "c", "d"]),
        ("$.shop.books[*].isbn", ["1", None]),
        ("$.shop['c d'][1:3]", [2, 3]),
        ("$.shop['c d'][::-2]", [5, 3, 1]),
        ("$.shop['c d'][::0]", []),
        ("$.shop['c d'][0, -1, 9]", [1, 5]),
        ("$.shop['max','nope']", [10]),
        ("$.shop.max[*]", []),
        ("$.shop.max[0:1]", []),
        ("$.shop.books[0].*", ["a", 8, ["x", "y"], "1"]),
        ("$.no[*]", []),
        ("$..z", [[1]]),
        ("$.shop..price", [8, 12.5, 8.0, "8"]),
        ("$..books[0]['title', 'isbn']", ["a", "1"]),
        ("$..[?@.price == 12.5].title", ["b"]),
        ("$.shop.books..[0]", ["x", 1, STORE["shop"]["books"][0]]),
    ],
)
def test_other_paths_give_lists(source, values):
    assert not compile_path(source).singular
    found = find(source)
    if ".." in source:
        found, values = sorted(found, key=repr), sorted(values, key=repr)
    assert found == values


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@.sold", "bc"),
        ("(@.sold)", "bc"),
        ("!@.sold", "ad"),
        ("(!@.sold)", "ad"),
        ("!(@.sold || @.deep)", "a"),
        ("@.sold == true", "b"),
        ("@.sold == 1", ""),
        ("@.price == 8", "ac"),
        ("8 == @.price", "ac"),
        ("@.price == '8'", "d"),
        ("@.price != 8", "bd"),
        ("@.price < 9", "ac"),
        ("@.price <= 8", "ac"),
        ("@.price > 9", "b"),
        ("@.price >= '8'", "d"),
        ("@.title > 'b'", "cd"),
        ("@.price > $.shop.max", "b"),
        ("@.price < 10 && @.tags || @.deep", "ad"),
        ("@.isbn == null", "b"),
        ("@.isbn != null", "acd"),
        ("@.isbn >= null", "b"),
        ("@.no == @.nope", "abcd"),
        ("@.no < 1", ""),
        ("@.tags[?@ == 'y']", "a"),
        ("@.deep.z[*]", "d"),
        ("length(@.tags) == 2", "a"),
        ("length(@.title) == 1", "abcd"),
        ("length(@.sold) == 1", ""),
        ("count(@.*) > 3", "ab"),
        ("value(@.deep[*][0]) == 1", "d"),
        ("value(@.*) == 1", ""),
        ("@['price'] == -1.5e3", ""),
        ("length(@.tags) == length($.shop.books[0].tags)", "a"),
    ],
)
def test_filters_follow_rfc_9535(condition, expected):
    assert titles(condition) == expected


def test_equality_goes_into_lists_and_objects():
    rows = [{"a": [1, {"b": True}]}, {"a": [1, {"b": 1}]}, {"a": [1]}, {"a": {"b": 1}}]
    assert find("$[?@.a == $[0].a]", rows) == rows[:1]
    assert find("$[?@.a == $[3].a]", rows) == rows[3:]


def test_filter_looks_at_the_values_of_an_object():
    assert find("$[?@.on]", {"a": {"on": 1}, "b": {}}) == [{"on": 1}]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "must start with '$'"),
        ("main.temp", "must start with '$'"),
        ("$.", "expected a name, but it ends"),
        ("$.main..", "expected a name, but it ends"),
        ("$.a b", "at character 4 (' b')"),
        ("$['a'", "expected ']', but it ends"),
        ("$['\\q']", "escape JSON does not know"),
        ("$['\ud800']", "escape JSON does not know"),
        ("$[]", "expected a name in quotes"),
        ("$[a]", "expected a name in quotes"),
        ("$[-0]", "expected a name in quotes"),
        ("$[01]", "expected ']' at character 4"),
        ("$[?]", "expected '@', '$', a number"),
        ("$[?1]", "expected a comparison"),
        ("$[?!1]", "'!' needs a path"),
        ("$[?@.a == 1e999]", "out of range"),
        ("$[?@.a == nil]", "'nil' is not supported in a filter"),
        ("$[?(@.a]", "expected ')'"),
        ("$[?@.* == 1]", "names one value"),
        ("$[?$.a[*]]", "must name one value"),
        ("$[?length(@.*) == 1]", "names one value"),
        ("$[?count(1) == 1]", "takes a path that starts with '@'"),
        ("$" + ".a" * 600, "longer than 1000"),
    ],
)
def test_wrong_path_says_where_it_stops(source, complaint):
    with pytest.raises(ConfigError) as caught:
        compile_path(source)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("$.a.`len`", "extras of one library"),
        ("$.a[?(@.x =~ '^(a+)+$')]", "a pattern has no bound"),
        ("$.a[?match(@.x, 'a')]", "length(), count() and value() are"),
        ("$.a[?@.x & @.y]", "write &&"),
        ("$.a[?@.x | @.y]", "write ||"),
        ("$.a[?@.x = 1]", "write =="),
        ("$.a[(@.length-1)]", "[-1] is the last element"),
        ("$.content-type", "write ['a-b']"),
        ("$...a", "followed by a name"),
        ("$..a..b", "name the path between the two"),
        ("$.a[?@..b]", "name the path"),
        ("main.temp", "'$.main.temp'?"),
    ],
)
def test_extras_and_unbounded_paths_are_refused_with_a_hint_t9(source, says):
    with pytest.raises(ConfigError) as caught:
        compile_path(source)
    assert says in (caught.value.hint or "")


@pytest.mark.parametrize(
    "source", ["$.a[/x]", "$.a[\\x]", "$.a + 1", "$.a.`sub(/x/, y)`", "$.a, $.b"]
)
def test_library_operators_are_refused_t9(source):
    with pytest.raises(ConfigError):
        compile_path(source)


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ("$[?@.x == null]", "a missing key never equals null"),
        ("$[?!(1 == 1 && @.a[?@.x != null])]", "a missing key never equals null"),
        ("$[?count(@[?null == @.x]) > 0]", "a missing key never equals null"),
        ("$..x", "'..' looks at every value"),
    ],
)
def test_traps_are_warned_of(source, warning):
    assert [text for text in compile_path(source).warnings if warning in text]
    assert len(compile_path(source).warnings) == 1


def test_sound_filter_has_no_warning():
    assert compile_path("$[?(!@.pull_request) || @.x > 1]").warnings == ()


def test_path_is_compiled_once_and_equal_by_text():
    assert compile_path("$.a[*].b") is compile_path("$.a[*].b")
    assert repr(compile_path("$.a")) == "Path(source='$.a', singular=True, warnings=())"


def test_unions_cannot_multiply_without_end_t9():
    bomb = compile_path("$" + "['a','a']" * 40)
    document = leaf = {}
    for _ in range(40):
        leaf["a"] = {}
        leaf = leaf["a"]
    with pytest.raises(BadResponse, match="more than 100000 values"):
        bomb.value(document)


def test_descent_refuses_a_large_document_and_searches_a_small_one_t9():
    assert find("$..x", [{"x": 1}] * 5_000) == [1] * 5_000
    with pytest.raises(BadResponse, match="more than 20000 values") as caught:
        find("$..x", [{"x": 1}] * 20_000)
    assert "name the path" in caught.value.hint


def test_descent_reaches_the_bottom_of_the_deepest_answer_t9():
    document = {"x": 1}
    for _ in range(199):
        document = [document]
    assert find("$..x", document) == [1]


def test_jsonpath_ng_is_loaded_only_for_descents():
    program = (
        "import sys\n"
        "from gateway.capability.expressions.path import compile_path\n"
        "compile_path('$.a[?@.b == 1].c')\n"
        "assert 'jsonpath_ng' not in sys.modules\n"
        "compile_path('$..a')\n"
        "assert 'jsonpath_ng' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
