"""Capability files with `auth: {digest: …}` against httpbin, which is no work of ours."""

import pytest

from gateway.errors import UpstreamFailed
from tests.peers.programs import Program
from tests.peers.rest_files import Desk

PASSWORD = "canary-password"
FILE = """\
capability: 1
name: api
description: Wants a proof
base_url: {base}
secrets: {{password: env:PASSWORD}}
auth: {{digest: {{username: ann, password: "{{{{ secrets.password }}}}"}}}}
retry: {{max: 0}}
tools:
  ask:
    description: Reads.
    args: {{how: {{type: string, required: true}}}}
    get: /digest-auth/{{{{ args.how | segments }}}}
"""


@pytest.mark.parametrize("qop", ["auth", "auth-int", "none"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
async def test_every_way_to_ask_is_answered(httpbin: Program, qop: str, algorithm: str) -> None:
    async with Desk() as desk:
        backend = await desk.open(FILE.format(base=httpbin.url), {"PASSWORD": PASSWORD})
        how = f"{qop}/ann/{PASSWORD}/{algorithm}"
        for _ in range(2):
            result = await desk.call(backend, "ask", {"how": how})
            assert b'"authenticated":true' in result.structured


async def test_a_wrong_password_is_the_apis_refusal(httpbin: Program) -> None:
    async with Desk() as desk:
        backend = await desk.open(FILE.format(base=httpbin.url), {"PASSWORD": "other-password"})
        for _ in range(3):
            with pytest.raises(UpstreamFailed, match="401") as caught:
                await desk.call(backend, "ask", {"how": f"auth/ann/{PASSWORD}"})
            assert "other-password" not in caught.value.explain()


async def test_one_nonce_serves_until_it_is_refused(httpbin: Program) -> None:
    async with Desk() as desk:
        backend = await desk.open(FILE.format(base=httpbin.url), {"PASSWORD": PASSWORD})
        credential = backend._carrier.credential
        for number in range(1, 4):
            await desk.call(backend, "ask", {"how": f"auth/ann/{PASSWORD}/MD5/never"})
            assert credential._count == number
