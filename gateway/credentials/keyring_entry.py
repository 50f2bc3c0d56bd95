"""`keyring:SERVICE/NAME`: an entry of the system's keyring, by the `keyring` library, an extra.

A keyring may ask its user, or hang: it is asked in a thread of its own, and nobody waits for long.
"""

import threading
from collections.abc import Callable
from importlib.util import find_spec

RECHECK = 30.0  # seconds between two looks
PATIENCE = 5.0  # seconds the first look is waited for

Lookup = Callable[[str, str], str | None]

_asking = threading.Lock()  # keyrings are not made for many at once


def keyring_problem(rest: str) -> str | None:
    """Why `keyring:` with this `rest` is no source, or None."""
    service, _, name = rest.rpartition("/")
    if not service.strip() or not name.strip():
        return "'keyring:' names a service and a user, such as keyring:crm/token"
    if find_spec("keyring") is None:
        return "'keyring:' needs the keyring library: pip install 'capgate[keyring]'"
    return None


class KeyringEntry:
    """Looked up when it is made, and from time to time while it is asked for."""

    def __init__(
        self,
        rest: str,
        clock: Callable[[], float],
        lookup: Lookup | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._service, _, self._name = rest.rpartition("/")
        self._clock = clock
        self._patience = patience
        self._lookup = lookup or _system
        self._value: str | None = None
        self._thread: threading.Thread | None = None
        self._first = True
        self._look()

    def value(self) -> str | None:
        """That of the last look; only the first one is waited for."""
        thread = self._thread
        if thread is not None and self._first:
            thread.join(self._patience)
        self._first = False
        if (thread is None or not thread.is_alive()) and self._clock() >= self._next:
            self._look()
        return self._value

    def _look(self) -> None:
        self._next = self._clock() + RECHECK
        self._thread = threading.Thread(target=self._ask, name="keyring", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        with _asking:
            self._value = self._lookup(self._service, self._name) or None


def _system(service: str, name: str) -> str | None:
    """None when there is no such entry, or no keyring that answers."""
    import keyring  # noqa: PLC0415  an extra, and 100 ms to load
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(service, name)
    except (KeyringError, OSError, RuntimeError, ValueError):
        return None
