"""gateway/credentials/backend_auth.py and fixed.py: what a server is always shown; its checks."""

import base64

import msgspec
import pytest

from gateway.credentials.backend_auth import ApiKey, BackendAuth, Basic, build, problem
from gateway.credentials.fixed import Fixed
from gateway.credentials.means import AuthMeans
from gateway.credentials.oauth.settings import OAuth, OAuth2
from gateway.credentials.redact import Redactor
from gateway.errors import BackendUnavailable

CANARY = "canary-77aa-secret"


def never():
    raise AssertionError("nothing here needs it")


def means(learner=None):
    return AuthMeans("it", "https://h.example/mcp", None, never, never, learner)


def read(given):
    return msgspec.convert(given, BackendAuth)


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        ({"bearer": "t0ken"}, (("Authorization", "Bearer t0ken"),), ()),
        (
            {"basic": {"username": "me", "password": "w\u00f6rd:x"}},
            (("Authorization", "Basic " + base64.b64encode("me:w\u00f6rd:x".encode()).decode()),),
            (),
        ),
        ({"api_key": {"header": "X-Api-Key", "value": "k"}}, (("X-Api-Key", "k"),), ()),
        ({"api_key": {"query": "key", "value": "k&=1"}}, (), (("key", "k&=1"),)),
    ],
)
async def test_each_kind_shows_what_it_says(auth, headers, query):
    shown = build({}, read(auth), None, means())
    assert (await shown.headers(), shown.query()) == (headers, query)


async def test_plain_headers_stand_beside_a_credential():
    shown = build({"X-Team": "a"}, read({"bearer": "t"}), None, means())
    assert await shown.headers() == (("X-Team", "a"), ("Authorization", "Bearer t"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one of bearer, basic, api_key, oauth2; it has none"),
        ({"bearer": "a", "api_key": {"header": "X", "value": "v"}}, "it has bearer, api_key"),
        ({"bearer": f"{CANARY}\nX-Evil: 1"}, "Authorization holds a control character"),
        ({"bearer": f"{CANARY}\ud800"}, "Authorization holds a control character"),
        ({"basic": {"username": "a:b", "password": CANARY}}, "cannot hold a colon"),
        ({"api_key": {"value": CANARY}}, "needs either header or query"),
        ({"api_key": {"value": CANARY, "header": "X", "query": "y"}}, "either header or query"),
        ({"api_key": {"value": "", "header": "X"}}, "needs a value"),
        ({"api_key": {"value": CANARY, "header": "a b"}}, "is no header name"),
        ({"api_key": {"value": CANARY, "header": "Mcp-Session-Id"}}, "the gateway itself sets"),
        ({"api_key": {"value": CANARY, "header": "host"}}, "the gateway itself sets"),
        ({"bearer": "a", "beaerer": CANARY}, "unknown field"),
        ({"oauth2": {"client_id": "c", "client_secret": CANARY}}, "either token_url or issuer"),
        (
            {"oauth2": {"client_id": "c", "client_secret": CANARY, "token_url": "http://h/t"}},
            "token_url cannot be used: it is not encrypted",
        ),
        (
            {"oauth2": {"client_id": "c", "token_url": "https://h/t"}},
            "client_secret or private_key",
        ),
        (
            {
                "oauth2": {
                    "client_id": "c",
                    "client_secret": CANARY,
                    "token_url": "https://h/t",
                    "auth_method": "private_key_jwt",
                }
            },
            "needs private_key",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_at_load(given, words):
    with pytest.raises(msgspec.ValidationError, match=words) as caught:
        read(given)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"client_secret": CANARY}, "needs client_id"),
        ({"client_id": ""}, "must not be empty"),
        ({"callback_port": 70_000}, "no port number"),
        ({"callback_path": "x"}, "begins with /"),
        ({"callback_path": "/x?y"}, "begins with /"),
        ({"callback_host": "h.example"}, "Invalid enum value"),
        ({"token_refresh_buffer_secs": -1}, "negative"),
        ({"issuer": "http://as.example"}, "issuer cannot be used"),
        ({"client_metadata_url": "http://127.0.0.1/x"}, "must be an https URL with a path"),
        ({"client_metadata_url": "https://h.example/"}, "must be an https URL with a path"),
    ],
)
def test_interactive_settings_are_checked_at_load(given, words):
    with pytest.raises(msgspec.ValidationError, match=words) as caught:
        msgspec.convert(given, OAuth)
    assert CANARY not in str(caught.value)


