"""What a request came to, as one line of JSON: whatever is in it, it is one line, it can be read by
any parser, and no secret is in it.
"""

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from gateway.credentials.redact import MASK, Redactor
from gateway.domain.events import CallFinished, MetaFinished, Queried
from gateway.domain.text import CUT
from gateway.errors import Denied, FallbackAgentUnknown, InvalidAgent, NoFallbackAgent
from gateway.observe.audit_copy import Copy
from gateway.observe.audit_redaction import Redaction, Rules

LONGEST = 256  # characters of a name
SHORT = 120  # characters of one that nobody has cut
DENIALS = frozenset(
    kind.code for kind in (Denied, InvalidAgent, FallbackAgentUnknown, NoFallbackAgent)
)
OTHERS = ("key", "team", "org", "agent", "backend", "tool", "method", "about", "rule")

# what of JSON's own escapes is still to be done: as gateway/log.py has it, and tag characters
_UNPRINTABLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_encode = msgspec.json.Encoder().encode

Told = CallFinished | MetaFinished | Queried


class Entry(NamedTuple):
    """An event to be written down, without its arguments: those are copied or not wanted.

    `number` counts all events, `time` is Unix time when it was told.
    """

    number: int
    time: float
    event: Told
    arguments: Copy | None = None


class Line(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """As docs/audit.md has it: what is empty is left out."""

    time: str
    instance: str
    seq: int
    id: str
    op: str
    key: str
    decision: str
    outcome: str
    ms: float
    bytes_in: int
    bytes_out: int
    team: str | None = None
    org: str | None = None
    agent: str | None = None
    backend: str | None = None
    tool: str | None = None
    method: str | None = None
    about: str = ""
    rule: str = ""
    reached: str = ""
    request: str | int | None = None
    arguments: Any = None


class Rendering:
    """Entries to lines of bytes, each with its line end. For one thread: it remembers the second.

    `instance` tells the lines of one process from those of others in the same file.
    """

    def __init__(self, instance: str, redactor: Redactor, rules: Rules, longest: int) -> None:
        self._instance = instance
        self._redactor = redactor
        self._rules = rules
        self._redaction = Redaction(longest, redactor)
        self._second = -1
        self._since = ""

    def __call__(self, entry: Entry) -> bytes:
        line = self._line(entry)
        try:
            text = _encode(line).decode()
        except UnicodeEncodeError:  # lone surrogates: not from a client, whose JSON has none
            line = _mapped(line, _well_formed)
            text = _encode(line).decode()
        if self._redactor.text(text) is not text:
            text = _encode(self._masked(line)).decode()
        if not text.isascii() or "\x7f" in text:
            text = _UNPRINTABLE.sub(_escaped, text)
        return text.encode() + b"\n"

    def faulty(self, entry: Entry, fault: str) -> bytes:
        """The line of one that cannot be rendered: nothing of it but what is ours."""
        event = entry.event
        facts = (event.id, "fault", "", "", event.outcome, 0.0, 0, 0)
        line = Line(self._time(entry.time), self._instance, entry.number, *facts, about=fault)
        return _encode(line) + b"\n"

    def _line(self, entry: Entry) -> Line:
        event = entry.event
        who = event.who
        operation, backend, tool, method, about = _what(event)
        return Line(
            self._time(entry.time),
            self._instance,
            entry.number,
            event.id,
            operation,
            self._name(event.caller),
            "deny" if _is_denied(event) else "allow",
            event.outcome,
            _ms(event.seconds),
            event.received,
            event.answered,
            self._name(who.team),
            self._name(who.org),
            self._name(who.agent),
            self._name(backend),
            self._name(tool),
            method,
            self._name(about),
            event.rule,
            "" if isinstance(event, MetaFinished) else event.reached,
            event.request,
            None if entry.arguments is None else self._arguments(event, entry.arguments),
        )

    def _name(self, name: Any) -> Any:
        """One that is or was too long, without what may be the beginning of a secret at its end."""
        if name is None or len(name) <= SHORT:
            return name
        kept = self._redactor.text(name.removesuffix(CUT))[:LONGEST]
        return f"{kept[: len(kept) - self._redactor.begun(kept)]}…"

    def _arguments(self, event: Told, copy: Copy) -> Any:
        if isinstance(event, CallFinished) and event.known:
            names = self._rules.of(event.backend, event.tool)
        else:
            names = self._rules.of_any()
        return self._redaction.shown(copy.value, names)

    def _time(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._second = second
            self._since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._since}.{int(now % 1 * 1000):03d}Z"

    def _masked(self, line: Line) -> Line:
        """Each text by itself, so that what is left is JSON still. A secret that is no single text
        of the arguments, but JSON as they are, takes all of them along.
        """
        line = _mapped(line, self._redactor.text)
        whole = _encode(line.arguments).decode()
        if self._redactor.text(whole) is not whole:
            return structs.replace(line, arguments=MASK)
        return line


def _what(event: Told) -> tuple[str, str | None, str | None, str | None, str]:
    """Operation, backend, tool, method, about."""
    if isinstance(event, CallFinished):
        return "call", event.backend, event.tool, None, ""
    if isinstance(event, MetaFinished):
        return "meta", None, event.tool, None, ""
    return "query", event.backend, None, event.method, event.about


def _is_denied(event: Told) -> bool:
    return event.outcome in DENIALS or (not isinstance(event, MetaFinished) and event.denied)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _mapped(line: Line, change: Callable[[str], str]) -> Line:
    """With every text of others in it changed."""
    changed = {name: getattr(line, name) for name in (*OTHERS, "request", "arguments")}
    return structs.replace(line, **{name: _within(one, change) for name, one in changed.items()})


def _within(value: Any, change: Callable[[str], str]) -> Any:
    """Of a JSON value: keys too, and numbers that are changed by it as texts."""
    kind = type(value)
    if kind is str:
        return change(value)
    if kind is dict:
        return {change(key): _within(each, change) for key, each in value.items()}
    if kind is list:
        return [_within(each, change) for each in value]
    if kind is int or kind is float:
        text = str(value)
        changed = change(text)
        return value if changed == text else changed
    return value


def _well_formed(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code <= 0xFFFF:  # noqa: PLR2004 (one unit of UTF-16)
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
