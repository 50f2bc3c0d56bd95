"""Secrets: where they come from and how they are held. The only reader of the environment.

A secret is read late and by name, so it can rotate; its value is never part of a `repr`.
"""

import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from gateway.credentials.keyring_entry import KeyringEntry, keyring_problem
from gateway.errors import Unequipped

RECHECK = 1.0  # seconds between two looks at a secret's file
LARGEST = 64 * 1024  # bytes of a secret's file
SOURCES = ("env:", "file:", "keyring:")


def environment() -> Mapping[str, str]:
    """The process's environment. The edges ask for it; everything below gets it as a parameter."""
    return os.environ  # noqa: TID251  this is the one place


class Secret:
    """A text that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Learner(Protocol):
    """Who must know each value while it lives: the redactor."""

    def learn(self, value: str) -> None: ...

    def forget(self, value: str) -> None: ...


class Source(Protocol):
    def read(self) -> Secret | None: ...


class EnvSource:
    """`env:NAME`, read once: a process's environment does not change. Empty is missing."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        value = environ.get(name)
        self._secret = Secret(value) if value else None

    def read(self) -> Secret | None:
        return self._secret


class FileSource:
    """`file:PATH`, read again when time, inode or size change; looked at once in `RECHECK` seconds.

    Trailing newlines are stripped. Unreadable, empty, not a regular file, not UTF-8: missing.
    """

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        self._path = Path(path).expanduser()
        self._clock = clock
        self._next = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._secret: Secret | None = None

    def read(self) -> Secret | None:
        now = self._clock()
        if now >= self._next:
            self._next = now + RECHECK
            self._look()
        return self._secret

    def _look(self) -> None:
        try:
            found = self._path.stat()
            mark = (found.st_mtime_ns, found.st_ino, found.st_size)
            if mark == self._seen:
                return
            # a FIFO would block the loop for ever, a device could be endless
            fit = stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST
            text = self._path.read_text("utf-8").rstrip("\r\n") if fit else ""
        except (OSError, ValueError):
            mark, text = None, ""
        self._seen = mark
        self._secret = Secret(text) if text else None


class KeyringSource:
    """`keyring:SERVICE/NAME`."""

    def __init__(self, entry: KeyringEntry) -> None:
        self._entry = entry
        self._secret: Secret | None = None

    def read(self) -> Secret | None:
        value = self._entry.value()
        if value is None:
            return None
        if self._secret is None or self._secret.reveal() != value:
            self._secret = Secret(value)
        return self._secret


class Secrets:
    """The `secrets:` of one capability file: its names → one of `SOURCES`.

    `get` gives the value of this moment. `learner` is told each value before anybody has it, and a
    rotated one is taken back from it. Raises ValueError for an unknown source: `source_problem`.
    """

    def __init__(
        self,
        spec: Mapping[str, str],
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        learner: Learner | None = None,
    ) -> None:
        found = environment() if environ is None else environ
        self._spec = dict(spec)
        self._sources = {name: _source(text, found, clock) for name, text in spec.items()}
        self._learner = learner
        self._known: dict[str, Secret] = {}
        self.missing()  # tells the learner what there is at load

    def get(self, name: str) -> str:
        """The value; raises BackendUnavailable naming the source, never a value."""
        secret = self._current(name)
        if secret is None:
            source = self._spec[name]
            raise Unequipped(f"missing secret {source}", hint=_remedy(source))
        return secret.reveal()

    def missing(self) -> list[str]:
        """The sources without a value, such as `env:GITHUB_TOKEN`, in the file's order."""
        return [text for name, text in self._spec.items() if self._current(name) is None]

    def release(self) -> None:
        """Nobody uses them any more: the learner may forget. A later `get` teaches it anew."""
        known, self._known = self._known, {}
        if self._learner is not None:
            for secret in known.values():
                self._learner.forget(secret.reveal())

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(self._spec)}>"

    def _current(self, name: str) -> Secret | None:
        secret = self._sources[name].read()
        if secret is not None and self._known.get(name) is not secret:
            self._rotate(name, secret)
        return secret

    def _rotate(self, name: str, secret: Secret) -> None:
        before = self._known.get(name)
        self._known[name] = secret
        if self._learner is None:
            return
        self._learner.learn(secret.reveal())
        if before is not None:
            self._learner.forget(before.reveal())


def source_problem(text: str) -> str | None:
    """Why `text` is no source of a secret, or None when it is one."""
    kind, _, rest = text.partition(":")
    if f"{kind}:" not in SOURCES:
        return "a secret comes from 'env:NAME', 'file:PATH' or 'keyring:SERVICE/NAME'"
    if kind == "keyring":
        return keyring_problem(rest)
    return None if rest.strip() else f"'{kind}:' names nothing"


def _source(text: str, environ: Mapping[str, str], clock: Callable[[], float]) -> Source:
    problem = source_problem(text)
    if problem:
        raise ValueError(problem)
    kind, _, rest = text.partition(":")
    if kind == "keyring":
        return KeyringSource(KeyringEntry(rest, clock))
    return EnvSource(rest, environ) if kind == "env" else FileSource(rest, clock)


def _remedy(text: str) -> str:
    kind, _, rest = text.partition(":")
    if kind == "env":
        return f"the operator sets the environment variable {rest} and restarts the gateway"
    if kind == "keyring":
        service, _, name = rest.rpartition("/")
        return f"the operator says: keyring set {service} {name}; no restart is needed"
    return f"the operator puts the value in the file {rest}; no restart is needed"
