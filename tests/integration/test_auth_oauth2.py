"""Capability files with `auth: {oauth2: …}`, from their YAML to an API that wants the token."""

import asyncio
import contextlib

import aiohttp
import pytest

from gateway.credentials.means import Shared
from gateway.credentials.redact import Redactor
from gateway.errors import BackendUnavailable, UpstreamFailed
from gateway.http.direct import Direct
from gateway.http.outgoing import Outgoing
from tests.peers.oauth_world import world
from tests.peers.rest_files import Desk, faults

SECRETS = {"ID": "me", "SECRET": "canary-of-the-client", "REFRESH": "canary-refresh-0"}
FILE = """\
capability: 1
name: api
description: Wants a token
base_url: {base}
secrets: {{id: env:ID, secret: env:SECRET, refresh: env:REFRESH}}
vars: {{auth: "{base}"}}
auth:
  oauth2:
    grant: {grant}
    token_url: "{{{{ vars.auth }}}}/token"
    client_id: "{{{{ secrets.id }}}}"{more}
tools:
  ask: {{description: Reads., get: /mcp}}
"""
SECRET = "\n    client_secret: '{{ secrets.secret }}'"
SENT = """
    auth_method: client_secret_post
    scopes: [a, b]
    audience: aud
    resource: https://r.example
    params: {x: 1 &}"""


class Bench(Desk):
    """`again()` is a gateway started anew, with the same state folder."""

    def __init__(self, there, folder, outgoing=None):
        self.there = there
        self.now = [1000.0]
        self.redactor = Redactor()
        self.outgoing = outgoing or Outgoing()
        environ = {"STATE_DIRECTORY": str(folder)}
        shared = Shared(self.outgoing, environ, self.redactor, lambda: self.now[0])
        super().__init__(self.outgoing, shared, self.redactor)

    async def backend(self, grant="client_credentials", more=SECRET, **secrets):
        text = FILE.format(base=self.there.base, grant=grant, more=more)
        return await self.open(text, {**SECRETS, **secrets})

    def grants(self):
        return [form["grant_type"] for form in self.there.forms]


@contextlib.asynccontextmanager
async def bench(folder, **settings):
    async with world(**settings) as there, asyncio.timeout(20), Bench(there, folder) as made:
        yield made


async def test_calls_share_one_token(tmp_path):
    async with bench(tmp_path) as it:
        one, two = await it.backend(), await it.backend()
        told = await asyncio.gather(*(it.call(each, "ask") for each in [one, two] * 5))
        assert {each.structured for each in told} == {b'{"ok":true}'}
        assert it.there.forms == [{"grant_type": "client_credentials", "client_id": "me"}]


async def test_a_token_is_renewed_early_and_after_a_refusal(tmp_path):
    async with bench(tmp_path, life=1000) as it:
        one = await it.backend()
        await it.call(one, "ask")
        it.now[0] += 899
        await it.call(one, "ask")
        assert len(it.there.forms) == 1
        it.now[0] += 2
        await it.call(one, "ask")
        assert len(it.there.forms) == 2
        it.now[0] += 100
        it.there.revoke()
        await asyncio.gather(*(it.call(one, "ask") for _ in range(10)))
        assert len(it.there.forms) == 3


async def test_an_api_that_takes_no_token_is_asked_twice_at_most(tmp_path):
    async with bench(tmp_path) as it:
        it.there.changes["/mcp"] = _never
        one = await it.backend()
        for _ in range(4):
            with pytest.raises(UpstreamFailed, match="401"):
                await it.call(one, "ask")
        assert len(it.there.forms) == 2


async def test_all_that_is_set_is_sent(tmp_path):
    async with bench(tmp_path) as it:
        await it.call(await it.backend(more=SECRET + SENT), "ask")
        assert it.there.forms == [
            {
                "grant_type": "client_credentials",
                "client_id": "me",
                "client_secret": SECRETS["SECRET"],
                "scope": "a b",
                "audience": "aud",
                "resource": "https://r.example",
                "x": "1 &",
            }
        ]


