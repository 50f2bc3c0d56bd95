"""How text comes apart into words, and words into terms."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.domain.search.words import is_stem, stem, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("list_pull_requests", ["list", "pull", "requests"]),
        ("listPullRequests", ["list", "pull", "requests"]),
        ("HTTPServerError", ["http", "server", "error"]),
        ("parse URLs and PDFs", ["parse", "urls", "pdfs"]),
        ("get-user.by/id:42", ["get", "user", "id", "42"]),
        ("sha256sum", ["sha", "256", "sum"]),
        ("listS3Buckets, s3, EC2, ipv4", ["list", "s3", "buckets", "s3", "ec2", "ipv4"]),
        ("docker_compose_down", ["docker", "compose", "down"]),
        ("The user's own", ["user"]),
        ("full-width \uff21\uff30\uff29", ["full", "width", "api"]),
        ("Café Straße Łódź", ["cafe", "strasse", "lodz"]),
        ("天气、预报 weather", ["天气", "预报", "weather"]),
        ("हिन्दी 한국어", ["हिन्दी", "한국어"]),
        ("a b c 1", []),
        ("", []),
    ],
)
def test_text_comes_apart_into_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_an_endless_word_is_cut() -> None:
    assert [len(word) for word in words("x" * 100)] == [64, 36]


def test_forms_of_an_english_word_share_a_stem() -> None:
    assert stem("searching") == stem("searches") == stem("search")
    assert terms("searching").exact != terms("search").exact


def test_other_scripts_give_pairs_of_characters() -> None:
    assert terms("天气预报").stems == ("天气", "气预", "预报")
    assert terms("天").stems == ("天",)


def test_an_exact_form_is_no_stem() -> None:
    found = terms("search")
    assert is_stem(found.stems[0])
    assert not is_stem(found.exact)


def test_threads_stem_alike() -> None:
    many = [f"{begin}{end}" for begin in "abcdefgh" for end in ("unning", "ations", "iesel")] * 50
    alone = [terms.__wrapped__(word) for word in many]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(terms.__wrapped__, many)) == alone
