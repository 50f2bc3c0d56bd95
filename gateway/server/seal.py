"""States that only we can make: an HMAC under a key of this process over what each is bound to.

A state travels through its client, so it holds nothing but which parked call it resumes and until
when; who may use it, and for what, is in the seal alone (I40).
"""

import hashlib
import hmac
import math
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from gateway.errors import StateRejected
from gateway.server.asked import Asked

Clock = Callable[[], float]

APART = frozenset({"_meta", "inputResponses", "requestState"})  # what a retry may change

_canonical = msgspec.json.Encoder(order="sorted").encode


class Ticket(NamedTuple):
    """Which parked call, and which of its rounds."""

    call: str
    round: int


class Seal:
    """Its states begin with a name of its own: any other's, another gateway's included, is not
    taken for one of them.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._prefix = f"capgate.{secrets.token_hex(6)}."

    def issue(self, ticket: Ticket, bound: bytes, ttl: float) -> str:
        """A state for whoever `bound` describes, good for `ttl` seconds."""
        until = math.ceil(self._clock() + ttl)
        claim = f"{self._prefix}{ticket.call}.{ticket.round}.{until}"
        return f"{claim}.{self._mac(claim, bound)}"

    def ours(self, state: Any) -> bool:
        """Whether we, in this process, made it or something that looks like it."""
        return type(state) is str and state.startswith(self._prefix)

    def open(self, state: str, bound: bytes) -> Ticket:
        """What it was issued for; raises StateRejected for anyone and anything else."""
        claim, _, mac = state.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(claim, bound).encode()):
            raise StateRejected("the requestState does not belong to this request")
        call, round, until = claim.removeprefix(self._prefix).split(".")
        if self._clock() > int(until):
            raise StateRejected("the requestState has lapsed")
        return Ticket(call, int(round))

    def _mac(self, claim: str, bound: bytes) -> str:
        made = hmac.digest(self._key, claim.encode(errors="replace") + b"\0" + bound, "sha256")
        return urlsafe_b64encode(made).rstrip(b"=").decode()


def bound_to(asked: Asked) -> bytes:
    """A digest of who asks what: caller, surface, method, and all params that a retry repeats."""
    request = asked.request
    repeated = {key: value for key, value in request.params.items() if key not in APART}
    whole = [asked.caller.owner, asked.surface.name, request.method, repeated]
    return hashlib.sha256(_canonical(whole)).digest()
