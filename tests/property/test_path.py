"""JSONPath agrees with jsonpath-ng where both read the same language; errors are only ours."""

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext.parser import parse

from gateway.capability.expressions.path import compile_path
from gateway.capability.expressions.values import MISSING
from gateway.errors import BadResponse, ConfigError

names = st.sampled_from(["a", "b", "c"])
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=20,
)
WORDS = [
    *".[]?@$()!*:,<'\"\\-",
    *("..", "a", "'a'", "1", "==", "=~", "&&", "||", "length(", "count(", "null", " "),
]
steps = st.one_of(
    names.map(".{}".format),
    st.integers(-3, 3).map("[{}]".format),
    st.just("[*]"),
    st.tuples(st.integers(0, 2), st.integers(0, 3)).map(lambda ends: "[{}:{}]".format(*ends)),
    names.map("[?(@.{})]".format),
    names.map("[?(!@.{})]".format),
    st.tuples(names, st.sampled_from(["==", "<=", ">"]), st.integers(-3, 3)).map(
        lambda parts: "[?(@.{} {} {})]".format(*parts)
    ),
)
paths = st.lists(steps, max_size=4).map(lambda parts: "$" + "".join(parts))


@settings(max_examples=300)
@given(paths, documents)
def test_finds_what_jsonpath_ng_finds(source, document):
    path = compile_path(source)
    found = path.value(document)
    ours = [] if found is MISSING else [found] if path.singular else found
    theirs = [match.value for match in parse(source).find(document)]
    assert [repr(value) for value in ours] == [repr(value) for value in theirs]


@settings(max_examples=500)
@given(
    st.one_of(
        st.text(max_size=30).map(lambda tail: "$" + tail),
        st.lists(
            st.sampled_from(WORDS),
            max_size=12,
        ).map(lambda parts: "$" + "".join(parts)),
    ),
    documents,
)
def test_any_text_is_a_path_or_a_config_error(source, document):
    try:
        path = compile_path(source)
        found = path.value(document)
    except (ConfigError, BadResponse):
        return
    assert path.singular or isinstance(found, list)
