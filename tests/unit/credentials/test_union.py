"""gateway/credentials: the kinds of `auth:`, and what each shows."""

import base64

import msgspec
import pytest

from gateway.credentials import Auth
from gateway.credentials.opening import opened
from gateway.errors import BackendUnavailable
from gateway.http.message import HttpRequest, HttpResponse
from tests.peers.signing import MEANS, planned

BARE = HttpRequest("GET", "https://api.example/x", (("Accept", "*/*"),))


def built(spec, values=None):
    values = values or {}
    return opened(planned(spec, values), MEANS)


def shown(spec, values=None):
    """The headers that the credential adds."""
    return built(spec, values).applied(BARE).headers[len(BARE.headers) :]


def test_bearer():
    assert shown({"bearer": "T"}) == (("Authorization", "Bearer T"),)
    assert built({"bearer": "T"}).applied(BARE).url == BARE.url


def test_basic_is_utf8():
    [(name, value)] = shown({"basic": {"username": "né", "password": "p:w"}})
    assert name == "Authorization"
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "né:p:w"


def test_headers_keep_their_order():
    assert shown({"header": {"X-B": "1", "X-A": "2"}}) == (("X-B", "1"), ("X-A", "2"))


@pytest.mark.parametrize(
    ("before", "after"), [("", "?api+key=a%26b%23"), ("?q=1", "?q=1&api+key=a%26b%23")]
)
def test_query_is_encoded_and_joins_what_is_there(before, after):
    credential = built({"query": {"api key": "a&b#"}})
    request = HttpRequest("GET", f"https://h/x{before}")
    assert credential.applied(request).url == f"https://h/x{after}"
    assert credential.applied(request).headers == ()


def test_secret_is_asked_for_anew_each_time():
    values = {"T": "first"}
    credential = built({"bearer": "T"}, values)
    assert credential.applied(BARE).headers[-1][1] == "Bearer first"
    values["T"] = "second"
    assert credential.applied(BARE).headers[-1][1] == "Bearer second"


async def test_a_refusal_of_what_never_changes_is_final():
    credential = built({"bearer": "T"})
    sent = await credential.apply(BARE, {})
    assert not await credential.challenged(sent, HttpResponse(401, {}, b""))
    await credential.aclose()


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b", "\x7f"])
@pytest.mark.parametrize("spec", [{"bearer": "T"}, {"header": {"X-K": "T"}}])
def test_value_that_could_end_the_header_is_refused_unseen(spec, value):
    with pytest.raises(BackendUnavailable) as caught:
        shown(spec, {"T": value})
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
    assert [path for path, *_ in auth.texts] == texts
