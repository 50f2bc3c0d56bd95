"""gateway/credentials/oauth/challenge.py: what a 401 or 403 says about how to be let in."""

import pytest

from gateway.credentials.oauth.challenge import (
    LONGEST,
    MOST_SCOPES,
    Wanted,
    challenges,
    scopes,
    wanted,
)


def read(header):
    return [(one.scheme, dict(one.params)) for one in challenges(header)]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer", [("bearer", {})]),
        ("BEARER Realm=x", [("bearer", {"realm": "x"})]),
        ('Bearer scope="a b", error="x"', [("bearer", {"scope": "a b", "error": "x"})]),
        ('Bearer scope = "a",error=x', [("bearer", {"scope": "a", "error": "x"})]),
        (r'Bearer a="say \"hi\", \\"', [("bearer", {"a": 'say "hi", \\'})]),
        (
            'Basic realm="x", Bearer scope=a',
            [("basic", {"realm": "x"}), ("bearer", {"scope": "a"})],
        ),
        ("Negotiate ab+/==, Bearer a=b", [("negotiate", {}), ("bearer", {"a": "b"})]),
        ('Basic, Bearer a="b, Digest c"', [("basic", {}), ("bearer", {"a": "b, Digest c"})]),
        ("Bearer a=1, a=2", [("bearer", {"a": "1"})]),
        ("Bearer url=https://a/b", [("bearer", {"url": "https://a/b"})]),
        ("", []),
        (" ,, , ", []),
    ],
)
def test_several_challenges_share_a_header(header, found):
    assert read(header) == found


def test_a_quote_without_end_costs_its_parameter_alone():
    assert read('Bearer error=x, scope="abc')[0] == ("bearer", {"error": "x"})


def test_only_the_bearer_challenge_is_wanted():
    headers = {
        "www-authenticate": 'Basic scope="no", Bearer resource_metadata="https://a/b", '
        'scope="x y", error="insufficient_scope"'
    }
    assert wanted(headers) == Wanted("https://a/b", frozenset({"x", "y"}), "insufficient_scope")


@pytest.mark.parametrize("headers", [{}, {"www-authenticate": 'Basic realm="x"'}])
def test_without_a_bearer_challenge_nothing_is_wanted(headers):
    assert wanted(headers) == Wanted()


def test_what_can_be_no_scope_is_left_out():
    assert scopes('ok "quoted" back\\slash \u00fcmlaut a:b/c.d') == {"ok", "a:b/c.d"}


def test_scopes_and_headers_are_bounded():
    assert len(scopes(" ".join(f"s{n}" for n in range(5000)))) == MOST_SCOPES
    assert read("Bearer " + "x" * LONGEST + ", Basic")[-1][0] != "basic"
