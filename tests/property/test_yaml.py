"""Any bytes give a tree or issues, quickly, and never another exception (T7, T8, I50)."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.capability.file.conform import conform
from gateway.capability.file.yaml import Parsed, parse
from gateway.capability.file.yaml_build import MAX_DEPTH, MAX_NODES

PIECES = (
    *(
        "a",
        "b: ",
        ": ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "\n  ",
        " ",
        "\t",
        "#",
        "|",
        ">",
    ),
    *(
        "&a ",
        "*a",
        "<<: ",
        "<<: *a\n",
        "!t ",
        "!!str ",
        '"',
        "'",
        "\\",
        "{{",
        "}}",
        "---\n",
        "...\n",
    ),
    *("%YAML 1.1\n", "null", "true", "1", "-1e9", "1e999", "\x00", "\x85", "\u2028", "\ufeff", "é"),
    *("capability: 1\n", "tools:\n", "  t: {get: /}\n", "base_url: http://h\n", "x-a: ", "@", "`"),
)
soup = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
keys = st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
scalars |= st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


def sound(parsed: Parsed, data: bytes) -> None:
    lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\xe2\x80") + 2
    for issue in parsed.issues:
        assert 0 <= issue.line <= lines
        assert str(issue)
    if not parsed.issues:
        assert measure(parsed.tree, 1) <= MAX_NODES


def measure(tree: object, depth: int) -> int:
    assert depth <= MAX_DEPTH
    if isinstance(tree, dict):
        assert all(isinstance(key, str) for key in tree)
        return 1 + sum(measure(value, depth + 1) for value in tree.values())
    if isinstance(tree, list):
        return 1 + sum(measure(value, depth + 1) for value in tree)
    assert tree is None or isinstance(tree, str | bool | int | float)
    return 1


@given(st.binary(max_size=400))
@example(b"a: " + b"&a " * 50)
@example(b'"\\')
@example(b"\xc2\x85")
def test_any_bytes_give_a_tree_or_issues(data: bytes) -> None:
    sound(parse(data, "f.yaml"), data)


@given(soup)
@example("a: &a {<<: *a}")
@example("{{ {{ }}")
@example("\ufeffa: 1")
@example("a\u2028b: {{")
def test_any_soup_of_yaml_gives_a_tree_or_issues(text: str) -> None:
    data = text.encode()
    sound(parse(data, "f.yaml"), data)


@given(soup)
def test_any_tree_gives_a_capability_or_issues(text: str) -> None:
    """What reaches `conform` is data from a file: it may be anything."""
    head = "capability: 1\ndescription: d\nbase_url: http://h\n"
    for whole in (text, head + text):
        capability, issues = conform(parse(whole.encode(), "f.yaml"), "f.yaml", {})
        assert (capability is None) == any(issue.severity == "error" for issue in issues)


@given(
    st.dictionaries(
        st.sampled_from(["description", "args", "get", "json", "cache", "errors"]), documents
    )
)
def test_any_tool_gives_a_capability_or_issues(tool: dict[str, object]) -> None:
    whole = {
        "capability": 1,
        "description": "d",
        "base_url": "http://h",
        "tools": {"t": {"description": "d", "get": "/", **tool}, "u": tool},
    }
    data = json.dumps(whole, ensure_ascii=True).encode()
    capability, issues = conform(parse(data, "f.yaml"), "f.yaml", {})
    assert (capability is None) == any(issue.severity == "error" for issue in issues)
    assert all(issue.line == 1 for issue in issues if issue.line)


@given(documents)
def test_json_is_read_as_what_it_is(document: object) -> None:
    """YAML holds all of JSON, but for control characters that only JSON lets stand."""
    text = json.dumps(document, ensure_ascii=False)
    parsed = parse(text.encode(errors="surrogatepass"), "f.yaml")
    if not parsed.issues:
        assert parsed.tree == document


@given(st.lists(st.integers(0, 9), min_size=2, max_size=8))
def test_an_expanded_size_is_what_json_would_write(widths: list[int]) -> None:
    """Aliases of aliases: either counted right or refused."""
    lines = ["n0: &n0 x"]
    for index, width in enumerate(widths, 1):
        lines.append(f"n{index}: &n{index} [{','.join([f'*n{index - 1}'] * width)}]")
    data = "\n".join(lines).encode()
    sound(parse(data, "f.yaml"), data)
