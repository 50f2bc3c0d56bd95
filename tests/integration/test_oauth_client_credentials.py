"""OAuth client credentials against a real token endpoint: shared, early, given up with reason."""

import asyncio
import base64
import contextlib

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gateway.credentials.oauth.client_credentials import ClientCredentials
from gateway.credentials.oauth.settings import OAuth2
from gateway.credentials.oauth.shared_token import Tokens
from gateway.credentials.redact import Redactor
from gateway.errors import BackendUnavailable
from gateway.http.outgoing import Outgoing
from tests.peers.oauth_world import ask, world

SECRET = "canary-secret:+/%"


class Bench:
    def __init__(self, there, now):
        self.there = there
        self.now = now
        self.http = Outgoing()
        self.redactor = Redactor()
        self.tokens = Tokens(self.http, self.redactor, lambda: now[0])
        self.made = []

    def authorizer(self, **changes):
        given = {
            "client_id": "me",
            "client_secret": SECRET,
            "token_url": f"{self.there.base}/token",
            **changes,
        }
        kept = {key: value for key, value in given.items() if value is not None}
        self.made.append(ClientCredentials(msgspec.convert(kept, OAuth2), self.tokens))
        return self.made[-1]

    def grants(self):
        return [form["grant_type"] for form in self.there.forms]


@contextlib.asynccontextmanager
async def bench(**settings):
    async with world(**settings) as there:
        made = Bench(there, [1000.0])
        try:
            async with asyncio.timeout(20):
                yield made
        finally:
            for one in made.made:
                await one.aclose()
            await made.http.aclose()


async def test_backends_share_one_token_and_one_request_for_it():
    async with bench() as it:
        both = [it.authorizer(scope="a b"), it.authorizer(scope="a b")]
        shown = await asyncio.gather(*(both[n % 2].headers() for n in range(50)))
        assert set(shown) == {(("Authorization", "Bearer access-1"),)}
        asked = {"grant_type": "client_credentials", "client_id": "me", "scope": "a b"}
        assert it.there.forms == [asked]
        await both[0].aclose()
        assert (await both[1].headers())[0][1] == "Bearer access-1"


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "other"},
        {"audience": "https://other"},
        {"resource": "https://other/mcp"},
        {"client_id": "other"},
        {"client_secret": "other-secret"},
    ],
)
async def test_whoever_asks_for_something_else_gets_another_token(change):
    async with bench() as it:
        first, second = it.authorizer(scope="a"), it.authorizer(**{"scope": "a", **change})
        assert await first.headers() != await second.headers()


async def test_audience_and_resource_are_sent_as_they_are():
    async with bench() as it:
        await it.authorizer(audience="aud 1", resource="https://h.example/mcp").headers()
        assert it.there.forms[0]["audience"] == "aud 1"
        assert it.there.forms[0]["resource"] == "https://h.example/mcp"


async def test_a_token_is_renewed_before_its_end():
    async with bench(life=1000) as it:
        one = it.authorizer()
        await one.headers()
        it.now[0] += 899
        assert (await one.headers())[0][1] == "Bearer access-1"
        it.now[0] += 2  # a tenth of its life is left
        assert (await one.headers())[0][1] == "Bearer access-2"


async def test_a_token_without_an_end_is_kept():
    async with bench(life=None) as it:
        one = it.authorizer()
        await one.headers()
        it.now[0] += 1e9
        assert (await one.headers())[0][1] == "Bearer access-1"


async def test_a_refused_token_is_had_anew_once_for_all():
    async with bench() as it:
        one = it.authorizer()
        await one.headers()
        it.there.revoke()
        answers = await asyncio.gather(*(ask(it.there.url, one) for _ in range(10)))
        assert set(answers) == {200}
        assert len(it.there.forms) == 2


