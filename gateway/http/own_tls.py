"""TLS with certificates from files: whom to trust and who we are, read again when they change.

A connection keeps the certificate it was made with; the next one has the new one.
"""

import asyncio
import ssl
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.errors import Unequipped

RECHECK = 2.0  # seconds between two looks at the files
LARGEST = 4 << 20  # bytes of a file: all authorities of a system are a quarter of it
HINT = "the operator puts the files of 'tls:' right; no restart is needed"

Mark = tuple[int, int, int]


class Files(NamedTuple):
    """Paths of PEM files. Without `key` the private key stands in `cert`'s."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Fault(Exception):
    """What is wrong with the files: which one, and why."""


class OwnTls:
    """The context of this moment. `heard` is called when `fault` comes, goes or changes."""

    def __init__(
        self,
        files: Files,
        heard: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._heard = heard
        self._clock = clock
        self._next = float("-inf")
        self._seen: tuple[Mark, ...] = ()
        self._context: ssl.SSLContext | None = None
        self._looking = asyncio.Lock()
        self.fault: str | None = None

    async def context(self) -> ssl.SSLContext:
        """For the next connection. While changed files are at fault, the one from before serves.

        Raises BackendUnavailable where there was none yet.
        """
        await self.look()
        if self._context is None:
            raise Unequipped(f"{self.fault}", hint=HINT)
        return self._context

    async def look(self) -> None:
        """At the files, unless it was done just now."""
        if self._clock() < self._next:
            return
        async with self._looking:
            if self._clock() < self._next:
                return
            before = self.fault
            try:
                found = await asyncio.to_thread(read, self._files, self._seen)
            except Fault as fault:
                self._seen, self.fault = (), str(fault)
            else:
                self.fault = None
                if found is not None:
                    self._seen, self._context = found
            self._next = self._clock() + RECHECK
            if self.fault != before:
                self._heard()

    def __repr__(self) -> str:
        return f"<OwnTls {self.fault or 'fine'}>"


def read(
    files: Files, seen: tuple[Mark, ...] = ()
) -> tuple[tuple[Mark, ...], ssl.SSLContext] | None:
    """What the files say, unless they are still as `seen`. Raises Fault."""
    marks = tuple(_mark(name, path) for name, path in files._asdict().items() if path is not None)
    return None if marks == seen else (marks, _context(files))


def _mark(name: str, path: str) -> Mark:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise Fault(f"tls.{name} {path}: {(error.strerror or 'unreadable').lower()}") from None
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise Fault(f"tls.{name} {path}: not a file of certificates")
    return found.st_mtime_ns, found.st_ino, found.st_size


def _context(files: Files) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except OSError as error:
        raise Fault(f"tls.ca {files.ca}: {_reason(error, 'no certificate in PEM')}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert is not None:
        _identify(context, files.cert, files.key)
    return context


def _identify(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    try:
        context.load_cert_chain(cert, key, password=_unasked)
    except _Encrypted:
        raise Fault(
            f"tls.key {key or cert}: the key is encrypted; only a plain one works"
        ) from None
    except OSError as error:
        mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
        if mismatch:
            raise Fault(f"tls.key {key or cert}: not the key of {cert}") from None
        which = f"tls.cert {cert}" + (f" and tls.key {key}" if key else "")
        raise Fault(f"{which}: {_reason(error, 'no certificate with its key in PEM')}") from None


class _Encrypted(Exception):
    """OpenSSL wants a password."""


def _unasked() -> str:
    """Else OpenSSL would ask on the terminal."""
    raise _Encrypted


def _reason(error: OSError, otherwise: str) -> str:
    return otherwise if isinstance(error, ssl.SSLError) else (error.strerror or otherwise).lower()
