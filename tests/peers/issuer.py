"""Whoever issues tokens: keys, signed tokens, and (over HTTP) its metadata and public keys.

Tokens are signed with joserfc; one that no library would make is put together by hand.
"""

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.peers.web import serving

AUDIENCE = "https://gateway.example/mcp"


def new_key(kid: str, kind: str = "ES256") -> Any:
    parameters: Any = {"kid": kid, "use": "sig"}
    if kind.startswith("ES"):
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[kind]
        return ECKey.generate_key(curve, parameters)
    if kind == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters)
    return RSAKey.generate_key(2048, parameters)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """`keys` are what it publishes, by key id; `asked` the paths it was asked for."""

    def __init__(self, base: str = "https://id.example", kind: str = "ES256") -> None:
        self.base = base
        self.kind = kind
        self.keys = {"one": new_key("one", kind)}
        self.asked: list[str] = []
        self.down = False

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones; a change to None takes one out."""
        now = int(time.time())
        found = {"iss": self.base, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600}
        return {name: one for name, one in {**found, **changes}.items() if one is not None}

    def token(self, kid: str = "one", head: dict[str, Any] | None = None, **changes: Any) -> str:
        """One signed with the key of that id, with these changes to its claims."""
        header = {"alg": self.kind, "kid": kid, "typ": "at+jwt", **(head or {})}
        payload = json.dumps(self.claims(**changes)).encode()
        return self.signed(header, payload, self.keys[kid])

    def signed(self, header: dict[str, Any], payload: bytes, key: Any) -> str:
        """Whatever the header says, signed as `kind`."""
        text = f"{part(header)}.{part(payload)}"
        signature = jws.JWSRegistry.algorithms[self.kind].sign(text.encode(), key)
        return f"{text}.{part(signature)}"

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]}

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.down:
            return web.Response(status=503)
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"issuer": self.base, "jwks_uri": f"{self.base}/keys"})
        return web.json_response(self.jwks) if request.path == "/keys" else web.Response(status=404)


@contextlib.asynccontextmanager
async def issuing(kind: str = "ES256") -> AsyncIterator[Issuer]:
    """One on a loopback port."""
    issuer = Issuer(kind=kind)
    async with serving(issuer.answer) as port:
        issuer.base = f"http://127.0.0.1:{port}"
        yield issuer
