"""documents.py of OAuth: where a stranger's URL may lead us, and where not (I62)."""

import pytest
from yarl import URL

from gateway.credentials.oauth.documents import (
    CAP,
    SECONDS,
    Distrusted,
    Documents,
    loopback,
    problem,
)
from gateway.errors import BackendUnavailable, DeadlineExceeded
from gateway.http.failures import Unreachable
from gateway.http.message import HttpResponse

PUBLIC = "https://mcp.example/mcp"


class Http:
    """Answers all alike, and remembers what was asked."""

    def __init__(self, answer=None):
        self.answer = answer or HttpResponse(200, {}, b'{"a": 1}')
        self.asked = []

    async def send(self, request, *, seconds, cap, private=False):
        assert (seconds, cap) == (SECONDS, CAP)
        self.asked.append((request, private))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:8080/x",
        "http://localhost/x",
        "https://[::ffff:10.0.0.1]/x",
        "http://as.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:application/json,{}",
        "//as.example/x",
        "/relative",
        "",
        "https://user:canary@as.example/x",
        "https://as.example/x#part",
        "https://[::1",
        "https://as.example/" + "x" * 3000,
    ],
)
async def test_a_public_servers_word_leads_to_no_private_place(url):
    http = Http()
    with pytest.raises(Distrusted, match="is not followed") as caught:
        await Documents(http, PUBLIC).get(url, "the metadata")
    assert not http.asked
    assert "canary" not in caught.value.explain()


@pytest.mark.parametrize("url", ["https://as.example/x", "https://mcp.example/.well-known/x"])
async def test_other_public_places_may_be_asked(url):
    http = Http()
    assert await Documents(http, PUBLIC).get(url, "the metadata") == {"a": 1}
    request, private = http.asked[0]
    assert request.url == url
    assert private is (URL(url).host == "mcp.example")  # its own origin, wherever that is


@pytest.mark.parametrize("home", ["http://127.0.0.1:9/mcp", "https://10.1.2.3/mcp"])
async def test_a_private_server_may_lead_to_private_places(home):
    http = Http()
    await Documents(http, home).get("https://10.0.0.1/x", "the metadata")
    assert http.asked[0][1] is True


async def test_the_operator_may_allow_private_places():
    http = Http()
    await Documents(http, PUBLIC, private=True).get("https://10.0.0.1/x", "the metadata")
    assert http.asked


async def test_even_a_private_server_leads_to_nothing_unencrypted_off_this_machine():
    with pytest.raises(Distrusted, match="not encrypted"):
        await Documents(Http(), "http://10.0.0.1/mcp").get("http://10.0.0.2/x", "it")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null", b"\xff", b"[" * 5000])
async def test_what_is_no_object_is_no_document(body):
    assert await Documents(Http(HttpResponse(200, {}, body)), PUBLIC).get(PUBLIC, "it") is None


async def test_missing_is_not_failing():
    assert await Documents(Http(HttpResponse(404, {}, b"{}")), PUBLIC).get(PUBLIC, "it") is None
    with pytest.raises(BackendUnavailable, match="HTTP 503"):
        await Documents(Http(HttpResponse(503, {}, b"{}")), PUBLIC).get(PUBLIC, "it")


async def test_errors_name_the_place_without_its_query():
    slow = Http(DeadlineExceeded("timeout after 10 s"))
    with pytest.raises(BackendUnavailable, match=r"it at https://a\.example: timeout") as caught:
        await Documents(slow, PUBLIC).get("https://a.example/x?secret=canary", "it")
    assert "canary" not in caught.value.explain()


async def test_a_name_that_turns_out_private_is_distrusted_and_says_what_to_set():
    gone = Http(Unreachable("cannot connect to a.example: it is not at a public address"))
    with pytest.raises(Distrusted) as caught:
        await Documents(gone, PUBLIC).get("https://a.example/x", "it")
    assert "allow_private" in caught.value.explain()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_this_machine_is_known_by_its_names(host):
    assert loopback(host)


@pytest.mark.parametrize("host", ["127.1", "localhost.evil.example", "0x7f.1", "10.0.0.1"])
def test_nothing_else_is_this_machine(host):
    assert not loopback(host)


def test_a_good_url_has_no_problem():
    assert problem("https://as.example/x?y=1", private=False, home=URL(PUBLIC)) is None
