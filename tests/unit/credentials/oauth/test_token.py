"""gateway/credentials/oauth/token.py: what a token endpoint's answer is worth, and for how long."""

import json

import pytest

from gateway.credentials.oauth.token import Token, TokenRefused, read
from gateway.credentials.oauth.token_endpoint import Client, method_for

CANARY = "canary-token-1234"


def answer(members, status=200):
    return read(
        status,
        json.dumps({"access_token": "a", "token_type": "Bearer", **members}).encode(),
        1000.0,
        "https://as.example",
    )


def test_a_token_is_read_with_its_end_and_scopes():
    token = answer({"token_type": "bearer", "expires_in": 60, "refresh_token": "r", "scope": "x y"})
    assert token == Token("a", "r", 1000.0, 1060.0, ("x", "y"))


@pytest.mark.parametrize("life", [None, 0, -1, 1e300, "60"])
def test_a_life_that_makes_no_sense_is_none(life):
    token = answer({"expires_in": life})
    assert token.expires_at == (1060.0 if life == "60" else None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "invalid_grant", "error_description": "canary-token-1234"}', "invalid_grant"),
        (b'{"error": "<b>canary-token-1234</b>"}', "HTTP 400"),
        (b"<html>canary-token-1234", "missing_token"),
        (b'{"access_token": "a", "token_type": "Bearer"}', "HTTP 400"),
        (b"[1]", "HTTP 400"),
        (b"null", "HTTP 400"),
        (b"\xff\xfe", "HTTP 400"),
        (b'{"access_token": 5, "token_type": "Bearer"}', "HTTP 400"),
        (b'{"access_token": "canary-token-1234\\r\\nX: y", "token_type": "Bearer"}', "HTTP 400"),
    ],
)
def test_any_other_answer_is_refused_and_not_quoted(body, words):
    with pytest.raises(TokenRefused, match=words) as caught:
        read(400, body, 0.0, "https://as.example")
    assert CANARY not in caught.value.explain()


def test_a_token_of_another_type_is_refused():
    with pytest.raises(TokenRefused, match="another type"):
        answer({"token_type": "DPoP"})


@pytest.mark.parametrize("life", ["soon", "", 0, -1, None, [1]])
def test_a_life_that_is_none_leaves_the_token_without_an_end(life):
    assert answer({"expires_in": life}).expires_at is None


@pytest.mark.parametrize("life", ["600", 600.5])
def test_a_life_is_read_however_it_is_written(life):
    assert answer({"expires_in": life}).expires_at == answer({"expires_in": 600}).expires_at


def test_a_token_is_due_early_but_not_before_half_its_life():
    token = Token("a", None, 1000.0, 1600.0)
    assert [token.due(now, 100.0) for now in (1499.0, 1500.0)] == [False, True]
    assert [token.due(now, 900.0) for now in (1299.0, 1300.0)] == [False, True]
    assert not token.expired(1599.0)
    assert token.expired(1600.0)


def test_a_token_without_an_end_is_never_due():
    assert not Token("a").due(1e12, 300.0)


def test_a_token_does_not_show_itself():
    assert CANARY not in repr(Token(CANARY, CANARY)) + str([Token(CANARY)])


@pytest.mark.parametrize(
    ("supported", "client", "method"),
    [
        (None, Client("c"), "none"),
        (("client_secret_basic",), Client("c"), "none"),
        (None, Client("c", "s"), "client_secret_basic"),
        (("client_secret_post", "client_secret_basic"), Client("c", "s"), "client_secret_basic"),
        (("client_secret_post", "none"), Client("c", "s"), "client_secret_post"),
        (("none",), Client("c", "s"), "none"),
        (("private_key_jwt",), Client("c", "s"), "client_secret_basic"),
        (("client_secret_basic",), Client("c", private_key="k"), "private_key_jwt"),
    ],
)
def test_the_metadata_decides_how_a_client_proves_itself(supported, client, method):
    assert method_for(supported, client) == method
