"""gateway/credentials/oauth/flow.py: the page a person opens, and the answer that is believed."""

import base64
import hashlib

import msgspec
import pytest
from yarl import URL

from gateway.credentials.oauth.flow import Authorization, choose_scopes, new_state
from gateway.credentials.oauth.metadata import AuthorizationServer
from gateway.errors import BackendUnavailable

SERVER = AuthorizationServer(
    issuer="https://as.example",
    token_endpoint="https://as.example/token",  # noqa: S106  (no secret)
    authorization_endpoint="https://as.example/authorize?tenant=1",
)
SAYS_ISS = msgspec.structs.replace(SERVER, authorization_response_iss_parameter_supported=True)


def asked(server=SERVER, scopes=frozenset({"b", "a"})):
    return Authorization(
        server, "me", "http://127.0.0.1:1/cb", "https://h.example/mcp", scopes, "st8"
    )


def test_the_page_carries_everything_and_keeps_the_verifier():
    request = asked()
    query = dict(URL(request.url).query)
    digest = hashlib.sha256(request.verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert query == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "me",
        "redirect_uri": "http://127.0.0.1:1/cb",
        "state": "st8",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "resource": "https://h.example/mcp",
        "scope": "a b",
    }
    assert request.verifier not in request.url + repr(request)
    assert asked().verifier != request.verifier


def test_without_scopes_none_are_named():
    assert "scope" not in URL(asked(scopes=frozenset()).url).query


@pytest.mark.parametrize(
    ("server", "answer"),
    [
        (SERVER, {"code": "c"}),
        (SERVER, {"code": "c", "iss": "https://as.example"}),
        (SAYS_ISS, {"code": "c", "iss": "https://as.example"}),
    ],
)
def test_the_code_of_the_right_server_is_taken(server, answer):
    assert asked(server).code(answer) == "c"


@pytest.mark.parametrize(
    ("server", "answer"),
    [
        (SERVER, {"code": "c", "iss": "https://as.example/"}),
        (SERVER, {"code": "c", "iss": "https://AS.example"}),
        (SERVER, {"code": "c", "iss": ""}),
        (SAYS_ISS, {"code": "c"}),
        (SAYS_ISS, {"error": "canary", "error_description": "canary", "iss": "https://evil"}),
    ],
)
def test_nothing_of_another_servers_answer_is_used(server, answer):
    with pytest.raises(BackendUnavailable, match="another authorization server") as caught:
        asked(server).code(answer)
    assert "canary" not in caught.value.explain()


def test_a_refusal_is_told_by_its_code_alone():
    with pytest.raises(BackendUnavailable, match="access_denied") as caught:
        asked().code({"error": "access_denied", "error_description": "canary"})
    assert "canary" not in caught.value.explain()
    with pytest.raises(BackendUnavailable, match="no code"):
        asked().code({})


@pytest.mark.parametrize(
    ("configured", "challenged", "supported", "chosen"),
    [
        (("own",), {"c"}, ("s",), {"own"}),
        ((), {"c"}, ("s",), {"c"}),
        ((), set(), ("s", "t"), {"s", "t"}),
        ((), set(), None, set()),
    ],
)
def test_the_nearest_word_decides_about_scopes(configured, challenged, supported, chosen):
    assert choose_scopes(configured, frozenset(challenged), supported, SERVER) == chosen


def test_lasting_access_is_asked_for_where_it_is_known():
    server = msgspec.structs.replace(SERVER, scopes_supported=("offline_access",))
    assert choose_scopes((), frozenset({"c"}), None, server) == {"c", "offline_access"}
    assert choose_scopes(("own",), frozenset(), None, server) == {"own"}
    assert choose_scopes((), frozenset(), None, server) == frozenset()


def test_states_are_long_and_differ():
    assert len({new_state() for _ in range(100)}) == 100
    assert len(new_state()) >= 32