async def test_when_the_new_token_is_refused_too_it_says_so():
    async def never(_request):
        return aiohttp.web.Response(status=401)

    async with bench() as it:
        it.there.changes["/mcp"] = never
        one = it.authorizer()
        for _ in range(5):
            with pytest.raises(BackendUnavailable, match="refuses the token") as caught:
                await ask(it.there.url, one)
        assert len(it.there.forms) == 2
        assert "auth.oauth2" in caught.value.explain()
        it.now[0] += 60  # later it may be worth another one
        with pytest.raises(BackendUnavailable):
            await ask(it.there.url, one)
        assert len(it.there.forms) == 3


async def test_a_server_that_is_down_is_forgiven_while_the_token_lives():
    async def down(_request):
        return aiohttp.web.Response(status=502)

    async with bench(life=1000) as it:
        one = it.authorizer()
        await one.headers()
        it.there.changes["/token"] = down
        it.now[0] += 950
        assert (await one.headers())[0][1] == "Bearer access-1"
        it.now[0] += 50
        with pytest.raises(BackendUnavailable, match="HTTP 502"):
            await one.headers()


async def test_a_refusal_names_the_server_and_its_code_alone():
    async def no(_request):
        body = {"error": "invalid_client", "error_description": f"not {SECRET}"}
        return aiohttp.web.json_response(body, status=401)

    async with bench() as it:
        it.there.changes["/token"] = no
        with pytest.raises(BackendUnavailable, match="invalid_client") as caught:
            await it.authorizer().headers()
        assert it.there.base in str(caught.value)
        assert "canary" not in caught.value.explain()


async def test_the_secret_goes_by_basic_or_in_the_form():
    async with bench() as it:
        await it.authorizer().headers()
        pair = base64.b64decode(it.there.proofs[0].removeprefix("Basic ")).decode()
        assert pair == "me:canary-secret%3A%2B%2F%25"  # each is form-encoded first
        assert "client_secret" not in it.there.forms[0]
        await it.authorizer(auth_method="client_secret_post").headers()
        assert (it.there.proofs[1], it.there.forms[1]["client_secret"]) == ("", SECRET)


async def test_the_issuers_metadata_tells_endpoint_and_method():
    async with bench() as it:
        it.there.changes["metadata"] = {
            "token_endpoint_auth_methods_supported": ["client_secret_post"]
        }
        one = it.authorizer(token_url=None, issuer=it.there.base)
        assert (await one.headers())[0][1] == "Bearer access-1"
        assert it.there.forms[0]["client_secret"] == SECRET


@pytest.mark.parametrize(
    ("private", "kind", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), ECKey, "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), ECKey, "ES384"),
        (rsa.generate_private_key(65537, 2048), RSAKey, "RS256"),
    ],
    ids=["es256", "es384", "rs256"],
)
async def test_a_key_proves_as_well_as_a_secret(private, kind, algorithm):
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    async with bench() as it:
        await it.authorizer(client_secret=None, private_key=pem, key_id="k1").headers()
        form = it.there.forms[0]
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        token = jwt.decode(
            form["client_assertion"], kind.import_key(public), algorithms=[algorithm]
        )
        assert token.header == {"alg": algorithm, "kid": "k1", "typ": "JWT"}
        assert (token.claims["iss"], token.claims["sub"]) == ("me", "me")
        assert token.claims["aud"] == f"{it.there.base}/token"
        assert token.claims["exp"] - token.claims["iat"] == 60
        assert form["client_assertion_type"].endswith(":jwt-bearer")


async def test_what_is_no_key_is_said_without_showing_it():
    async with bench() as it:
        one = it.authorizer(client_secret=None, private_key="canary no key")
        with pytest.raises(BackendUnavailable, match="no PEM") as caught:
            await one.headers()
        assert "canary" not in caught.value.explain()


async def test_secrets_and_tokens_are_masked_and_show_in_no_repr():
    async with bench() as it:
        one = it.authorizer()
        await one.headers()
        assert it.redactor.text(f"{SECRET} access-1") == "*** ***"
        assert "canary" not in repr(one) + repr(it.tokens) + repr(it.tokens._all)
