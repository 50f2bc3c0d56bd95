"""Interactive OAuth against a real authorization server on loopback: from the 401 to the token."""

import asyncio
import contextlib
import logging

import aiohttp
import pytest
from yarl import URL

from gateway.credentials.backend_auth import build
from gateway.credentials.means import AuthMeans
from gateway.credentials.oauth.awaited import Awaited
from gateway.credentials.oauth.callback import Callback, Place
from gateway.credentials.oauth.challenge import Wanted
from gateway.credentials.oauth.flow import Authorization
from gateway.credentials.oauth.interactive import Interactive
from gateway.credentials.oauth.metadata import default_server
from gateway.credentials.oauth.settings import OAuth
from gateway.credentials.oauth.token_store import TokenStore
from gateway.credentials.redact import Redactor
from gateway.errors import AuthorizationNeeded, BackendUnavailable, UpstreamFailed
from gateway.http.outgoing import Outgoing
from tests.peers.oauth_world import RESOURCE, SERVER, ask, visit, world

MINE = {"client_id": "mine", "client_secret": "canary-secret"}


class Client:
    """An authorizer for `there`, the store in `folder`, and what happened."""

    def __init__(self, there, folder, settings=None, now=None, learner=None):
        self.ready = asyncio.Event()
        self.http = Outgoing()
        self.now = now or [1000.0]
        self.store = TokenStore(folder)
        self.means = AuthMeans(
            "it",
            there.url,
            self.http,
            lambda: None,
            lambda: self.store,
            learner,
            self.ready.set,
            lambda: self.now[0],
        )
        self.auth = Interactive(settings or OAuth(), self.means)

    async def page(self, there):
        """The page that a refused request leads to."""
        with pytest.raises(AuthorizationNeeded) as caught:
            await ask(there.url, self.auth)
        assert caught.value.url in caught.value.explain()
        return caught.value.url

    async def let_in(self, there):
        await visit(await self.page(there))
        await self.auth.settled()


@contextlib.asynccontextmanager
async def client(there, folder, settings=None, now=None, learner=None):
    made = Client(there, folder, settings, now, learner)
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        await made.auth.aclose()
        await made.http.aclose()


async def test_a_person_lets_the_gateway_in_once(tmp_path):
    async with world() as there, client(there, tmp_path) as one:
        url = await one.page(there)
        page = URL(url)
        assert page.query["resource"] == there.url
        assert page.query["code_challenge_method"] == "S256"
        with pytest.raises(AuthorizationNeeded) as again:  # at once, without asking the server
            await one.auth.headers()
        assert again.value.url == url
        status, text = await visit(url)
        assert (status, "close this page" in text) == (200, True)
        await one.ready.wait()
        assert await ask(there.url, one.auth) == 200
        assert there.registered[0]["application_type"] == "native"
        assert there.registered[0]["redirect_uris"] == [page.query["redirect_uri"]]
        assert URL(page.query["redirect_uri"]).host == "127.0.0.1"


async def test_a_restart_asks_nobody(tmp_path):
    async with world() as there:
        async with client(there, tmp_path) as one:
            await one.let_in(there)
        before = len(there.asked)
        async with client(there, tmp_path) as two:
            assert await ask(there.url, two.auth) == 200
        assert len(there.asked) == before + 1


async def test_another_process_may_let_the_gateway_in(tmp_path):
    async with world() as there, client(there, tmp_path) as serving:
        back = URL(await serving.page(there)).query["redirect_uri"]
        async with client(there, tmp_path) as terminal:
            page = await terminal.auth.begin(Wanted())
            await visit(page)
            await terminal.auth.settled()
        assert await ask(there.url, serving.auth) == 200
        with pytest.raises(aiohttp.ClientConnectorError):  # nobody is waited for any more
            await visit(back)


async def test_tokens_are_renewed_early_by_one_request_for_all(tmp_path):
    async with world(life=1000) as there, client(there, tmp_path) as one:
        await one.let_in(there)
        one.now[0] += 699  # 300 s before its end is the time
        assert dict(await one.auth.headers())["Authorization"] == "Bearer access-1"
        one.now[0] += 2
        shown = await asyncio.gather(*(one.auth.headers() for _ in range(20)))
        assert {dict(pairs)["Authorization"] for pairs in shown} == {"Bearer access-2"}
        assert [form["grant_type"] for form in there.forms] == [
            "authorization_code",
            "refresh_token",
        ]
        assert there.forms[1]["resource"] == there.url
        one.now[0] += 800
        await one.auth.headers()
        assert there.forms[2]["refresh_token"] == "refresh-2"  # each is good for one use


