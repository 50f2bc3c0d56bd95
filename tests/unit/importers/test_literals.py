"""Credentials that somebody wrote out are found, and what is none stays as it is."""

import pytest

from gateway.importers.literals import Variables, looks_secret, variable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "abc"),
        ("GITHUB_TOKEN", "x"),
        ("DB_PASSWORD", "hunter2"),
        ("ANYTHING", "ghp_0123456789abcdef"),
        ("ANYTHING", "sk-proj-0123456789abcdef"),
        ("ANYTHING", "9f86d081884c7d659a2feaa0c55ad015"),
        ("DATABASE_URL", "postgres://u:pw@h/db"),
        ("client-secret", "s"),
        ("X-Auth", "abc"),
        ("API_KEY", "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_credentials_are_known_by_name_or_look(name: str, value: str):
    assert looks_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "debug"),
        ("KEY_FILE", "/home/me/key.pem"),
        ("TOKEN_URL", "https://a.example/token"),
        ("API_KEY", "${API_KEY}"),
        ("API_KEY", "env:API_KEY"),
        ("API_KEY", ""),
        ("AUTH", "true"),
        ("DATABASE_URL", "postgres://h/db"),
        ("MODEL", "gpt-4o-2024-08-06"),
        ("PATH", "/usr/bin:/bin"),
        ("ITEM", "123e4567-e89b-12d3-a456-426614174000"),
        ("authorization_response", "x"),
        ("AUTHOR", "ann"),
    ],
)
def test_what_is_none_is_left(name: str, value: str):
    assert not looks_secret(name, value)


def test_one_value_is_asked_for_once_and_another_under_another_name():
    variables = Variables()
    assert variables.in_pair("API_KEY", "one", "shop") == "${API_KEY}"
    assert variables.in_pair("API_KEY", "one", "bank") == "${API_KEY}"
    assert variables.in_pair("API_KEY", "two", "bank") == "${BANK_API_KEY}"
    assert variables.in_pair("API_KEY", "three", "bank") == "${API_KEY_2}"
    assert variables.asked == ("API_KEY", "BANK_API_KEY", "API_KEY_2")


def test_a_scheme_in_a_header_stays():
    variables = Variables()
    assert variables.in_header("Authorization", "Bearer abc", "shop") == "Bearer ${SHOP_TOKEN}"
    assert variables.in_header("X-Api-Key", "abc", "shop") == "${SHOP_X_API_KEY}"
    assert variables.in_header("X-Org", "acme", "shop") == "acme"
    assert variables.in_header("Authorization", "Bearer ${T}", "shop") == "Bearer ${T}"


def test_credentials_among_arguments_are_found():
    variables = Variables()
    given = [
        *("-y", "shop-mcp@1.2.3", "--token", "abc", "--api-key=def", "--region", "eu"),
        *("-e", "TOKEN=xyz", "--header", "Authorization: Bearer q", "https://h/mcp?key=k1&a=b"),
    ]
    assert variables.in_arguments(given, "shop") == [
        *("-y", "shop-mcp@1.2.3", "--token", "${SHOP_TOKEN}", "--api-key=${SHOP_API_KEY}"),
        *("--region", "eu", "-e", "TOKEN=${TOKEN}", "--header"),
        *("Authorization: Bearer ${SHOP_SHOP_TOKEN}", "https://h/mcp?key=${SHOP_KEY}&a=b"),
    ]


def test_credentials_in_a_url_are_found():
    variables = Variables()
    token = "0123456789abcdef0123456789abcdef"
    assert (
        variables.in_url(f"https://h/s/{token}/mcp", "shop") == "https://h/s/${SHOP_URL_TOKEN}/mcp"
    )
    assert variables.in_url("https://h/mcp?api_key=a%2Fb&x=1", "shop") == (
        "https://h/mcp?api_key=${SHOP_API_KEY}&x=1"
    )
    assert variables.in_url("https://u:pw@h/mcp", "shop") == "${SHOP_URL}"
    assert variables.in_url("https://h/mcp", "shop") == "https://h/mcp"


def test_any_text_becomes_a_variable_name():
    assert variable("my shop-key") == "MY_SHOP_KEY"
    assert variable("2fa") == "_2FA"
    assert variable("ü") == "SECRET"
