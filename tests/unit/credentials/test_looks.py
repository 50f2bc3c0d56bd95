"""gateway/credentials/looks.py: credentials that somebody wrote out are found, others are left."""

import pytest

from gateway.credentials.looks import holds_secret, looks_secret, masked


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
        ("ANYTHING", "Server=db;User=sa;Password=abc;"),
        ("ANYTHING", '{"type": "service_account", "private_key": "abc"}'),
        ("ANYTHING", "<login><password>abc</password></login>"),
        ("ANYTHING", "https://h/mcp?a=b&api_key=abc"),
        ("WEBHOOK", "https://hooks.example/services/team/a1B2c3D4e5F6g7H8i9J0k1L2"),
        ("DB_PW", "abc"),
        ("CURSOR_API_KEY", "abc"),
        ("next_cursor", "ghp_0123456789abcdef"),
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
        ("ANYTHING", "password={{ secret }}"),
        ("ANYTHING", "token: ${TOKEN}"),
        ("REPO", "https://h.example/a/b/c?page=2"),
        ("activity_next_cursor", "9f86d081884c7d659a2feaa0c55ad015"),
        ("nextPageToken", "CAEQAA9f86d081884c7d659a2feaa0c55"),
    ],
)
def test_what_is_none_is_left(name: str, value: str):
    assert not looks_secret(name, value)


def test_a_value_of_json_is_searched_all_through():
    assert holds_secret({"user": {"name": "ann", "keys": [{"api_key": "abc"}]}})
    assert not holds_secret({"user": {"name": "ann", "keys": [1, None]}, "max_tokens": 5})


def test_what_an_api_says_keeps_its_shape_without_its_credentials():
    answer = {
        "access_token": "abc",
        "cookies": ["a=b"],
        "next_page_token": "p2",
        "token": "",
        "link": "https://h/f?X-Amz-Signature=abcdef&part=1",
        "note": "see sk-0123456789abcdef",
        "id": "sk-0123456789abcdef",
        "count": 3,
    }
    assert masked(answer) == {
        "access_token": "***",
        "cookies": ["***"],
        "next_page_token": "p2",
        "token": "",
        "link": "https://h/f?X-Amz-Signature=***&part=1",
        "note": "see sk-0123456789abcdef",
        "id": "***",
        "count": 3,
    }
