"""gateway/credentials: the kinds of `auth:`, and what each shows."""

import base64

import msgspec
import pytest

from gateway.credentials import Auth
from gateway.errors import BackendUnavailable


def built(spec, values=None):
    values = values or {}
    return msgspec.convert(spec, Auth).build(lambda text: lambda: values.get(text, text))


def test_bearer():
    assert built({"bearer": "T"}).headers() == (("Authorization", "Bearer T"),)
    assert built({"bearer": "T"}).query() == ()


def test_basic_is_utf8():
    [(name, value)] = built({"basic": {"username": "né", "password": "p:w"}}).headers()
    assert name == "Authorization"
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "né:p:w"


def test_headers_keep_their_order():
    shown = built({"header": {"X-B": "1", "X-A": "2"}}).headers()
    assert shown == (("X-B", "1"), ("X-A", "2"))


def test_query_is_not_encoded_yet():
    credential = built({"query": {"api key": "a&b"}})
    assert credential.query() == (("api key", "a&b"),)
    assert credential.headers() == ()


def test_secret_is_asked_for_anew_each_time():
    values = {"T": "first"}
    credential = built({"bearer": "T"}, values)
    assert credential.headers()[0][1] == "Bearer first"
    values["T"] = "second"
    assert credential.headers()[0][1] == "Bearer second"


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b", "\x7f"])
@pytest.mark.parametrize("spec", [{"bearer": "T"}, {"header": {"X-K": "T"}}])
def test_value_that_could_end_the_header_is_refused_unseen(spec, value):
    with pytest.raises(BackendUnavailable) as caught:
        built(spec, {"T": value}).headers()
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"bearer": "a", "query": {"k": "v"}},
        {"bearer": None},
        {"token": "a"},
        {"basic": {"username": "a"}},
        {"basic": {"username": "a", "password": "b", "realm": "c"}},
    ],
)
def test_auth_is_exactly_one_known_kind(spec):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(spec, Auth)


@pytest.mark.parametrize(
    ("spec", "headers", "query", "texts"),
    [
        ({"bearer": "T"}, ("Authorization",), (), [("bearer",)]),
        (
            {"basic": {"username": "a", "password": "b"}},
            ("Authorization",),
            (),
            [("basic", "username"), ("basic", "password")],
        ),
        ({"header": {"X-K": "T"}}, ("X-K",), (), [("header", "X-K")]),
        ({"query": {"k": "T"}}, (), ("k",), [("query", "k")]),
    ],
)
def test_auth_tells_what_it_sets_and_where_its_texts_are(spec, headers, query, texts):
    auth = msgspec.convert(spec, Auth)
    assert auth.header_names == headers
    assert auth.query_names == query
    assert [path for path, _ in auth.texts] == texts
