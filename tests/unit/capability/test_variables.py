import pytest

from gateway.capability.file.variables import Unset, expand

ENVIRON = {"HOST": "h.example", "EMPTY": "", "TRICK": "${HOST}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("https://${HOST}/v1", "https://h.example/v1"),
        ("${HOST:-other}", "h.example"),
        ("${NOPE:-http://127.0.0.1:9090}", "http://127.0.0.1:9090"),
        ("${NOPE:-}", ""),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${HOST}${HOST}", "h.exampleh.example"),
        ("$HOST {HOST} ${", "$HOST {HOST} ${"),
    ],
)
def test_variables_are_filled_in(text: str, expected: str) -> None:
    assert expand(text, ENVIRON) == expected


def test_what_is_filled_in_is_not_expanded_again() -> None:
    assert expand("${TRICK}", ENVIRON) == "${HOST}"


def test_i41_an_unset_variable_is_named() -> None:
    with pytest.raises(Unset, match="the environment variable A, B is not set"):
        expand("${A}-${B}-${A}-${HOST}", ENVIRON)


@pytest.mark.parametrize("text", ["${}", "${a b}", "${1A}", "${HOST-x}", "${HOST:x}"])
def test_what_is_no_variable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no \$\{NAME\}"):
        expand(text, ENVIRON)