async def test_a_refused_token_is_renewed_once_without_a_person(tmp_path):
    async with world() as there, client(there, tmp_path) as one:
        await one.let_in(there)
        there.revoke()
        answers = await asyncio.gather(*(ask(there.url, one.auth) for _ in range(10)))
        assert set(answers) == {200}
        assert len(there.forms) == 2


async def test_when_renewing_is_refused_a_person_is_asked_again(tmp_path):
    async with world() as there, client(there, tmp_path) as one:
        await one.let_in(there)
        there.revoke()
        there.refreshes.clear()
        await one.let_in(there)
        assert await ask(there.url, one.auth) == 200
        assert len(there.registered) == 1  # as the client it was
        assert there.logins[0]["redirect_uri"] == there.logins[1]["redirect_uri"]


async def test_a_token_that_is_good_for_a_while_outlives_its_server(tmp_path):
    async def down(_request):
        return aiohttp.web.Response(status=503)

    async with world(life=1000) as there, client(there, tmp_path) as one:
        await one.let_in(there)
        there.changes["/token"] = down
        one.now[0] += 900
        assert dict(await one.auth.headers())["Authorization"] == "Bearer access-1"
        one.now[0] += 200
        with pytest.raises(BackendUnavailable, match="HTTP 503"):
            await one.auth.headers()


async def test_more_scopes_are_asked_for_on_top_of_those_there_are(tmp_path):
    async with world() as there, client(there, tmp_path, OAuth(scopes=("read",))) as one:
        await one.let_in(there)
        there.needs = frozenset({"write"})
        page = URL(await one.page(there))
        assert page.query["scope"] == "read write"
        assert dict(await one.auth.headers())["Authorization"] == "Bearer access-1"  # still good
        await visit(str(page))
        await one.auth.settled()
        assert await ask(there.url, one.auth) == 200


async def test_a_server_that_never_has_enough_is_given_up(tmp_path):
    async def meagre(_request):
        there.tokens["poor"] = frozenset()
        return aiohttp.web.json_response({"access_token": "poor", "token_type": "Bearer"})

    async with world() as there, client(there, tmp_path) as one:
        await one.let_in(there)
        there.needs = frozenset({"write"})
        there.changes["/token"] = meagre
        for _ in range(2):
            await one.let_in(there)
        with pytest.raises(UpstreamFailed, match="more of it did not help"):
            await ask(there.url, one.auth)


async def test_a_person_who_says_no_is_told_of_and_may_change_their_mind(tmp_path, caplog):
    async with world(denies=True) as there, client(there, tmp_path) as one:
        await visit(await one.page(there))
        with pytest.raises(BackendUnavailable, match="access_denied"):
            await one.auth.settled()
        assert "authorization_failed" in caplog.messages
        there.denies = False
        await one.let_in(there)
        assert await ask(there.url, one.auth) == 200


@pytest.mark.parametrize(
    "query", ["?code=evil", "?code=evil&state=guess", "?state=a&state=b&code=c", ""]
)
async def test_an_answer_without_the_state_changes_nothing(tmp_path, query):
    async with world() as there, client(there, tmp_path) as one:
        page = await one.page(there)
        status, _ = await visit(URL(page).query["redirect_uri"] + query)
        assert status == 400
        status, _ = await visit(str(URL(URL(page).query["redirect_uri"]).with_path("/favicon.ico")))
        assert status == 404
        await visit(page)
        await one.auth.settled()
        assert await ask(there.url, one.auth) == 200


async def test_an_answer_of_another_issuer_never_reaches_the_token_endpoint(tmp_path):
    async with world(changes={"answer": {"iss": "https://evil.example"}}) as there:
        async with client(there, tmp_path) as one:
            await visit(await one.page(there))
            with pytest.raises(BackendUnavailable, match="another authorization server"):
                await one.auth.settled()
        assert there.count("/token") == 0


async def test_the_listener_goes_when_the_backend_goes(tmp_path):
    async with world() as there:
        async with client(there, tmp_path) as one:
            back = URL(await one.page(there)).query["redirect_uri"]
        with pytest.raises(aiohttp.ClientConnectorError):
            await visit(back)


async def test_a_port_that_is_taken_is_said(tmp_path):
    async with world() as there, client(there, tmp_path, OAuth(callback_port=there.port)) as one:
        with pytest.raises(BackendUnavailable, match="cannot listen") as caught:
            await ask(there.url, one.auth)
        assert "oauth.callback_port" in caught.value.explain()