async def test_a_password_is_sent_once_and_the_refresh_token_after(tmp_path):
    async with bench(tmp_path, life=100) as it:
        it.there.passwords["ann"] = "canary-of-ann"
        more = f"{SECRET}\n    username: ann\n    password: '{{{{ secrets.refresh }}}}'"
        one = await it.backend("password", more, REFRESH="canary-of-ann")
        await it.call(one, "ask")
        it.now[0] += 99
        await it.call(one, "ask")
        assert it.grants() == ["password", "refresh_token"]
        it.there.refreshes.clear()  # the refresh token is worn out
        it.now[0] += 99
        await it.call(one, "ask")
        assert it.grants()[2:] == ["refresh_token", "password"]


REFRESHING = f"{SECRET}\n    refresh_token: '{{{{ secrets.refresh }}}}'"


async def test_a_refresh_token_that_changes_outlives_a_restart(tmp_path):
    async with bench(tmp_path) as it:
        it.there.refreshes["canary-refresh-0"] = frozenset()
        await it.call(await it.backend("refresh_token", REFRESHING), "ask")
        shown = it.there.forms[0]
        assert shown["refresh_token"] == "canary-refresh-0"
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"refresh-1" not in kept
        async with Bench(it.there, tmp_path) as again:
            await again.call(await again.backend("refresh_token", REFRESHING), "ask")
            assert it.there.forms[1]["refresh_token"] == "refresh-1"
            it.there.refreshes["canary-other"] = frozenset()
            other = await again.backend("refresh_token", REFRESHING, REFRESH="canary-other")
            await again.call(other, "ask")
            assert it.there.forms[2]["refresh_token"] == "canary-other"


async def test_a_worn_out_refresh_token_gives_way_to_the_operators(tmp_path):
    async with bench(tmp_path) as it:
        it.there.refreshes["canary-refresh-0"] = frozenset()
        one = await it.backend("refresh_token", REFRESHING)
        await it.call(one, "ask")
        it.there.refreshes.clear()
        it.there.refreshes["canary-refresh-0"] = frozenset()
        it.there.revoke()
        await it.call(one, "ask")
        assert [form["refresh_token"] for form in it.there.forms[1:]] == [
            "refresh-1",
            "canary-refresh-0",
        ]
        it.there.refreshes.clear()
        it.there.revoke()
        it.now[0] += 60
        with pytest.raises(BackendUnavailable, match="invalid_grant"):
            await it.call(one, "ask")


async def test_a_rotated_secret_is_used_at_once(tmp_path):
    async with bench(tmp_path / "state") as it:
        path = tmp_path / "secret"
        path.write_text("first-secret")
        text = FILE.format(base=it.there.base, grant="client_credentials", more=SECRET)
        one = await it.open(text.replace("env:SECRET", f"file:{path}"), SECRETS)
        await it.call(one, "ask")
        path.write_text("second-secret")
        it.clock[0] += 5
        await it.call(one, "ask")
        assert len(set(it.there.proofs)) == 2


async def test_a_refusal_names_server_and_code_alone_and_tokens_are_masked(tmp_path):
    async def no(_request):
        body = {"error": "invalid_client", "error_description": SECRETS["SECRET"]}
        return aiohttp.web.json_response(body, status=401)

    async with bench(tmp_path) as it:
        one = await it.backend()
        await it.call(one, "ask")
        assert it.redactor.text("see access-1") == "see ***"
        it.there.changes["/token"] = no
        it.there.revoke()
        with pytest.raises(BackendUnavailable, match="invalid_client") as caught:
            await it.call(one, "ask")
        assert it.there.base in str(caught.value)
        assert "canary" not in caught.value.explain()


