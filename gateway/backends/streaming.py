"""The Reader of one request, fed by a connection while the answer comes."""

from collections.abc import Callable
from typing import Any

from gateway.capability.compiled import TryAgain
from gateway.capability.flow import Reader, Tell
from gateway.http.message import HttpResponse


class Listener:
    """An `http.live.Hearer`. What of it is worth telling goes to `tell` at once.

    `reader` is there once a success has begun; `heard`: some of its body came.
    """

    def __init__(
        self, make: Callable[[HttpResponse], Reader], tell: Callable[[Tell], None]
    ) -> None:
        self._make = make
        self._tell = tell
        self.reader: Reader | None = None
        self.heard = False

    def begins(self, head: HttpResponse) -> None:
        self.reader = self._make(head)

    def hear(self, data: bytes) -> bool:
        """Raises GatewayError."""
        self.heard = True
        reader = self.reader
        if reader is None:
            return False
        for told in reader.feed(data):
            self._tell(told)
        return reader.ended

    @property
    def held(self) -> int:
        """Bytes of the body that are not read yet."""
        return 0 if self.reader is None else self.reader.held

    def read(
        self, otherwise: Callable[[HttpResponse], Any]
    ) -> Callable[[HttpResponse], Any | TryAgain]:
        """How to read what came: `otherwise` where it was no success."""
        return otherwise if self.reader is None else self.reader.done