async def test_localhost_is_heard_at_both_its_addresses(tmp_path):
    settings = OAuth(**MINE, callback_path="/slack")
    async with world() as there, client(there, tmp_path, settings) as one:
        back = URL(URL(await one.page(there)).query["redirect_uri"])
        assert (back.host, back.path) == ("localhost", "/slack")
        await visit(str(URL(str(back)).with_host("127.0.0.1")))
        assert not there.registered
        await one.let_in(there)
        assert there.proofs[-1].startswith("Basic ")


async def nothing(_request):
    return aiohttp.web.Response(status=404)


@pytest.mark.parametrize("missing", [(RESOURCE,), (RESOURCE, SERVER)])
async def test_a_server_of_2025_03_26_is_its_own_authorization_server(tmp_path, missing):
    async with world() as there, client(there, tmp_path) as one:
        there.changes.update(dict.fromkeys(missing, nothing))
        there.changes["/mcp"] = bare(there)
        page = URL(await one.page(there))
        assert str(page.with_query(None)) == f"{there.base}/authorize"
        await visit(str(page))
        await one.auth.settled()
        assert await ask(there.url, one.auth) == 200


def bare(there):
    """Answers 401 without saying where to ask."""

    async def answer(request):
        known = request.headers.get("Authorization", "")[7:] in there.tokens
        return aiohttp.web.json_response({}, status=200 if known else 401)

    return answer


async def test_where_it_says_the_metadata_is_it_has_to_be(tmp_path):
    async with world() as there, client(there, tmp_path) as one:
        there.changes[RESOURCE] = nothing
        with pytest.raises(BackendUnavailable, match="is not where the server says"):
            await ask(there.url, one.auth)


@pytest.mark.parametrize("taken", [True, False])
async def test_our_own_document_names_us_where_that_is_taken(tmp_path, taken):
    document = "https://own.example/client.json"
    settings = OAuth(client_metadata_url=document)
    async with world() as there, client(there, tmp_path, settings) as one:
        there.changes["metadata"] = {"client_id_metadata_document_supported": taken}
        await one.let_in(there)
        assert (there.logins[0]["client_id"] == document) is taken
        assert (len(there.registered) == 0) is taken


async def test_a_server_that_forgot_us_gets_to_know_us_anew(tmp_path):
    async def unknown(_request):
        return aiohttp.web.json_response({"error": "invalid_client"}, status=401)

    async with world(life=1000) as there, client(there, tmp_path) as one:
        await one.let_in(there)
        there.changes["/token"] = unknown
        one.now[0] += 2000
        assert await one.auth.headers() == ()
        del there.changes["/token"]
        await one.let_in(there)
        assert [login["client_id"] for login in there.logins] == ["client-1", "client-2"]


async def test_a_registered_port_that_is_taken_means_registering_for_another(tmp_path):
    async with world() as there:
        async with client(there, tmp_path) as one:
            await one.let_in(there)
        taken = URL(there.logins[0]["redirect_uri"]).port
        there.revoke()
        there.refreshes.clear()
        other = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", taken)
        async with other, client(there, tmp_path) as two:
            await two.let_in(there)
        assert len(there.registered) == 2
        assert URL(there.logins[1]["redirect_uri"]).port != taken


async def test_fixed_headers_stand_beside_a_persons_permission(tmp_path):
    async with world() as there, client(there, tmp_path) as one:
        both = build({"X-Team": "a"}, None, OAuth(), one.means)
        with pytest.raises(AuthorizationNeeded) as caught:
            await ask(there.url, both)
        await visit(caught.value.url)
        await one.ready.wait()
        assert await ask(there.url, both) == 200
        assert (await both.headers())[0] == ("X-Team", "a")
        there.revoke()
        assert await ask(there.url, both) == 200  # the refused token is known among the headers
        await both.aclose()


async def test_when_nobody_comes_it_says_so_and_stops_listening(caplog):
    server = default_server("http://127.0.0.1:1/mcp")
    callback = Callback(Place())
    await callback.open("state")
    asked = Authorization(server, "me", callback.redirect_uri, "r", frozenset(), "state")
    waiting = Awaited("it", asked, callback, None, patience=0)
    with pytest.raises(BackendUnavailable, match="nobody came"):
        await waiting.result()
    assert waiting.unanswered
    assert caplog.messages == ["authorization_failed"]
    with pytest.raises(aiohttp.ClientConnectorError):
        await visit(callback.redirect_uri)


# -- who is not to be trusted ----------------------------------------------------------------------


