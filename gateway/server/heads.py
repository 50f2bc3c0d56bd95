"""The heads of our answers as bytes. The usual ones are made once a second, for their date."""

import time
from http import HTTPStatus

from gateway.server.reply import NOTHING, Reply

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
    b"Connection: close\r\n\r\n"
)
CLOSE = "close"
KEEP_ALIVE = "keep-alive"  # what HTTP/1.0 must be told, and 1.1 takes for granted

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Heads:
    """`tick` once a second."""

    def __init__(self) -> None:
        self._usual: dict[tuple[int, str, bool, str], bytes] = {}
        self._date = ""
        self.tick()

    def tick(self) -> None:
        self._date = date(time.time())
        self._usual.clear()

    def head(self, reply: Reply, connection: str = "") -> bytes:
        """All before the field that tells where the body ends; `connection` as the header says."""
        if reply.extra is not NOTHING:
            return self._made(reply, connection)
        key = (reply.status, reply.kind, bool(reply.body) or reply.feed is not None, connection)
        found = self._usual.get(key)
        if found is None:
            found = self._usual[key] = self._made(reply, connection)
        return found

    def _made(self, reply: Reply, connection: str) -> bytes:
        fields = {"Server": "capgate", "Date": self._date, **reply.extra}
        if reply.body or reply.feed is not None:
            fields["Content-Type"] = reply.kind
        if connection:
            fields["Connection"] = connection
        lines = "".join(f"{name}: {_plain(value)}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {reply.status} {_PHRASES[reply.status]}\r\n{lines}".encode("latin-1")


def date(now: float) -> str:
    """RFC 9110 section 5.6.7."""
    at = time.gmtime(now)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year} {clock} GMT"


def _plain(value: str) -> str:
    """A line break would let a value pass for more headers."""
    if "\r" in value or "\n" in value:
        raise ValueError("a header's value has a line break")
    return value
