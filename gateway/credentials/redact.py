"""The redactor: no live secret leaves in a result, an error or a log line.

One instance serves the whole process. It knows each secret as it is and as it travels (base64 at
any offset, which covers `Basic`; percent-encoded; JSON-escaped), and looks for those with plain
`in` before it replaces anything.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # characters; shorter values would blot out ordinary words
MASK = "***"
MEMORY = 3600.0  # seconds a rotated value is still looked for: answers and logs lag behind


class Redactor:
    """`learn` and `forget` count: a value two files share stays until both have let it go.

    Where nothing matches, `text` and `data` cost about 0.14 µs for a form and a kilobyte. Most
    values have four forms, so four values cost 2 µs a kilobyte; one regex of them all would cost
    three times that.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._holders: dict[str, int] = {}
        self._leaving: dict[str, float] = {}
        self._texts: tuple[str, ...] = ()
        self._datas: tuple[str, ...] = ()

    def learn(self, value: str) -> None:
        if len(value) < SHORTEST:
            return
        known = value in self._holders
        self._holders[value] = self._holders.get(value, 0) + 1
        self._leaving.pop(value, None)
        if not known:
            self._rebuild()

    def forget(self, value: str) -> None:
        """Let go of a rotated value; it is still looked for during `MEMORY` seconds."""
        count = self._holders.get(value, 0)
        if count > 1:
            self._holders[value] = count - 1
        elif count == 1:
            self._leaving[value] = self._clock() + MEMORY
        self._rebuild()

    def text(self, text: str) -> str:
        for needle in self._texts:
            if needle in text:
                text = text.replace(needle, MASK)
        return text

    def data(self, data: bytes) -> bytes:
        """UTF-8 bytes; searched as Latin-1 text, because `in` is twice as fast there."""
        before = data.decode("latin-1")
        after = before
        for needle in self._datas:
            if needle in after:
                after = after.replace(needle, MASK)
        return data if after is before else after.encode("latin-1")

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._holders)} values>"

    def _rebuild(self) -> None:
        now = self._clock()
        for value in [value for value, until in self._leaving.items() if until <= now]:
            del self._leaving[value], self._holders[value]
        needles = {form for value in self._holders for form in forms(value)}
        # the longest first: a form that contains another must go as a whole
        self._texts = tuple(sorted(needles, key=len, reverse=True))
        self._datas = tuple(
            form.encode("utf-8", "surrogatepass").decode("latin-1") for form in self._texts
        )


def forms(value: str) -> Iterator[str]:
    """How `value` may look on its way: at most a dozen texts of `SHORTEST` characters or more."""
    yield value
    yield quote(value, safe="", errors="surrogatepass")
    yield quote_plus(value, errors="surrogatepass")
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield from _inside_base64(value.encode("utf-8", "surrogatepass"))


def _inside_base64(raw: bytes) -> Iterator[str]:
    """The characters of a longer base64 text that only `raw` decides, for each offset."""
    for offset, spoiled in ((0, 0), (1, 2), (2, 3)):
        length = (
            (offset + len(raw)) * 8 // 6
        )  # whole characters; the next one mixes with what follows
        for alphabet in (b"+/", b"-_"):
            encoded = base64.b64encode(b"\0" * offset + raw, alphabet).decode()
            core = encoded[spoiled:length]
            if len(core) >= SHORTEST:
                yield core