async def big(_request):
    return aiohttp.web.Response(body=b'{"a": "' + b"x" * 100_000 + b'"}')


async def elsewhere(_request):
    return aiohttp.web.Response(status=302, headers={"Location": "http://localhost:1/x"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({RESOURCE: big}, "the server's OAuth metadata"),
        ({RESOURCE: elsewhere}, "another origin"),
        ({RESOURCE: {"resource": "https://evil.example/mcp"}}, "about another resource"),
        ({RESOURCE: {"resource": "{base}/mcp"}}, "names no authorization server"),
        (
            {RESOURCE: {"resource": "{base}/mcp", "authorization_servers": ["file:///etc"]}},
            "no web address",
        ),
        (
            {RESOURCE: {"resource": "{base}/mcp", "authorization_servers": ["http://as.example"]}},
            "not encrypted",
        ),
        ({SERVER: {"issuer": "https://evil.example", "token_endpoint": "x"}}, "another issuer"),
        ({"metadata": {"code_challenge_methods_supported": ["plain"]}}, "PKCE"),
        ({"metadata": {"code_challenge_methods_supported": None}}, "PKCE"),
        ({"metadata": {"authorization_endpoint": "javascript:alert(1)"}}, "no web address"),
        ({"metadata": {"token_endpoint": "http://as.example/token"}}, "not encrypted"),
        ({"metadata": {"registration_endpoint": None}}, "lets nobody register"),
        ({"metadata": {"registration_endpoint": "file:///x"}}, "no web address"),
        ({"/register": {"client_id": 5}}, "did not register us"),
    ],
)
async def test_a_server_that_is_not_to_be_trusted_sends_nobody_anywhere(tmp_path, changes, words):
    async with world() as there, client(there, tmp_path) as one:
        there.changes.update(filled(changes, there.base))
        with pytest.raises(BackendUnavailable, match=words) as caught:
            await ask(there.url, one.auth)
        assert not isinstance(caught.value, AuthorizationNeeded)
        assert not there.logins


def filled(value, base):
    if isinstance(value, dict):
        return {key: filled(inner, base) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, base) for inner in value]
    return value.replace("{base}", base) if isinstance(value, str) else value


async def test_a_client_id_stays_with_the_server_it_was_made_for(tmp_path):
    settings = OAuth(**MINE)
    async with world() as there, world() as evil, client(there, tmp_path, settings) as one:
        await one.let_in(there)
        there.revoke()
        there.changes[RESOURCE] = {"resource": there.url, "authorization_servers": [evil.base]}
        with pytest.raises(
            BackendUnavailable, match="names another authorization server"
        ) as caught:
            await ask(there.url, one.auth)
        assert "oauth.issuer" in caught.value.explain()
        assert not evil.logins + evil.forms


async def test_nothing_of_one_server_is_shown_to_the_next(tmp_path):
    async with world() as there, world() as next_one, client(there, tmp_path) as one:
        await one.let_in(there)
        there.revoke()
        there.changes[RESOURCE] = {"resource": there.url, "authorization_servers": [next_one.base]}
        page = await one.page(there)
        assert page.startswith(next_one.base)
        assert len(next_one.registered) == 1
        assert there.count("/token") == 1  # no refresh there either


async def test_the_configured_issuer_is_the_only_one(tmp_path):
    settings = OAuth(issuer="https://as.example")
    async with world() as there, client(there, tmp_path, settings) as one:
        with pytest.raises(BackendUnavailable, match="another authorization server than the conf"):
            await ask(there.url, one.auth)


async def test_no_secret_shows_in_logs_errors_or_reprs(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    settings = OAuth(**MINE)
    redactor = Redactor()
    async with world(life=400) as there, client(there, tmp_path, settings, learner=redactor) as one:
        await one.let_in(there)
        texts = [repr(one.auth), repr(one.store), repr(one.auth._grants.current)]
        one.now[0] += 390
        await one.auth.headers()
        secrets = [MINE["client_secret"], "access-1", "access-2", "refresh-2"]
        assert redactor.text(" ".join(secrets[2:])) == "*** ***"
        there.revoke()
        there.refreshes.clear()
        with pytest.raises(AuthorizationNeeded) as caught:
            await ask(there.url, one.auth)
        texts += [caught.value.explain(), caplog.text, *(str(r.__dict__) for r in caplog.records)]
        texts += [path.read_text("latin-1") for path in tmp_path.rglob("*")]
    verifier = there.forms[0]["code_verifier"]
    assert [(text, one) for text in texts for one in [*secrets, verifier] if one in text] == []
