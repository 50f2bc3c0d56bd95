"""What importers write is read back as it was, by our own strict reader."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.capability.file.yaml import parse
from gateway.importers.writing import capability_text

AWKWARD = st.sampled_from(
    [
        *("yes", "no", "on", "OFF", "null", "~", "", " ", "true", "010", "1:30", "2024-01-01"),
        *("1e5", "-0", ".5", "+1", "0x1F", "{{ args.x }}", "{% if %}", "a: b", "a #b", "#c", "a:"),
        *("- a", "? a", "!tag", "&a", "*a", "<<", "=", "...", "---", "|", ">", "%a", "@a", "`a`"),
        *('"', "'", "\\", "a\tb", "\t", "a\nb", "a\n", "\n", "\na", "a\n\n", " a\nb", "a \nb"),
        *("\x00", "\x07", "\x85", "\u2028", "\ufeff", "\ufffe", "😀", "ä: ö", "[a, b]", "{a: b}"),
        *("env:TOKEN", "https://a.example/x?y=1#z", "a,b", "$.items[0]", "x:y", "x:/y", "::"),
        *("a" * 1100, "# a\nb", "- a\n- b", "a\n\n  b\n", "(a) b", "/p/{{ args.id }}"),
    ]
)
TEXTS = AWKWARD | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
) | TEXTS
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=30,
)


def told(tree: Any) -> str:
    """Keeps 1, 1.0 and true apart; the order of keys is the writer's."""
    return json.dumps(tree, sort_keys=True)


@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=6), st.lists(st.text(max_size=50)))
@settings(max_examples=400)
def test_what_is_written_is_read_back_as_it_was(tree: dict[str, Any], notes: list[str]) -> None:
    text = capability_text(tree, notes)
    parsed = parse(text.encode(), "x.yaml")
    assert parsed.issues == ()
    assert told(parsed.tree) == told(tree)


@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, TREES, max_size=4), min_size=1, max_size=3))
def test_tools_are_read_back_as_they_were(tools: dict[str, Any]) -> None:
    tree = {"tools": tools, "capability": 1}
    parsed = parse(capability_text(tree).encode(), "x.yaml")
    assert parsed.issues == ()
    assert told(parsed.tree) == told(tree)
