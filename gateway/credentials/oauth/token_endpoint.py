"""One request to a token endpoint: the grant, who we are there, and the token that comes back."""

import base64
import time
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote_plus

import msgspec
from oauthlib.oauth2.rfc6749.parameters import prepare_token_request

from gateway.credentials.oauth.documents import FORM, SERVER_ERROR, Documents
from gateway.credentials.oauth.token import Token, read
from gateway.errors import BackendUnavailable

Method = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
TOO_MANY = 429


class Client(msgspec.Struct, frozen=True):
    """Who we are to one authorization server."""

    id: str
    secret: str | None = None
    method: Method = "none"
    private_key: str | None = None
    key_id: str | None = None

    def __repr__(self) -> str:
        return f"<Client {self.method}>"


class TokenEndpoint:
    """`issuer` names the server in errors, and is whom an assertion is made out to."""

    def __init__(
        self,
        documents: Documents,
        url: str,
        issuer: str,
        client: Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._documents = documents
        self._url = url
        self._issuer = issuer
        self._client = client
        self._clock = clock

    async def ask(self, grant_type: str, **params: str | None) -> Token:
        """`params` are those of the grant; None is left out.

        Raises TokenRefused when the server says no, BackendUnavailable when it says nothing.
        """
        given: dict[str, Any] = {name: text for name, text in params.items() if text}
        headers, proof = self._proof()
        body = prepare_token_request(grant_type, include_client_id=True, **given, **proof)
        answer = await self._documents.post(
            self._url, "the token endpoint", body.encode(), FORM, headers
        )
        if answer.status >= SERVER_ERROR or answer.status == TOO_MANY:
            raise BackendUnavailable(f"{self._issuer} gave no token: HTTP {answer.status}")
        return read(answer.status, answer.body, self._clock(), self._issuer)

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and parameters that say who we are (RFC 6749 section 2.3, RFC 7523).

        The id goes into the form always: servers made with MCP's SDKs look for it there.
        """
        client = self._client
        named = {"client_id": client.id}
        secret = client.secret or ""
        if client.method == "client_secret_basic":
            pair = f"{quote_plus(client.id)}:{quote_plus(secret)}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}, named
        if client.method == "client_secret_post":
            return {}, {**named, "client_secret": secret}
        if client.method == "private_key_jwt":
            return {}, {**named, **self._assertion()}
        return {}, named

    def _assertion(self) -> dict[str, str]:
        from gateway.credentials.oauth import client_assertion as made  # noqa: PLC0415  150 ms, rarely used

        client = self._client
        try:
            key = made.load(client.private_key or "")
        except ValueError as error:
            raise BackendUnavailable(str(error)) from None
        text = made.assertion(key, client.id, self._issuer, self._clock(), client.key_id)
        return {"client_assertion_type": made.TYPE, "client_assertion": text}


def method_for(supported: tuple[str, ...] | None, client: Client) -> Method:
    """How to prove ourselves, by what the server's metadata lists (None: nothing)."""
    if client.private_key is not None:
        return "private_key_jwt"
    if client.secret is None:
        return "none"
    if supported is None or "client_secret_basic" in supported:
        return "client_secret_basic"
    if "client_secret_post" in supported:
        return "client_secret_post"
    return "none" if "none" in supported else "client_secret_basic"
