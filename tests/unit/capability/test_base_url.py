"""`base_url` is a literal: arguments cannot reach the origin (capability-format.md §4, I48)."""

import pytest

from gateway.capability.file.base_url import Refused, literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("HTTPS://API.example.com:8443/V2/", "https://api.example.com:8443/V2"),
        ("http://127.0.0.1:9090/a%20b", "http://127.0.0.1:9090/a%20b"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://under_score.internal/~user/a:b@c", "http://under_score.internal/~user/a:b@c"),
        ("http://h/..a/b..", "http://h/..a/b.."),
    ],
)
def test_an_origin_with_a_prefix_is_taken(text: str, expected: str) -> None:
    assert literal(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://{{ args.host }}/x", "a template cannot stand here"),
        ("https://h/${x", "a template cannot stand here"),
        ("https://h/x?y=1", "a query cannot stand here"),
        ("https://h/x#y", "a fragment cannot stand here"),
        ("https://user:secret@h/x", "user and password cannot stand here"),
        ("https://@h", "user and password cannot stand here"),
        ("https:///x", "no host name"),
        ("https://h:99999", "no such port: 99999"),
        ("https://h:0", "no such port: 0"),
        ("https://h:x", "no host name"),
        ("https://h h/x", "no host name"),
        ("https://h\\@evil/x", "user and password cannot stand here"),
        ("https://h\\evil/x", "no host name"),
        ("https://bücher.example", "a host name that is not ASCII"),
        ("ftp://h/x", "not a URL of http or https"),
        ("h.example/x", "not a URL of http or https"),
        ("//h/x", "not a URL of http or https"),
        ("", "not a URL of http or https"),
        ("https://h/a b", "a character that cannot stand in a URL as it is"),
        ("https://h/a\n", "a character that cannot stand in a URL as it is"),
        ("https://h/%zz", "a character that cannot stand in a URL as it is"),
        ("https://h/a\\b", "a character that cannot stand in a URL as it is"),
        ("https://h/a/../b", "'.' and '..' cannot stand in it"),
        ("https://h/%2e%2e/b", "'.' and '..' cannot stand in it"),
        ("https://h/a/.", "'.' and '..' cannot stand in it"),
        ("https://h/..%2fb", "'.' and '..' cannot stand in it"),
        ("https://h/%252e%252e/b", "'.' and '..' cannot stand in it"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(Refused) as raised:
        literal(text)
    assert str(raised.value) == message


def test_a_refusal_never_repeats_a_password() -> None:
    with pytest.raises(Refused) as raised:
        literal("https://user:hunter2@h/x")
    assert "hunter2" not in f"{raised.value}{raised.value.hint}"
