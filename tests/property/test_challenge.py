"""The WWW-Authenticate parser: reads back whatever was written, and never raises."""

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from gateway.credentials.oauth.challenge import challenges, wanted

TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
HEADS = st.lists(
    st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4)),
    max_size=4,
)


def quoted(value):
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


@given(HEADS, st.sampled_from([", ", ",", " , "]))
def test_what_was_written_is_read_back(heads, comma):
    text = comma.join(
        f"{scheme} " + comma.join(f"{name}={quoted(value)}" for name, value in params.items())
        for scheme, params in heads
    )
    found = [(one.scheme, dict(one.params)) for one in challenges(text)]
    assert found == [(scheme.lower(), params) for scheme, params in heads]


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    found = wanted({"www-authenticate": text})
    assert all(scope.isascii() for scope in found.scopes)


@given(st.text(alphabet='Bb="\\, a'))
def test_even_texts_made_of_nothing_but_syntax(text):
    for one in challenges(text):
        assert one.scheme == one.scheme.lower()
