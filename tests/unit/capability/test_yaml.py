"""Bytes → tree with places: capability-format.md §3.6, hardening T7, T8, I50."""

import itertools

import pytest
import yaml

from gateway.capability.file.yaml import Parsed, dotted, parse, steps
from gateway.capability.file.yaml_build import MAX_DEPTH, MAX_ISSUES, MAX_NODES
from gateway.capability.file.yaml_trouble import MAX_BYTES, of_libyaml


def read(text: str | bytes) -> Parsed:
    return parse(text.encode() if isinstance(text, str) else text, "f.yaml")


def tree(text: str) -> object:
    parsed = read(text)
    assert parsed.issues == ()
    return parsed.tree


def only(text: str | bytes) -> tuple[int, int, str, str | None]:
    """The one issue: line, column, message, hint."""
    (issue,) = read(text).issues
    return issue.line, issue.column, issue.message, issue.hint


def test_only_json_words_and_numbers_are_not_text() -> None:
    assert tree("[true, false, null, 0, -1, 1.5, -2.5e3, 1E2]") == [
        *(True, False, None, 0, -1, 1.5, -2500.0, 100.0),
    ]
    assert [type(value) for value in tree("[1, 1.0]")] == [int, float]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "True", "NULL", "~", "010", "1:30", "2024-01-01", "0x1F"),
        *("1_000", ".5", "1.", "+1", ".inf", ".nan", "1e", "0o7"),
    ],
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(text: str) -> None:
    assert tree(f"a: {text}") == {"a": text}


def test_a_quoted_scalar_is_always_text() -> None:
    assert tree("""[ "1", '1', "true", 'null', "" ]""") == ["1", "1", "true", "null", ""]
    assert tree("a: |\n  1\n") == {"a": "1\n"}


def test_a_key_without_value_is_null() -> None:
    assert tree("a:\nb: 1") == {"a": None, "b": 1}


def test_anchors_repeat_and_merge_keys_merge() -> None:
    parsed = tree("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nagain: *b\n")
    assert parsed == {
        "base": {"x": 1, "y": 2},
        "use": {"x": 1, "y": 3},
        "again": {"x": 1, "y": 2},
    }


def test_a_merge_of_several_prefers_the_earlier_and_keeps_their_order() -> None:
    merged = tree("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {w: 0, <<: [*a, *b]}\n")
    assert merged["c"] == {"x": 1, "y": 1, "z": 2, "w": 0}  # type: ignore[index]
    assert list(merged["c"]) == ["x", "y", "z", "w"]  # type: ignore[index]


def test_a_merge_does_not_change_what_it_merges() -> None:
    found = tree("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: {<<: *a}\n")
    assert found == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}


def test_a_quoted_merge_key_is_a_plain_key() -> None:
    assert tree('{"<<": {a: 1}}') == {"<<": {"a": 1}}


def test_a_merge_of_text_is_refused() -> None:
    assert only("a: {<<: text}")[2] == "'<<' merges mappings only"
    assert "second time" in only("x: &x {a: 1}\nb: {<<: *x, <<: *x}")[2]


def test_places_count_from_one_for_keys_and_values() -> None:
    parsed = read("a:\n  - x\n  - key: {deep: 1}\n")
    assert parsed.where(()) == (1, 1)
    assert parsed.where(("a",)) == (2, 3)
    assert parsed.where(("a",), at_key=True) == (1, 1)
    assert parsed.where(("a", 1, "key", "deep")) == (3, 17)
    assert parsed.where(("a", 1, "key", "deep"), at_key=True) == (3, 11)


def test_a_place_beyond_the_tree_is_the_last_key_that_is_there() -> None:
    parsed = read("a:\n  b: 1\n")
    assert parsed.where(("a", "b", "c")) == (2, 3)
    assert parsed.where(("a", "nope", 3)) == (1, 1)
    assert parsed.where(("a", 0)) == (1, 1)


def test_a_merged_key_is_placed_where_it_was_written() -> None:
    parsed = read("base: &b\n  x: 1\nuse:\n  <<: *b\n")
    assert parsed.where(("use", "x"), at_key=True) == (2, 3)


def test_columns_count_characters_not_bytes() -> None:
    assert read("a: {ü: 1, x: 2}").where(("a", "x"), at_key=True) == (1, 11)
    assert only("é: \x07")[:2] == (1, 4)


def test_a_path_is_written_as_people_say_it() -> None:
    assert dotted(("tools", "a", "errors", 0, "status")) == "tools.a.errors[0].status"
    assert dotted(("headers", "a b")) == "headers['a b']"
    assert dotted(()) == ""


