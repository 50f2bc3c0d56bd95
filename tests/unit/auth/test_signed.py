import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc.jwk import OctKey

from gateway.auth.access import NotLetIn
from gateway.auth.signed import PublicKeys, claims_of, taken_apart
from tests.peers.issuer import Issuer, new_key, part

ALL = ("RS256", "PS256", "ES256", "ES512", "EdDSA")


def check(issuer: Issuer, token: str, algorithms: tuple[str, ...] = ALL) -> Any:
    parts = taken_apart(token, algorithms)
    PublicKeys(issuer.jwks).verify(parts)
    return claims_of(parts)


@pytest.mark.parametrize("kind", ALL)
def test_a_token_signed_with_a_key_of_the_issuer_is_good(kind: str) -> None:
    issuer = Issuer(kind=kind)
    assert check(issuer, issuer.token())["sub"] == "ann"


def test_the_key_id_only_chooses_among_the_issuers_keys() -> None:
    """I37."""
    issuer = Issuer()
    issuer.keys["two"] = new_key("two")
    good = issuer.token("two")
    assert check(issuer, good)
    for kid in ("one", "../../etc/passwd", "https://evil.example/key", "", "two\u0000"):
        token = issuer.signed({"alg": "ES256", "kid": kid}, b"{}", issuer.keys["two"])
        with pytest.raises(NotLetIn):
            check(issuer, token)


def test_without_a_key_id_any_key_of_the_issuer_may_have_signed() -> None:
    issuer = Issuer()
    issuer.keys["two"] = new_key("two")
    token = issuer.signed({"alg": "ES256"}, b'{"sub": "x"}', issuer.keys["two"])
    assert check(issuer, token) == {"sub": "x"}


def test_a_token_signed_by_anybody_else_is_not() -> None:
    ours, theirs = Issuer(), Issuer()
    with pytest.raises(NotLetIn):
        check(ours, theirs.token())


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": ""},
        {},
        {"alg": ["ES256"]},
        {"alg": "HS256", "kid": "one"},
        {"alg": "ES256K"},
        {"alg": "ES384"},
        {"alg": "RS256", "kid": "one"},  # a key of another kind
        {"alg": "ES256", "crit": ["b64"], "b64": False},
        {"alg": "ES256", "crit": []},
        {"alg": "ES256", "b64": True},
        {"alg": "ES256", "typ": "dpop+jwt"},
        {"alg": "ES256", "typ": 5},
        {"alg": "ES256", "kid": 5},
        {"alg": "ES256", "kid": "x" * 300},
    ],
)
def test_a_header_that_asks_for_anything_else_is_refused(header: dict[str, Any]) -> None:
    """I37."""
    issuer = Issuer()
    with pytest.raises(NotLetIn):
        check(issuer, issuer.signed(header, b"{}", issuer.keys["one"]))


def test_a_public_key_is_no_shared_secret() -> None:
    """The oldest trick: HS256, keyed with what everybody may read."""
    issuer = Issuer(kind="RS256")
    public = issuer.keys["one"].as_pem(private=False)
    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(issuer.claims())}"
    forged = f"{text}.{part(hmac.new(public, text.encode(), hashlib.sha256).digest())}"
    for algorithms in (ALL, (*ALL, "HS256")):
        with pytest.raises(NotLetIn):
            check(issuer, forged, algorithms)


def test_a_key_that_the_token_brings_along_is_not_looked_at() -> None:
    issuer, mallory = Issuer(), new_key("m")
    for header in (
        {"alg": "ES256", "jwk": mallory.as_dict(private=False)},
        {"alg": "ES256", "jku": "https://evil.example/keys", "kid": "m"},
        {"alg": "ES256", "x5u": "https://evil.example/cert"},
    ):
        with pytest.raises(NotLetIn):
            check(issuer, issuer.signed(header, b"{}", mallory))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.replace(".", "..", 1)[:-1],
        lambda t: "." + t.split(".", 1)[1],
        lambda t: t + "=",
        lambda t: t[:-8],
        lambda t: t + "AAAA",
        lambda t: t.rsplit(".", 1)[0] + ".",
        lambda t: ".." if t else t,
        lambda t: t.replace("e", "\u00e9", 1),
        lambda t: "!" + t,
        lambda t: part([1]) + "." + t.split(".", 1)[1],
        lambda t: part(b"\xff") + "." + t.split(".", 1)[1],
        lambda t: part(b'{"alg":"ES256","kid":"\xff"}') + "." + t.split(".", 1)[1],
        lambda t: part(b"[" * 5000) + "." + t.split(".", 1)[1],
    ],
)
def test_what_is_malformed_is_refused_and_breaks_nothing(spoil: Any) -> None:
    issuer = Issuer()
    token = spoil(issuer.token())
    if token.count(".") == 2:  # all else is no token to us
        with pytest.raises(NotLetIn):
            check(issuer, token)


def test_a_payload_that_is_no_object_says_nothing() -> None:
    issuer = Issuer()
    for payload in (b"[]", b'"ann"', b"", b"\xff", b"[" * 5000, b'{"sub":"\xff"}'):
        with pytest.raises(NotLetIn):
            check(issuer, issuer.signed({"alg": "ES256"}, payload, issuer.keys["one"]))


def test_keys_that_we_cannot_use_are_left_out() -> None:
    good = new_key("good").as_dict(private=False)
    weak = {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode(), "e": "AQAB"}
    listed: list[Any] = [
        None,
        "x",
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        OctKey.import_key("secret-secret-secret").as_dict(),
        new_key("private").as_dict(private=True),
        {**good, "kid": "enc", "use": "enc"},
        {**good, "kid": "ops", "use": None, "key_ops": ["sign"]},
        {**good, "crv": "P-999"},
        {**good, "crv": "secp256k1"},
        {**good, "x": "!"},
        {**good, "kid": 5},
        weak,
        {"kty": "RSA", "n": "A" * 4000, "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": ["RSA"]},
        {**good, "crv": {}},
    ]
    assert len(PublicKeys({"keys": listed})) == 0
    assert len(PublicKeys({"keys": [*listed, good]})) == 1
    for document in ({}, {"keys": None}, {"keys": {}}, {"keys": "x"}):
        assert len(PublicKeys(document)) == 0
    assert len(PublicKeys({"keys": [good] * 1000})) == 64


def test_a_key_may_be_bound_to_an_algorithm() -> None:
    issuer = Issuer(kind="RS256")
    listed = json.loads(json.dumps(issuer.jwks))
    listed["keys"][0]["alg"] = "PS256"
    parts = taken_apart(issuer.token(), ALL)
    with pytest.raises(NotLetIn):
        PublicKeys(listed).verify(parts)
