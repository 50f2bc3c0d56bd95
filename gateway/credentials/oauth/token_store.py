"""What OAuth gave us, kept over restarts: encrypted files, one an entry, for our eyes only.

An entry is `Fernet(JSON)`; its file name is a digest of its key, which stands inside too, so that
files cannot change places. A broken file costs itself alone. The methods block for a moment.
"""

import base64
import binascii
import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from gateway.errors import ConfigError

log = logging.getLogger(__name__)

KEY_VARIABLE = "CAPGATE_TOKEN_KEY"
KEY_FILE = "token.key"
KEY_BYTES = 32
LARGEST = 1 << 20  # bytes of a file

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True):
    key: str
    value: msgspec.Raw


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where a process keeps what it must not forget: systemd's word, XDG's, or below the home."""
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    base = environ.get("XDG_STATE_HOME", "")
    home = Path(environ.get("HOME") or Path.home())
    return (Path(base) if base else home / ".local" / "state") / "capgate"


class TokenStore:
    """`get` and `put` never raise: what cannot be kept is remembered while the process lives.

    `key` is 32 bytes in base64; without one it is made, and kept beside the entries. Raises
    ConfigError for a key of another shape.
    """

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._folder = folder
        self._given = _fernet_key(key) if key else None
        self._fernet: Fernet | None = None
        self._memory: dict[str, bytes] = {}
        self._warned = False

    def get(self, key: str, kind: type[T]) -> T | None:
        """None when there is nothing, or nothing readable, under this key."""
        path = self._path(key)
        try:
            data = path.read_bytes()[:LARGEST]
        except FileNotFoundError:
            data = b""
        except OSError as error:
            self._failed(error)
            data = b""
        found = self._opened(key, data, kind, path) if data else None
        if found is None and key in self._memory:
            return msgspec.json.decode(self._memory[key], type=kind)
        return found

    def put(self, key: str, value: object) -> None:
        plain = msgspec.json.encode(value)
        try:
            sealed = self._cipher().encrypt(msgspec.json.encode(Entry(key, msgspec.Raw(plain))))
            _replace(self._path(key), sealed)
            self._memory.pop(key, None)
        except OSError as error:
            self._memory[key] = plain
            self._failed(error)

    def drop(self, key: str) -> None:
        self._memory.pop(key, None)
        with contextlib.suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"<TokenStore {self._folder}>"

    def _opened(self, key: str, data: bytes, kind: type[T], path: Path) -> T | None:
        try:
            entry = msgspec.json.decode(self._cipher().decrypt(data), type=Entry)
            if entry.key == key:
                return msgspec.json.decode(entry.value, type=kind)
        except (InvalidToken, msgspec.MsgspecError):
            pass
        except OSError as error:
            self._failed(error)
            return None
        self._set_aside(path)
        return None

    def _set_aside(self, path: Path) -> None:
        log.warning("token_store_damaged", extra={"file": str(path)})
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged"))

    def _cipher(self) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(self._given or self._kept_key())
        return self._fernet

    def _kept_key(self) -> bytes:
        """Of two processes that make one at the same time, the first wins. Raises OSError."""
        path = self._folder / KEY_FILE
        with contextlib.suppress(FileNotFoundError):
            return self._checked(path)
        _folder(self._folder)
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:  # 0600
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
        return self._checked(path)

    def _checked(self, path: Path) -> bytes:
        try:
            return _fernet_key(path.read_text("ascii"))
        except (ConfigError, UnicodeDecodeError):
            self._set_aside(path)
            raise FileNotFoundError(path) from None

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.token"

    def _failed(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            reason = (error.strerror or type(error).__name__).lower()
            facts = {"folder": str(self._folder), "reason": reason}
            log.warning("token_store_failed", extra=facts)


def _fernet_key(text: str) -> bytes:
    """32 bytes in either base64 alphabet, as Fernet wants them."""
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ConfigError(
            f"{KEY_VARIABLE} is not {KEY_BYTES} bytes in base64",
            hint="make one with: openssl rand -base64 32",
        )
    return base64.urlsafe_b64encode(raw)


def _replace(path: Path, data: bytes) -> None:
    """All of it or nothing, readable by its owner alone. Raises OSError."""
    _folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
