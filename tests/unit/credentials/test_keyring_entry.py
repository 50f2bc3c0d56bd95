"""gateway/credentials/keyring_entry.py: looked up in a thread, and again from time to time."""

import contextlib
import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from gateway.credentials import keyring_entry
from gateway.credentials.keyring_entry import KeyringEntry, keyring_problem
from gateway.credentials.secret import Secrets
from gateway.errors import BackendUnavailable
from tests.peers.signing import without


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def looked(entry):
    """What it says when its last look is over."""
    entry._thread.join(5)
    return entry.value()


def test_an_entry_is_looked_up_by_service_and_name():
    asked = []
    entry = KeyringEntry("my/crm/token", Clock(), lambda *names: asked.append(names) or "value")
    assert entry.value() == "value"
    assert asked == [("my/crm", "token")]


def test_it_is_looked_at_again_after_a_while_and_nobody_waits_for_that():
    clock, said, gate = Clock(), ["first"], threading.Event()
    gate.set()

    def lookup(*_):
        gate.wait(5)
        return said[0]

    entry = KeyringEntry("s/n", clock, lookup)
    assert entry.value() == "first"
    said[0] = None
    assert entry.value() == "first"
    gate.clear()
    clock.now += keyring_entry.RECHECK
    assert entry.value() == "first"  # it is being asked
    clock.now += keyring_entry.RECHECK
    assert entry.value() == "first"  # still
    gate.set()
    assert looked(entry) is None


def test_a_keyring_that_hangs_is_not_waited_for_twice():
    gate = threading.Event()
    entry = KeyringEntry("s/n", Clock(), lambda *_: gate.wait(30) and None, patience=0.01)
    assert entry.value() is None
    assert entry.value() is None
    gate.set()
    assert looked(entry) is None


class Mine(KeyringBackend):
    """A keyring as the library has them."""

    priority = 1

    def __init__(self, entries):
        super().__init__()
        self.entries = entries

    def get_password(self, service, username):
        if self.entries is None:
            raise KeyringError("locked: canary")
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password


@contextlib.contextmanager
def using(entries):
    before = keyring.get_keyring()
    keyring.set_keyring(Mine(entries))
    try:
        yield
    finally:
        keyring.set_keyring(before)


def test_secrets_come_from_the_systems_keyring():
    with using({("crm", "token"): "from-the-keyring"}):
        secrets = Secrets({"a": "keyring:crm/token", "b": "keyring:crm/other"}, {})
        assert secrets.get("a") == "from-the-keyring"
        assert secrets.missing() == ["keyring:crm/other"]
        with pytest.raises(BackendUnavailable, match="missing secret keyring:crm/other") as caught:
            secrets.get("b")
        assert "keyring set crm other" in caught.value.explain()


def test_a_keyring_that_fails_has_nothing():
    with using(None):
        assert Secrets({"a": "keyring:crm/token"}, {}).missing() == ["keyring:crm/token"]


def test_without_the_library_the_file_is_refused_with_what_to_install():
    with without("keyring"):
        assert "pip install 'capgate[keyring]'" in (keyring_problem("s/n") or "")
    assert keyring_problem("s/n") is None