def test_an_app_of_ones_own_is_called_back_at_localhost():
    assert OAuth().host == "127.0.0.1"
    assert OAuth(client_id="mine").host == "localhost"
    assert OAuth(client_id="mine", callback_host="127.0.0.1").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "auth", "oauth", "words"),
    [
        ({"authorization": "x"}, {"bearer": "t"}, None, "set by auth or oauth already"),
        ({"Authorization": "x"}, None, OAuth(), "set by auth or oauth already"),
        ({"x-api-key": "x"}, {"api_key": {"header": "X-Api-Key", "value": "v"}}, None, "already"),
        ({"Content-Length": "1"}, None, None, "the gateway itself sets"),
        ({"X-Empty": " "}, None, None, "is empty"),
        ({}, {"bearer": "t"}, OAuth(), "takes one of them"),
    ],
)
def test_what_contradicts_itself_is_told(headers, auth, oauth, words):
    assert words in (problem(headers, read(auth) if auth else None, oauth) or "")


def test_what_fits_together_has_no_problem():
    assert problem({"X-Team": "a"}, read({"bearer": "t"}), OAuth(enabled=False)) is None
    assert problem({"Authorization": "Bearer x"}, None, None) is None


def test_settings_and_authorizers_show_nothing_of_their_secrets():
    texts = [
        repr(BackendAuth(bearer=CANARY)),
        repr(BackendAuth(basic=Basic("me", CANARY))),
        repr(Basic("me", CANARY)),
        repr(ApiKey(CANARY, header="X")),
        repr(OAuth2("c", CANARY, "https://h.example/t")),
        repr(OAuth(client_id="c", client_secret=CANARY)),
        repr(build({"X-Key": CANARY}, BackendAuth(bearer=CANARY), None, means())),
    ]
    assert [text for text in texts if CANARY in text] == []


@pytest.mark.parametrize(
    ("headers", "auth"),
    [
        ({}, BackendAuth(bearer=CANARY)),
        ({}, BackendAuth(basic=Basic("me", CANARY))),
        ({}, BackendAuth(api_key=ApiKey(CANARY, query="q"))),
        ({"X-Any": CANARY}, None),
        ({"Authorization": f"Custom {CANARY}"}, None),
    ],
)
async def test_the_redactor_knows_a_secret_while_it_lives(headers, auth):
    redactor = Redactor(clock=lambda: 0.0)
    shown = build(headers, auth, None, means(redactor))
    assert CANARY not in redactor.text(f"said {CANARY}-9 and {CANARY} back")
    await shown.aclose()
    await shown.aclose()


def test_plain_words_of_ordinary_headers_are_no_secrets():
    redactor = Redactor()
    build({"X-Format": "application/json", "X-Team": "platform"}, None, None, means(redactor))
    text = "application/json for platform"
    assert redactor.text(text) == text


async def test_a_refusal_names_the_setting_to_mend():
    for shown, words in [
        (build({}, BackendAuth(bearer=CANARY), None, means()), "mends auth:"),
        (build({"X-Key": CANARY}, None, None, means()), "mends headers:"),
        (build({}, None, None, means()), "sets auth: of this backend, or oauth"),
    ]:
        with pytest.raises(BackendUnavailable) as caught:
            await shown.challenged(401, {}, await shown.headers())
        assert words in caught.value.explain()
        assert CANARY not in caught.value.explain()


async def test_an_ordinary_403_is_the_servers_own_answer():
    assert await Fixed({}).challenged(403, {}) is False


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "k-123456"}])
async def test_a_refusal_of_what_is_always_shown_is_for_the_operator_to_mend(
    headers: dict[str, str],
) -> None:
    """So the backend is shown as one that waits for somebody, with what there is to do."""
    made = Fixed(headers, "headers" if headers else None)
    with pytest.raises(BackendUnavailable) as caught:
        await made.challenged(401, {}, await made.headers())
    assert not caught.value.retryable
    assert "the operator of the gateway" in str(caught.value.hint)