async def test_a_client_that_is_refused_does_not_ask_again_at_once(tmp_path):
    """Accounts are locked for less. A clock that was set back is not believed."""

    async def no(_request):
        return aiohttp.web.json_response({"error": "invalid_client"}, status=401)

    async with bench(tmp_path) as it:
        one = await it.backend()
        it.there.changes["/token"] = no
        for asked in (1, 2):
            for _ in range(3):
                with pytest.raises(BackendUnavailable, match="invalid_client"):
                    await it.call(one, "ask")
            assert it.there.count("/token") == asked
            it.now[0] -= 3600
        del it.there.changes["/token"]
        it.now[0] += 7200
        assert (await it.call(one, "ask")).structured == b'{"ok":true}'


async def test_a_missing_secret_is_named_before_anything_is_asked(tmp_path):
    async with bench(tmp_path) as it:
        with pytest.raises(BackendUnavailable, match="env:SECRET"):
            await it.call(await it.backend(SECRET=""), "ask")
        assert it.there.asked == []


async def test_a_token_server_that_resolves_to_a_private_address_is_not_asked(tmp_path):
    async def here(_host, _port):
        return ["127.0.0.1"]

    road = Outgoing(public=Direct(public_only=True, resolve=here))
    async with world() as there, Bench(there, tmp_path, road) as it:
        text = FILE.format(base="https://api.example", grant="client_credentials", more=SECRET)
        url = f"https://intern.test:{it.there.port}"
        one = await it.open(text.replace('auth: "https://api.example"', f'auth: "{url}"'), SECRETS)
        with pytest.raises(BackendUnavailable, match="not at a public address"):
            await it.call(one, "ask")
        assert it.there.asked == []


async def _never(_request):
    return aiohttp.web.Response(status=401)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{}", "'grant' is missing"),
        ("{grant: implicit, token_url: URL, client_id: a}", "must be 'client_credentials'"),
        ("{grant: client_credentials, token_url: URL, client_id: a}", "needs client_secret"),
        ("{grant: refresh_token, token_url: URL, client_id: a}", "needs refresh_token"),
        ("{grant: password, token_url: URL, client_id: a, username: b}", "needs password"),
        ("{OK, refresh_token: d}", "refresh_token is for grant refresh_token"),
        ("{OK, auth_method: private_key_jwt}", "needs private_key"),
        ("{OK, private_key: k}", "either client_secret or private_key"),
        ("{OK, params: {scope: x}}", "params cannot set scope"),
        ("{OK, scopes: a b}", "must be a list"),
        ("{OK, audience: '{{ args.x }}'}", "'args' is not known here"),
        ("{OK, audience: '{{ secrets.no }}'}", "secrets.no is not declared"),
    ],
)
def test_what_cannot_get_a_token_is_said_at_load(spec, message):
    found = faults(OAUTH + _filled(spec, "https://as.example/token"))
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://as.example/token", "it is not encrypted"),
        ("ftp://as.example/token", "it is no web address"),
        ("https://me:secret@as.example/token", "it holds a user"),
        ("as.example/token", "it is no web address"),
        ("'{{ secrets.s }}'", "'secrets' is not known here"),
        ("'{{ vars.no }}'", "vars.no is not declared"),
    ],
)
def test_a_token_url_that_nothing_may_be_sent_to_is_refused_at_load(url, message):
    found = faults(OAUTH + _filled("{OK}", url))
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/t", "http://localhost/t", "https://10.0.0.1/t", "https://a.example"]
)
def test_a_token_url_may_name_a_private_address(url):
    assert faults(OAUTH + _filled("{OK}", url)) == []


OAUTH = """\
capability: 1
name: api
description: Wants a token
base_url: https://api.example
secrets: {s: env:S}
tools: {ask: {description: Reads., get: /}}
"""


def _filled(spec, url):
    fine = f"grant: client_credentials, token_url: {url}, client_id: a, client_secret: b"
    return f"auth: {{oauth2: {spec.replace('OK', fine).replace('URL', url)}}}\n"
