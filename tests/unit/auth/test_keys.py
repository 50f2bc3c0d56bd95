import hashlib

import pytest

from gateway.auth.keys import Keys, digest
from gateway.domain.identity import Identity

ANN, BOB = Identity("ann"), Identity("bob")
KEY, OTHER = "ann's-key-of-some-length", "bob's-key-of-some-length"


def keys() -> Keys:
    hashed = "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()
    return Keys([(digest(KEY), ANN), (digest(hashed), BOB)])


def test_a_key_is_its_clients_whether_it_was_written_plainly_or_as_its_digest() -> None:
    assert (keys().of(KEY), keys().of(OTHER)) == (ANN, BOB)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        KEY[:-1],
        KEY[1:],
        KEY + "x",
        KEY.upper(),
        f"{KEY} ",
        chr(ord(KEY[0]) ^ 1) + KEY[1:],
        "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest(),
        hashlib.sha256(OTHER.encode()).hexdigest(),
        "\ud800",
        "é" * 100,
    ],
)
def test_nothing_else_is_anybodys_not_even_the_digest(shown: str) -> None:
    assert keys().of(shown) is None


def test_a_digest_may_be_written_in_either_case() -> None:
    found = hashlib.sha256(KEY.encode()).hexdigest()
    assert digest(f"sha256:{found}") == digest(f"sha256:{found.upper()}") == digest(KEY)


@pytest.mark.parametrize(
    "written", ["sha256:", "sha256:12", "sha256:" + "g" * 64, "a b", "a\tb", "ü", "", "a\n"]
)
def test_what_no_client_could_send_is_no_key_and_is_not_quoted(written: str) -> None:
    with pytest.raises(ValueError, match=r"hexadecimal|spaces") as caught:
        digest(written)
    assert not written[7:] or written not in str(caught.value)


def test_the_digest_of_nothing_is_no_key_and_whoever_shows_none_is_nobody() -> None:
    """I28. An unset variable that was hashed would let everybody in."""
    with pytest.raises(ValueError, match="the digest of nothing"):
        digest("sha256:" + hashlib.sha256().hexdigest())
    assert Keys([(hashlib.sha256().digest(), ANN)]).of("") is None


def test_keys_do_not_show_themselves() -> None:
    assert repr(keys()) == "<Keys of 2 clients>"
