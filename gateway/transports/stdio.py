"""Stdio: placeholder until its owner's file lands."""

import msgspec

from gateway.errors import BackendUnavailable
from gateway.transports.base import Means, Peer, Transport


class Stdio(msgspec.Struct, frozen=True):
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str | None = None

    @property
    def label(self) -> str:
        return "stdio"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        raise BackendUnavailable("not there yet")