@pytest.mark.parametrize(
    "path",
    [(), ("policies", "web team", "rules", 12), ("a", "it's", "b\"'\\]", 0, 1), ("0", "$x-y", "")],
)
def test_a_place_leads_back_to_its_path(path: tuple[str | int, ...]) -> None:
    assert steps(dotted(path)) == path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: {{ x }}\n", (1, 4)),
        ("get: {{ args.x }}/y\nb: 1\n", (1, 6)),
        ("get: {{ x | default({}) }}/y", (1, 6)),
        ("q: {a: {{ x }}, b: 2}", (1, 8)),
        ("q:\n  - {{ x }}\n", (2, 5)),
        ("q: [1, {{ x | join(',') }}]", (1, 8)),
    ],
)
def test_an_unquoted_template_says_to_quote_it(text: str, place: tuple[int, int]) -> None:
    line, column, message, hint = only(text)
    assert (line, column) == place
    assert message == "an unquoted '{{': to YAML that is a mapping"
    assert hint == 'quote it: "{{ … }}"'


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('a: "One" item\n', (1, 10), "text after the closing quote"),
        ("a: 'it's'\n", (1, 8), "text after the closing quote"),
        ('a: {b: "x" y}\n', (1, 12), "text after the closing quote"),
        ('a: "x\nb: 1\nc: {d: "n"}\n', (1, 4), "opened here is closed only in line 3"),
        ('a: {b: "4, f: [i]}\nc: {d: "x"}\n', (1, 8), "opened here is closed only in line 2"),
    ],
)
def test_a_quote_in_the_wrong_place_is_told_where_it_is(
    text: str, place: tuple[int, int], message: str
) -> None:
    line, column, said, _ = only(text)
    assert (line, column) == place
    assert message in said


def test_a_quoted_template_and_one_inside_a_plain_text_are_fine() -> None:
    assert tree('a: "{{ x }}"') == {"a": "{{ x }}"}
    assert tree("get: /x/{{ args.x }}") == {"get": "/x/{{ args.x }}"}


def test_a_duplicate_key_names_the_first() -> None:
    assert only("a: 1\nb: 2\na: 3\n") == (
        *(3, 1, "the key 'a' stands here a second time", "the first is in line 1"),
    )


@pytest.mark.parametrize("key", ["404", "true", "null", "1.5", "-1"])
def test_a_key_that_is_no_text_is_refused(key: str) -> None:
    line, column, message, hint = only(f"ok: 1\n{key}: x\n")
    assert (line, column, message) == (2, 1, f"the key {key} is not text")
    assert hint == f'to mean the text, quote it: "{key}"'
    assert tree(f'"{key}": x') == {key: "x"}


@pytest.mark.parametrize("key", ["? [a]\n", "? {a: b}\n", "? - a\n"])
def test_a_key_that_is_a_collection_is_refused(key: str) -> None:
    assert only(f"{key}: x\n")[2] == "a key must be text"


def test_a_key_with_anchor_tag_or_alias_is_refused() -> None:
    assert only("&a k: 1")[2] == "a key with a tag or an anchor"
    assert only("!!str k: 1")[2] == "a key with a tag or an anchor"
    assert only("a: &x k\n*x : 1")[2] == "a key that is an alias"


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("!!str", "!!str"), ("!", "!"), ("!!python/object/apply:os.system", None), ("!x", "!x")],
)
def test_tags_are_refused(tag: str, shown: str | None) -> None:
    """T7, CVE-2020-14343: a tag must never choose a constructor."""
    line, column, message, _ = only(f"a: 1\nb: {tag} x\n")
    assert (line, column) == (2, 4)
    assert shown is None or message == f"the YAML tag {shown} is not allowed"


def test_text_that_looks_like_an_alias_needs_quotes() -> None:
    assert only("name: *all")[3] == "text that starts with '*' must be quoted"
    assert only("glob: *.yaml")[3] == "text that starts with '*' or '&' must be quoted"
    assert tree('glob: "*.yaml"') == {"glob": "*.yaml"}


def test_an_alias_inside_itself_is_refused() -> None:
    assert only("a: &x [1, *x]") == (1, 11, "'*x' stands inside what '&x' names", None)


def test_several_documents_are_refused() -> None:
    assert only("a: 1\n---\nb: 2\n")[:3] == (2, 1, "a second YAML document starts here")
    assert tree("---\na: 1\n...\n") == {"a": 1}


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert only(text)[2] == "the file is empty"


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b"\xef\xbb\xbfa: 1", 1, 1, "the file starts with a byte order mark"),
        ("a: 1".encode("utf-16"), 1, 1, "the file is UTF-16"),
        ("a: 1".encode("utf-16-be"), 1, 1, "a NUL byte: this is a binary file, or UTF-16"),
        (b"a: 1\nb: \xff\n", 2, 4, "bytes that are not UTF-8"),
        (b"a: 1\nb: \x00\n", 2, 4, "a NUL byte: this is a binary file, or UTF-16"),
        (b"a: 1\nb: \x1b[31m\n", 2, 4, "the control character U+001B"),
        (b"\x7fELF\x02\x01", 1, 1, "the control character U+007F"),
        (b"a:\n\tb: 1\n", 2, 1, "a tab indents here"),
        (b"a:\n  b: |\n    x\n\ty\n", 4, 1, "a tab indents here"),
        (b"a:\n \tb: 1\n", 2, 2, "a tab indents here"),
    ],
)
def test_i50_bytes_that_are_no_yaml_text_are_refused(
    data: bytes, line: int, column: int, message: str
) -> None:
    assert only(data)[:3] == (line, column, message)


