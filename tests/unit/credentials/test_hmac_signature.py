"""gateway/credentials/hmac_signature.py: published examples of APIs, and what is signed."""

import base64
import hashlib
import hmac

import msgspec
import pytest

from gateway.credentials import Auth
from gateway.credentials.hmac_signature import Chance, Hmac, HmacCredential, written
from gateway.errors import BackendUnavailable
from gateway.http.message import HttpRequest, HttpResponse
from tests.peers.rest_files import Desk, faults
from tests.peers.signing import planned

NOW = Chance(lambda: 1499827319.559, lambda: "n" * 32)
POST = HttpRequest("POST", "https://api.example/v1/x?a=b%20c", (("A", "b"),), b'{"a":"\xc3\xa9"}')


async def signed(request, key, **spec):
    spec["secret"] = key
    plan = planned({"hmac": spec})
    credential = HmacCredential(msgspec.convert(spec, Hmac), plan.render, NOW)
    return await credential.apply(request, {})


async def test_the_example_of_binance():
    order = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    sent = await signed(
        HttpRequest("GET", f"https://api.example/api/v3/order?{order}"),
        "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
        message="{{ query }}",
        timestamp="ms",
        timestamp_query="timestamp",
        query="signature",
    )
    signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert sent.url.endswith(f"?{order}&timestamp=1499827319559&signature={signature}")
    assert sent.headers == ()


async def test_the_example_of_githubs_webhooks():
    sent = await signed(
        HttpRequest("POST", "https://h/", (), b"Hello, World!"),
        "It's a Secret to Everybody",
        message="{{ body }}",
        header="X-Hub-Signature-256",
        prefix="sha256=",
    )
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert dict(sent.headers)["X-Hub-Signature-256"] == f"sha256={signature}"


async def test_the_way_of_coinbase():
    sent = await signed(
        POST,
        base64.b64encode(b"key").decode(),
        secret_encoding="base64",  # noqa: S106  no secret itself
        message="{{ timestamp }}{{ method }}{{ path }}?{{ query }}{{ body }}",
        header="CB-ACCESS-SIGN",
        encoding="base64",
        timestamp_header="CB-ACCESS-TIMESTAMP",
    )
    told = b'1499827319POST/v1/x?a=b%20c{"a":"\xc3\xa9"}'
    signature = base64.b64encode(hmac.digest(b"key", told, "sha256")).decode()
    assert sent.headers[1:] == (
        ("CB-ACCESS-SIGN", signature),
        ("CB-ACCESS-TIMESTAMP", "1499827319"),
    )


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha384", "sha512", "md5"])
@pytest.mark.parametrize(
    ("encoding", "write"),
    [
        ("hex", bytes.hex),
        ("base64", lambda raw: base64.b64encode(raw).decode()),
        ("base64url", lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    ],
)
async def test_every_digest_is_written_as_asked(algorithm, encoding, write):
    how = {"algorithm": algorithm, "encoding": encoding, "secret_encoding": "hex"}
    sent = await signed(POST, "00ff", message="{{ url }}", header="S", **how)
    raw = hmac.digest(b"\x00\xff", POST.url.encode(), algorithm)
    assert dict(sent.headers)["S"] == write(raw)


async def test_all_of_the_request_can_be_signed_byte_for_byte():
    request = HttpRequest("PUT", "https://H.example:8443/a%2Fb", (), b"\xff\x00\xc3\xa9")
    names = ("method", "host", "path", "query", "body_sha256", "nonce", "body")
    message = "|".join(f"{{{{ {name} }}}}" for name in names)
    sent = await signed(request, "k", message=message, header="S", nonce_header="N")
    digest = hashlib.sha256(request.body).hexdigest()
    told = f"PUT|H.example:8443|/a%2Fb||{digest}|{'n' * 32}|".encode() + request.body
    assert dict(sent.headers) == {"S": hmac.digest(b"k", told, "sha256").hex(), "N": "n" * 32}


@pytest.mark.parametrize(
    ("how", "text"), [("s", "1499827319"), ("ms", "1499827319559"), ("iso", "2017-07-12T02:41:59Z")]
)
def test_the_time_is_written_as_asked(how, text):
    assert written(1499827319.559, how) == text


@pytest.mark.parametrize("how", ["hex", "base64"])
async def test_a_secret_that_is_not_as_said_is_told_unseen(how):
    with pytest.raises(BackendUnavailable, match=f"not {how}") as caught:
        await signed(POST, "canary!", secret_encoding=how, message="x", header="S")
    assert "canary" not in caught.value.explain()


FILE = """\
capability: 1
name: api
description: Wants a signature
base_url: https://api.example
secrets: {id: env:ID, key: env:KEY}
auth: {hmac: %s}
tools:
  ask: {description: Reads., get: /x, query: {q: a b}}
"""


async def test_a_file_says_it_all_and_each_attempt_is_signed_anew():
    hmac_ = (
        '{secret: "{{ secrets.key }}", message: "{{ method | lower }} {{ path }}?{{ query }}\\n'
        '{{ nonce }}", header: Authorization, prefix: "HMAC {{ secrets.id }}:{{ timestamp }}:", '
        "nonce_header: X-Nonce}"
    )
    async with Desk() as desk:
        backend = await desk.open(FILE % hmac_, {"ID": "me", "KEY": "key-of-ours"})
        request = backend._compiled.find("ask").request({})
        credential = backend._carrier.credential
        first, second = [dict((await credential.apply(request, {})).headers) for _ in range(2)]
        assert first["X-Nonce"] != second["X-Nonce"]
        lead, _, signature = first["Authorization"].rpartition(":")
        assert lead.startswith("HMAC me:1")
        told = f"get /x?q=a+b\n{first['X-Nonce']}".encode()
        assert signature == hmac.digest(b"key-of-ours", told, "sha256").hex()
        assert not await credential.challenged(request, HttpResponse(401, {}, b""))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{secret: a, message: b}", "either header or query"),
        ("{secret: a, message: b, header: S, query: s}", "either header or query"),
        ("{secret: a, message: b, query: s, prefix: x}", "prefix stands before a header"),
        ("{secret: a, message: b, header: S, algorithm: crc32}", "must be"),
        ("{secret: a, message: '{{ args.x }}', header: S}", "'args' is not known here"),
        ("{secret: '{{ body }}', message: b, header: S}", "'body' is not known here"),
        ("{secret: a, message: '{{ secrets.no }}', header: S}", "secrets.no is not declared"),
        ("{secret: a, message: b, header: Host}", "belongs to the connection"),
        ("{secret: a, message: b, header: S, nonce_header: s}", "stands here twice"),
        ("{message: b, header: S}", "'secret' is missing"),
    ],
)
def test_what_cannot_sign_is_said_at_load(spec, message):
    assert any(message in found for found in faults(FILE % spec))


def test_what_it_sets_nothing_else_can_set():
    spec = "{secret: a, message: b, query: sig, timestamp_query: q}"
    assert "query 'q' is set by auth" in faults(FILE % spec)
    auth = msgspec.convert({"hmac": {"secret": "a", "message": "b", "query": "s"}}, Auth)
    assert (auth.header_names, auth.query_names) == ((), ("s",))
