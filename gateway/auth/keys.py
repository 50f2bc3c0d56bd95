"""Which client a key is of, found in the same time whatever was shown.

The table is keyed by a digest that nobody outside can work out, and what it holds is compared as a
whole: how long that takes says nothing of how much of a guess was right (I29). Keys themselves are
not kept.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from gateway.domain.identity import Identity

HASHED = "sha256:"
NOTHING = hashlib.sha256().digest()  # what an unset variable comes to
FIT = re.compile(r"[!-~]+")  # what a client can send as a bearer token

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def digest(written: str) -> bytes:
    """The SHA-256 of a key as a configuration has it: the key itself, or `sha256:` and that.
    Raises ValueError, which shows nothing of it.
    """
    if written.startswith(HASHED):
        if not _DIGEST.fullmatch(written[len(HASHED) :]):
            raise ValueError("sha256: is followed by 64 hexadecimal digits")
        found = bytes.fromhex(written[len(HASHED) :])
        if found == NOTHING:
            raise ValueError("sha256: is followed by the digest of nothing: what was hashed?")
        return found
    if not FIT.fullmatch(written):
        raise ValueError("a key has no spaces, and no characters beyond ASCII")
    return hashlib.sha256(written.encode()).digest()


class Keys:
    """`known`: the SHA-256 of each key, and whose it is."""

    def __init__(self, known: Iterable[tuple[bytes, Identity]]) -> None:
        self._salt = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[bytes, Identity | None]] = {
            self._place(one): (one, who) for one, who in known
        }
        self._nobody: tuple[bytes, Identity | None] = (secrets.token_bytes(32), None)
        self._names = {who.name: (one, who) for one, who in self._known.values() if who is not None}

    def of(self, shown: str) -> Identity | None:
        """An empty text is nobody's, whatever is known: it stands for whoever shows no key."""
        found = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
        expected, who = self._known.get(self._place(found), self._nobody)
        return who if hmac.compare_digest(expected, found) and shown else None

    def named(self, name: str) -> tuple[bytes, Identity] | None:
        """The client of that name, after the SHA-256 of its key."""
        return self._names.get(name)

    def _place(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, digest_size=16, key=self._salt).digest()

    def __repr__(self) -> str:
        return f"<Keys of {len(self._known)} clients>"