def test_a_tab_that_does_not_indent_is_fine() -> None:
    assert tree("a:\t1\t# comment\nb: |\n  x\ty\n  \tz\n") == {"a": 1, "b": "x\ty\n\tz\n"}


def test_i50_a_file_over_the_size_cap_is_refused_unread() -> None:
    assert only(b"#" * (MAX_BYTES + 1))[2] == "larger than 1 MiB"
    assert only(b"#" * MAX_BYTES)[2] == "the file is empty"


@pytest.mark.parametrize(
    "unit", [b"[", b"- ", b"{a: ", b"[\n", b"{a: [", b"[{a: ", b"!!x [", b"&a [", b"{"]
)
def test_t7_a_deep_file_is_refused_before_it_nests(unit: bytes) -> None:
    issue = read(unit * 100_000).issues[-1]
    assert issue.message in {f"nested deeper than {MAX_DEPTH} levels", "a key must be text"} or (
        "problems; the rest" in issue.message or "'{{'" in issue.message
    )


@pytest.mark.parametrize("unit", [b"? ", b"? - ", b"? ? - "])
def test_t7_deep_keys_are_refused(unit: bytes) -> None:
    assert read(unit * 100_000).issues


def test_t7_the_depth_cap_is_exact() -> None:
    assert tree("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    over = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
    assert only(over)[:3] == (1, MAX_DEPTH + 1, f"nested deeper than {MAX_DEPTH} levels")


def test_t7_an_alias_counts_with_its_own_depth() -> None:
    half = MAX_DEPTH // 2
    anchored = "a: &a " + "[" * half + "]" * half
    assert tree(f"{anchored}\nb: " + "[" * (half - 2) + "*a" + "]" * (half - 2))
    assert "deeper" in only(f"{anchored}\nb: " + "[" * half + "*a" + "]" * half)[2]


def test_t8_an_alias_bomb_is_refused_by_what_it_would_expand_to() -> None:
    levels = "abcdefghi"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [
        f"{name}: &{name} [{','.join([f'*{below}'] * 9)}]"
        for below, name in itertools.pairwise(levels)
    ]
    line, _, message, hint = only("\n".join(lines))
    assert message == f"more than {MAX_NODES:,} values"
    assert line < len(lines)
    assert hint == "an alias ('*name') counts as all that it repeats"


def test_t8_a_bomb_of_merge_keys_is_refused() -> None:
    wide = ", ".join(f"k{i}: {i}" for i in range(2_000))
    uses = "\n".join(f"u{i}: {{<<: *w}}" for i in range(100))
    assert "values" in only(f"w: &w {{{wide}}}\n{uses}")[2]


def test_t8_values_are_counted_without_aliases_too() -> None:
    assert tree("[" + "1," * (MAX_NODES - 1) + "]")
    assert "values" in only("[" + "1," * MAX_NODES + "]")[2]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5_000, "1." + "0" * 500])
def test_a_number_out_of_range_is_refused(number: str) -> None:
    """T12: an int of 5,000 digits is a ValueError elsewhere, 1e999 no JSON."""
    assert only(f"a: {number}")[2].endswith("is out of range")


def test_a_large_number_is_kept() -> None:
    assert tree(f"a: {10**30}") == {"a": 10**30}


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("a: x: y", (1, 5), "a second ': '"),
        ("a: b\n c: d", (2, 3), "a second ': '"),
        ("a: `x`", (1, 4), "no text can start"),
        ("a: 'x\nb: 1\n", (1, 4), "never closed"),
        ("a: [b\nc: d\n", (1, 4), "not closed with ']'"),
        ("a: {b: c\n", (1, 4), "not closed with '}'"),
        ("a: 1\nb\nc: 2\n", (3, 1), "a key without ': '"),
        ("a:\n  - 1\n  b: 2\n", (3, 3), "does not start with '- '"),
        ('a: "\\q"', (1, 5), "unknown escape"),
        ("a: 1\n%x\n", (2, 3), "not YAML: "),
        ('a: "\\ud800"', (1, 7), "no Unicode character"),
    ],
)
def test_a_syntax_error_says_where_and_what(text: str, place: tuple[int, int], part: str) -> None:
    line, column, message, _ = only(text)
    assert (line, column) == place
    assert part in message


def test_all_problems_of_a_file_are_told() -> None:
    issues = read("a: 1\na: 2\nb: !x 3\n404: 4\n").issues
    assert [issue.line for issue in issues] == [2, 3, 4]


def test_a_flood_of_problems_stops() -> None:
    issues = read("a: 1\n" * 10_000).issues
    assert len(issues) == MAX_ISSUES + 1
    assert "the rest of the file was not read" in issues[-1].message


def test_messages_show_no_control_characters() -> None:
    (issue,) = read('"a\\e[31m": 1\n"a\\e[31m": 2\n').issues
    assert str(issue).replace("\n", "").isprintable()


def test_an_error_without_a_place_names_the_file_alone() -> None:
    error = yaml.reader.ReaderError("f.yaml", 0, "x", "utf-8", "something odd")
    assert str(of_libyaml(error, b"x", "f.yaml")) == "f.yaml\n  not YAML: something odd"
