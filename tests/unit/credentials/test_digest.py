"""gateway/credentials/digest.py: the proofs of the RFCs, and which challenge is answered."""

import pytest
from aiohttp import BytesPayload, DigestAuthMiddleware
from yarl import URL

from gateway.credentials.digest import Asked, Who, choose, proof
from gateway.credentials.oauth.challenge import challenges
from gateway.credentials.opening import opened
from gateway.http.message import HttpRequest, HttpResponse
from tests.peers.signing import MEANS, planned

MUFASA = Who("Mufasa", "Circle of Life")
INDEX = HttpRequest("GET", "http://www.example.org/dir/index.html")
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
OLD = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'


def asked(header: str) -> Asked:
    found = choose(challenges(header))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm, response):
    shown = proof(asked(RFC7616.format(algorithm)), MUFASA, INDEX, 1, CNONCE)
    assert f'response="{response}"' in shown
    assert f'uri="/dir/index.html", response="{response}", algorithm={algorithm}, qop=auth' in shown
    assert f'nc=00000001, cnonce="{CNONCE}", opaque="FQhe' in shown


def test_the_example_of_rfc_7616_that_hides_the_name():
    header = (
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    )
    who = Who("J\u00e4s\u00f8n Doe", "Secret, or not?")
    request = HttpRequest("GET", "http://api.example.org/doe.json")
    shown = proof(asked(header), who, request, 1, "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm")
    # the figures of erratum 4897
    assert 'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"' in shown
    assert shown.endswith("userhash=true")


def test_the_example_of_rfc_2069_as_corrected():
    shown = proof(asked(OLD), Who("Mufasa", "CircleOfLife"), INDEX, 1, "x")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in shown
    assert "qop" not in shown
    assert "algorithm" not in shown


def test_the_example_of_rfc_2617():
    header = f'{OLD}, qop="auth,auth-int", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    shown = proof(asked(header), Who("Mufasa", "Circle Of Life"), INDEX, 1, "0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in shown


@pytest.mark.parametrize("qop", [', qop="auth"', ', qop="auth-int"', ""])
@pytest.mark.parametrize("algorithm", ["MD5", "md5-sess", "SHA-256", "SHA-256-sess", "SHA-512"])
async def test_proofs_are_those_of_aiohttp(qop, algorithm):
    """The other implementation at hand. It forgets to send what a session without qop needs."""
    if algorithm.endswith("sess") and not qop:
        assert 'cnonce="x"' in proof(asked(f"{OLD}, algorithm={algorithm}"), MUFASA, INDEX, 1, "x")
        return
    header = f'Digest realm="r \\"x\\"", nonce="n1", algorithm={algorithm}{qop}, opaque="o"'
    other = DigestAuthMiddleware("ann", "p:w é")
    other._challenge = dict(challenges(header)[0].params)
    url, body = "https://h/a%2Fb?c=d%20e&f=%22", b"body"
    theirs = await other._encode("PUT", URL(url, encoded=True), BytesPayload(body))
    cnonce = challenges(theirs)[0].params.get("cnonce", "")
    request = HttpRequest("PUT", url, (), body)
    ours = proof(asked(header), Who("ann", "p:w é"), request, 1, cnonce)
    assert challenges(ours) == challenges(theirs)


def test_a_query_is_part_of_what_is_proven_and_a_path_is_never_empty():
    for url, uri in [("https://h/a?b=c", "/a?b=c"), ("https://h", "/"), ("https://h?a", "/?a")]:
        assert f'uri="{uri}"' in proof(asked(OLD), MUFASA, HttpRequest("GET", url), 1, "x")


def test_a_body_is_proven_where_only_that_will_do():
    only = asked(RFC7616.format("SHA-256").replace("auth, auth-int", "auth-int"))
    one = proof(only, MUFASA, HttpRequest("PUT", "https://h/x", (), b"1"), 1, "x")
    two = proof(only, MUFASA, HttpRequest("PUT", "https://h/x", (), b"2"), 1, "x")
    assert "qop=auth-int" in one
    assert one != two


def test_names_are_quoted_or_encoded():
    header = 'Digest realm="a \\"b\\" \\\\c", nonce="n", opaque=""'
    assert asked(header).realm == 'a "b" \\c'
    shown = proof(asked(header), Who('d"e', "p"), INDEX, 1, "x")
    assert 'username="d\\"e", realm="a \\"b\\" \\\\c"' in shown
    assert shown.endswith('opaque=""')
    assert "username*=UTF-8''%C3%A9" in proof(asked(header), Who("é", "p"), INDEX, 1, "x")


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        (f"{RFC7616.format('SHA-256')}, {RFC7616.format('MD5')}", "SHA-256"),
        (f"{RFC7616.format('SHA3')}, {RFC7616.format('md5-sess')}", "md5-sess"),
        (f'Basic realm="x", {RFC7616.format("SHA-512")}', "SHA-512"),
        (f"Negotiate, {OLD}", None),
    ],
)
def test_the_first_challenge_that_can_be_answered_is(header, algorithm):
    assert asked(header).algorithm == algorithm


@pytest.mark.parametrize(
    "header",
    [
        "",
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest nonce="x"',
        'Digest realm="x", nonce=""',
        RFC7616.format("SHA3-512"),
        RFC7616.format("MD5").replace("auth, auth-int", "other"),
        'Digest realm="a\x01b", nonce="x"',
        "Digest " + "x" * 20_000,
    ],
)
def test_what_cannot_be_answered_is_left_alone(header):
    assert choose(challenges(header)) is None


class Peer:
    """Refuses with `header` what does not show `nonce`."""

    def __init__(self):
        self.credential = opened(planned({"digest": {"username": "u", "password": "p"}}), MEANS)
        self.number = 1

    def refusal(self, *, stale=False):
        more = ", stale=true" if stale else ""
        header = f'Digest realm="r", nonce="n{self.number}", qop="auth"{more}'
        return HttpResponse(401, {"www-authenticate": header}, b"")

    async def sent(self):
        return await self.credential.apply(INDEX, {})

    async def again(self, sent, **how):
        return await self.credential.challenged(sent, self.refusal(**how))


def shown(request):
    return dict(request.headers).get("Authorization", "")


async def test_a_nonce_is_counted_until_it_is_refused():
    peer = Peer()
    first = await peer.sent()
    assert first is INDEX
    assert await peer.again(first)
    uses = [shown(await peer.sent()) for _ in range(3)]
    assert [f"nc=0000000{number}" in use for number, use in enumerate(uses, 1)] == [True] * 3
    peer.number = 2
    assert await peer.again(await peer.sent())
    assert 'nonce="n2"' in shown(await peer.sent())


async def test_a_new_nonce_that_is_refused_means_the_password_unless_it_is_stale():
    peer = Peer()
    assert await peer.again(await peer.sent())
    sent = await peer.sent()
    assert not await peer.again(sent)
    assert await peer.again(await peer.sent())
    peer.number = 2
    assert await peer.again(await peer.sent(), stale=True)


async def test_calls_that_were_refused_together_share_the_next_nonce():
    peer = Peer()
    await peer.again(await peer.sent())
    sent = [await peer.sent() for _ in range(4)]
    for number, each in enumerate(sent[1:], 2):
        peer.number = number
        assert await peer.again(each)
    assert 'nonce="n2"' in shown(await peer.sent())


async def test_other_refusals_are_the_tools():
    peer = Peer()
    sent = await peer.sent()
    assert not await peer.credential.challenged(sent, HttpResponse(403, {}, b""))
    assert not await peer.credential.challenged(sent, HttpResponse(401, {}, b""))
