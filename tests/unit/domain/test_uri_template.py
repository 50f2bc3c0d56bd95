import time

import pytest

from gateway.domain.uri_template import parse


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///{name}", "file:///a.txt"),
        ("x:{a}/{b}", "x:1/2"),
        ("x:{a}-{b}.json", "x:1-2-3.json"),
        ("x:{a}{b}", "x:12"),
        ("x:y", "x:y"),
        ("x:{+path}", "x:a/b/c"),
        ("x:{id}/files{/path}", "x:1/files/a/b"),
        ("x:s{?q,n}", "x:s?q=1"),
        ("x:{a:3}", "x:abc"),
        ("x:{", "x:{"),
        ("x:{}", "x:anything"),
    ],
)
def test_what_comes_from_a_template_fits_it(template: str, uri: str) -> None:
    assert parse(template).matches(uri)


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("file:///{name}", "file:///"),
        ("file:///{name}", "file:///a/b"),
        ("file:///{name}", "file:///a?b"),
        ("users/{id}", "users/1/posts/2"),
        ("x:{a}/{b}", "x:1"),
        ("x:{a}.json", "x:1.txt"),
        ("x:{a}.json", "x:.json"),
        ("x:y", "x:yz"),
        ("x:{id}/files{/path}", "x:1/2/files/a"),
        ("x:aa{b}aa", "x:aaa"),
    ],
)
def test_what_does_not_come_from_it_does_not(template: str, uri: str) -> None:
    assert not parse(template).matches(uri)


def test_a_template_that_resembles_a_uri_begins_and_ends_like_it() -> None:
    assert parse("file:///{path}.md").resembles("file:///a/b.md")
    assert not parse("file:///{path}.md").resembles("file:///a/b.txt")


def test_hostile_templates_cost_no_more_than_their_length() -> None:
    """No backtracking: a hundred variables over ten thousand characters."""
    pattern = parse("x:" + "{a}a" * 100 + "b")
    started = time.perf_counter()
    assert not pattern.matches("x:" + "a" * 10_000)
    assert time.perf_counter() - started < 0.1
