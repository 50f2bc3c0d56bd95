"""Logging to stderr: one line a record, whatever is in it, and no secret.

A record is an event name as its message and its facts in `extra`. Text that others chose (tool
names, arguments) cannot end a line, colour a terminal or turn the writing direction: such
characters are escaped. An exception is told by its class and places: its text may quote a URL.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any, Literal, Protocol, TextIO

ABOUT = ("call_id", "caller", "agent", "backend", "tool", "method", "trace_id")
going: ContextVar[tuple[str, ...]] = ContextVar("going", default=())  # the first of `ABOUT`

FRAMES = 4  # innermost places told of an exception
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_BARE = re.compile(r"[\w.:/@+-]+", re.ASCII)
# controls C0 and C1, zero-width and bidi marks, line and paragraph separators, lone surrogates
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)


class Redacts(Protocol):
    def text(self, text: str) -> str: ...


def printable(text: str) -> str:
    r"""`text` on one line, with what could play tricks on a terminal as `\u001b` and the like."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, event, the call that goes on, and the record's
    own facts.
    """

    def __init__(self, redactor: Redacts | None) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            "time": _when(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _masked(record.getMessage(), self._redactor),
            **{key: _masked(value, self._redactor) for key, value in _facts(record)},
        }
        line = json.dumps(facts, default=str).replace("\x7f", "\\u007f")
        return str(_masked(line, self._redactor))


class TextLines(logging.Formatter):
    """`time LEVEL event key=value …`, for a person."""

    def __init__(self, redactor: Redacts | None) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        facts = [
            f" {key}={_word(_masked(str(value), self._redactor))}" for key, value in _facts(record)
        ]
        line = f"{_when(record)} {record.levelname:<7} {record.getMessage()}{''.join(facts)}"
        return printable(str(_masked(line, self._redactor)))


class Lines(logging.StreamHandler[TextIO]):
    """A handler that stays silent when it cannot write: the standard one would print the record."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        return


def setup(
    level: str,
    format: Literal["text", "json"] = "text",
    redactor: Redacts | None = None,
    stream: TextIO | None = None,
) -> None:
    """Make this the process's only logging. `level` is a name such as `info`."""
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines(redactor) if format == "json" else TextLines(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it reports every burst at info


def _when(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


def _facts(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    own = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
    for key, value in zip(ABOUT, going.get(), strict=False):
        if value and key not in own:
            yield key, value
    yield from own.items()
    if record.exc_info and record.exc_info[1]:
        yield "fault", _fault(record.exc_info[1])


def _fault(error: BaseException) -> str:
    """`KeyError at view.py:88 in call, endpoint.py:40 in answer`: innermost first, no message."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"{PurePath(at.filename).name}:{at.lineno} in {at.name}" for at in reversed(frames)]
    return f"{type(error).__name__} at {', '.join(places)}" if places else type(error).__name__


def _masked(value: Any, redactor: Redacts | None) -> Any:
    """A text is masked before it is quoted, the line after: quoting hides nothing then."""
    return redactor.text(value) if redactor and isinstance(value, str) else value


def _word(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
