"""gateway/credentials/oauth/metadata.py: where metadata lies, and what of it is believed."""

import pytest

from gateway.credentials.oauth.metadata import (
    authorization_server,
    canonical,
    covers,
    default_server,
    protected_resource,
    resource_urls,
    same_issuer,
    server_urls,
)

RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def test_a_servers_metadata_is_looked_for_at_its_path_then_at_the_root():
    assert resource_urls("https://h/a/mcp?x=1") == [
        f"https://h{RESOURCE}/a/mcp",
        f"https://h{RESOURCE}",
    ]
    assert resource_urls("https://h:1/") == [f"https://h:1{RESOURCE}"]


def test_an_issuers_metadata_is_looked_for_in_the_specifications_order():
    assert server_urls("https://h") == [f"https://h{SERVER}", f"https://h{OPENID}"]
    assert server_urls("https://h/t1/") == [
        f"https://h{SERVER}/t1",
        f"https://h{OPENID}/t1",
        f"https://h/t1{OPENID}",
    ]


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("https://H.example/mcp?x=1#y", "https://h.example/mcp"),
        ("https://h.example/", "https://h.example"),
        ("https://h.example:443/a/", "https://h.example/a/"),
        ("wss://h.example/ws", "https://h.example/ws"),
    ],
)
def test_the_resource_is_the_url_without_what_changes(url, resource):
    assert canonical(url) == resource


@pytest.mark.parametrize(
    "resource",
    [
        "https://h/a/mcp",
        "https://h/a/mcp/",
        "https://h/a",
        "https://h",
        "https://h/",
        "https://H/a",
    ],
)
def test_a_resource_covers_its_own_paths(resource):
    assert covers(resource, "https://h/a/mcp")


@pytest.mark.parametrize(
    "resource",
    [
        "https://evil/a/mcp",
        "http://h/a/mcp",
        "https://h:8443/a/mcp",
        "https://h/a/mc",
        "https://h/a/mcp/b",
        "https://h/b",
        "https://h/a?x=1",
        "h/a",
        "",
        "https://[",
    ],
)
def test_a_resource_covers_nothing_else(resource):
    assert not covers(resource, "https://h/a/mcp")


def test_issuers_are_compared_as_they_are():
    assert same_issuer("https://h/t", "https://h/t")
    assert same_issuer("https://h", "https://h/")  # the same empty path
    for other in ("https://h/t/", "https://H/t", "https://h:443/t", "https://h", "http://h/t"):
        assert not same_issuer(other, "https://h/t")


def test_null_is_as_good_as_absent():
    found = authorization_server(
        {"issuer": "https://h", "token_endpoint": "https://h/t", "scopes_supported": None, "x": [1]}
    )
    assert found is not None
    assert found.scopes_supported == ()


@pytest.mark.parametrize(
    "document", [{}, {"resource": 5}, {"resource": "x", "authorization_servers": "y"}]
)
def test_what_is_no_metadata_is_none(document):
    assert protected_resource(document) is None
    assert authorization_server(document) is None


def test_a_server_without_metadata_is_its_own_at_fixed_paths():
    found = default_server("https://h:1/v1/mcp")
    assert (found.issuer, found.token_endpoint) == ("https://h:1", "https://h:1/token")
    assert found.authorization_endpoint == "https://h:1/authorize"
    assert found.registration_endpoint == "https://h:1/register"
