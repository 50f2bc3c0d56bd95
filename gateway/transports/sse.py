"""Sse: placeholder until its owner's file lands."""

import msgspec

from gateway.errors import BackendUnavailable
from gateway.transports.base import Means, Peer, Transport


class Sse(msgspec.Struct, frozen=True):
    url: str

    @property
    def label(self) -> str:
        return "sse"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        raise BackendUnavailable("not there yet")
