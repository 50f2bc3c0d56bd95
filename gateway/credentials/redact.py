"""The redactor: no live secret leaves in a result, an error or a log line.

One instance serves the whole process. It knows each secret as it is and as it travels (base64 at
any offset, which covers `Basic`; percent-encoded; JSON- and HTML-escaped). One search, in the
linear-time engine of jsonschema-rs, tells whether any of them is there; only then is replaced.
"""

import base64
import bisect
import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import jsonschema_rs

from gateway.errors import GatewayError

SHORTEST = 6  # characters; shorter values would blot out ordinary words
MASK = "***"
MEMORY = 3600.0  # seconds a rotated value is still looked for: answers and logs lag behind

_ESCAPE = re.compile("%[0-9A-F]{2}")
_SEPARATOR = re.compile("[&=+;]")
_SPECIAL = re.compile(r"[^A-Za-z0-9\x80-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ROOM = 1 << 30  # bytes the search may take; four forms of a thousand values take 20 MB


class _Needles(NamedTuple):
    """What to look for, longest first: in text, and in bytes read as Latin-1.

    `ordered` are the texts by the alphabet, all that begin alike beside each other.
    """

    search: jsonschema_rs.Draft202012Validator
    texts: tuple[str, ...]
    datas: tuple[str, ...]
    ordered: tuple[str, ...]


class Redactor:
    """`learn` and `forget` count: a value two files share stays until both have let it go.

    Where nothing matches, a kilobyte costs 0.3 µs with one value or sixteen, 2 µs with a hundred.
    (`in` costs 0.13 µs for each form, one alternation in `re` three times as much.) The first look
    after `learn` builds the search: 0.1 ms a value. Any thread may call any method.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holders: dict[str, int] = {}
        self._leaving: dict[str, float] = {}
        self._needles: _Needles | None = None  # None: to be made anew

    def learn(self, value: str) -> None:
        if len(value) < SHORTEST:
            return
        with self._lock:
            if self._leaving.pop(value, None) is not None:
                return  # it counts as one still
            if value not in self._holders:
                self._needles = None
            self._holders[value] = self._holders.get(value, 0) + 1

    def forget(self, value: str) -> None:
        """Let go of a value; one that nobody holds is still looked for during `MEMORY` seconds."""
        with self._lock:
            count = self._holders.get(value, 0)
            if count > 1:
                self._holders[value] = count - 1
            elif count == 1:
                self._leaving[value] = self._clock() + MEMORY

    def text(self, text: str) -> str:
        """`text` itself when nothing is found in it."""
        needles = self._needles or self._made()
        return _masked(text, needles, needles.texts)

    def data(self, data: bytes) -> bytes:
        """As `text`, for UTF-8 or any other bytes; `data` itself when nothing is found in it."""
        needles = self._needles or self._made()
        before = data.decode("latin-1")
        after = _masked(before, needles, needles.datas)
        return data if after is before else after.encode("latin-1")

    def begun(self, text: str) -> int:
        """How many of the last characters of `text` may be the beginning of a secret: what comes
        after them tells, so they are not to go out before it.
        """
        needles = self._needles or self._made()
        longest = len(needles.texts[0]) if needles.texts else 0
        for count in range(min(len(text), longest), 0, -1):
            end = text[-count:]
            at = bisect.bisect_left(needles.ordered, end)
            if at < len(needles.ordered) and needles.ordered[at].startswith(end):
                return count
        return 0

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._holders)} values>"

    def _made(self) -> _Needles:
        with self._lock:
            self._drop_expired()
            forms_ = {form for value in self._holders for form in forms(value)}
            texts = sorted(forms_, key=len, reverse=True)
            datas = [form.encode("utf-8", "surrogatepass").decode("latin-1") for form in texts]
            made = _Needles(
                _search({*texts, *datas}), tuple(texts), tuple(datas), tuple(sorted(texts))
            )
            self._needles = made
            return made

    def _drop_expired(self) -> None:
        now = self._clock()
        for value in [value for value, until in self._leaving.items() if until <= now]:
            del self._leaving[value], self._holders[value]


def redacted(error: GatewayError, redactor: Redactor) -> None:
    """Take secrets out of what it says."""
    text = str(error)
    clean = redactor.text(text)
    if clean is not text:
        error.args = (clean,)
    if error.hint is not None:
        error.hint = redactor.text(error.hint)


def forms(value: str) -> Iterator[str]:
    """How `value` may look on its way; for most values, many of these are one."""
    for plain in (value, repr(value)[1:-1], html.escape(value)):
        yield plain
        for ascii_only in (True, False):
            inside = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            yield inside
            yield json.dumps(inside, ensure_ascii=ascii_only)[1:-1]  # JSON inside JSON
    for encode in (quote, quote_plus):
        for safe in ("", "/"):
            encoded = encode(value, safe=safe, errors="surrogatepass")
            yield encoded
            yield _ESCAPE.sub(lambda found: found[0].lower(), encoded)
    yield _SEPARATOR.sub(lambda found: quote(found[0]), value)  # as servers show a decoded query
    yield from _inside_base64(value.encode("utf-8", "surrogatepass"))


def _inside_base64(raw: bytes) -> Iterator[str]:
    """The characters of a longer base64 text that only `raw` decides, for each offset."""
    for offset, spoiled in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) * 8 // 6  # the next character mixes with what follows
        for alphabet in (b"+/", b"-_"):
            encoded = base64.b64encode(b"\0" * offset + raw, alphabet).decode()
            yield encoded[spoiled:whole]  # never shorter than `SHORTEST`


def _search(needles: set[str]) -> jsonschema_rs.Draft202012Validator:
    """`is_valid(text)` is whether one of `needles` is in `text`."""
    texts = (needle for needle in needles if not _SURROGATE.search(needle))
    pattern = "|".join(_SPECIAL.sub(lambda at: f"\\x{ord(at[0]):02x}", text) for text in texts)
    schema = {"pattern": pattern} if pattern else False
    room = jsonschema_rs.RegexOptions(size_limit=_ROOM, dfa_size_limit=_ROOM)
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=room)


def _masked(text: str, needles: _Needles, forms_: tuple[str, ...]) -> str:
    try:
        if not needles.search.is_valid(text):
            return text
    except UnicodeEncodeError:
        pass  # a lone surrogate: no text for the search, but `in` can look
    for form in forms_:
        if form in text:
            text = text.replace(form, MASK)
    return text
