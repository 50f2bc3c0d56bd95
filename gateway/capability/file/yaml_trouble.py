"""What is wrong with bytes that are no YAML, in words an author can act on."""

import re
from typing import Any

import yaml

from gateway.domain.issue import Issue

MAX_BYTES = 1 << 20

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOMS = (
    (b"\xef\xbb\xbf", "the file starts with a byte order mark"),
    (b"\xff\xfe", "the file is UTF-16"),
    (b"\xfe\xff", "the file is UTF-16"),
)
_NEAR = 100  # lines above in which an opening quote is looked for
_LONGEST_LINE = 2_000  # characters of a line that are looked at for a template
_SAVE = "save it as UTF-8 without byte order mark"
_TEMPLATE = "an unquoted '{{': to YAML that is a mapping"
_QUOTE = 'quote it: "{{ … }}"'
_TAB = "a tab indents here"
_SPACES = "indent with spaces"

_TOLD = (  # (what libyaml says, what we say, what to do)
    (
        "mapping values are not allowed",
        "a second ': ' in one value, or a line that is indented too far",
        'quote a text that holds ": "',
    ),
    (
        "cannot start any token",
        "no text can start with this character",
        "quote the text",
    ),
    (
        "expected alphabetic or numeric character",
        "'*' or '&' without a name",
        "text that starts with '*' or '&' must be quoted",
    ),
    ("found unexpected end of stream", "a quote that is opened here is never closed", None),
    (
        "expected ',' or '}'",
        "a mapping that is opened here with '{' is not closed with '}'",
        "quote a text that holds any of , { } [ ]",
    ),
    (
        "expected ',' or ']'",
        "a list that is opened here with '[' is not closed with ']'",
        "quote a text that holds any of , { } [ ]",
    ),
    (
        "did not find expected key",
        "no key can stand here",
        "keys of one mapping start in the same column, as 'key: value'",
    ),
    (
        "could not find expected ':'",
        "a key without ': ' after it",
        "the lines of a longer text are indented below '|'",
    ),
    (
        "did not find expected '-' indicator",
        "an item of this list does not start with '- '",
        "all items of one list start in the same column",
    ),
    (
        "unknown escape character",
        "an unknown escape in a text in double quotes",
        r"write \\ for \ ",
    ),
    ("invalid Unicode character escape", "an escape that is no Unicode character", None),
    ("control characters are not allowed", "a control character", "remove it"),
)


def of_bytes(data: bytes, file: str) -> Issue | None:
    """Refuses what should not even reach a parser: too large, not UTF-8, binary, tab-indented."""
    if len(data) > MAX_BYTES:
        return Issue(file, f"larger than {MAX_BYTES >> 20} MiB")
    for mark, message in _BOMS:
        if data.startswith(mark):
            return Issue(file, message, 1, 1, hint=_SAVE)
    if b"\0" in data:
        at = data.index(b"\0")
        return _at(file, data[:at], "a NUL byte: this is a binary file, or UTF-16", _SAVE)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return _at(file, data[: error.start], "bytes that are not UTF-8", _SAVE)
    found = _CONTROL.search(text)
    if found:
        code = ord(found.group())
        return _at(file, text[: found.start()].encode(), f"the control character U+{code:04X}")
    return _tab(text, file) if "\t" in text else None


def of_libyaml(error: Exception, data: bytes, file: str) -> Issue:
    """A libyaml error at the place that helps most: where the thing began that went wrong."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    if mark is None:
        return Issue(file, f"not YAML: {problem}")
    message, hint = _words(problem)
    began = context if context and message.startswith(("a mapping", "a list", "a quote")) else mark
    lines = data.decode(errors="replace").splitlines()
    shown = [lines[at.line] for at in (mark, context or mark) if at.line < len(lines)]
    if "tab" in problem or any("\t" in line[: len(line) - len(line.lstrip())] for line in shown):
        return Issue(file, _TAB, mark.line + 1, mark.column + 1, hint=_SPACES)
    for at in (context or mark, mark):
        line = lines[at.line][:_LONGEST_LINE] if at.line < len(lines) else ""
        column = _bare_template(line)
        if column:
            return Issue(file, _TEMPLATE, at.line + 1, column, hint=_QUOTE)
    if problem.startswith("did not find expected") and mark.line < len(lines):
        quoted = _after_quote(lines, mark.line, mark.column, file)
        if quoted:
            return quoted
    return Issue(file, message, began.line + 1, began.column + 1, hint=hint)


def of_key(event: Any, data: bytes, file: str) -> Issue:
    """What to say of a key that is an alias, a list or a mapping."""
    mark = event.start_mark
    line, column = mark.line + 1, mark.column + 1
    if type(event) is yaml.AliasEvent:
        return Issue(file, "a key that is an alias", line, column, hint="write the key as text")
    if data.decode().splitlines()[mark.line][mark.column - 1 :].startswith("{{"):
        return Issue(file, _TEMPLATE, line, column - 1, hint=_QUOTE)
    return Issue(file, "a key must be text", line, column)


def of_tag(tag: str) -> tuple[str, str]:
    """Message and hint for `!name`, `!!name`."""
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return f"the YAML tag {clip(shown)} is not allowed", "text that starts with '!' must be quoted"


def clip(text: str, longest: int = 60) -> str:
    """Text of a file as a message may show it: short, printable."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= longest else f"{text[:longest]}…"


def _words(problem: str) -> tuple[str, str | None]:
    for said, message, hint in _TOLD:
        if said in problem:
            return message, hint
    return f"not YAML: {problem}", None


def _tab(text: str, file: str) -> Issue | None:
    """A line that begins with a tab. (One after spaces may be content: libyaml knows.)"""
    found = re.search(r"^\t+[^\s#]", text, re.MULTILINE)
    return _at(file, text[: found.start()].encode(), _TAB, _SPACES) if found else None


def _after_quote(lines: list[str], line: int, column: int, file: str) -> Issue | None:
    """Where text follows a closing quote: that text, or the opening quote if lines lie between."""
    before = lines[line][: min(column, _LONGEST_LINE)].rstrip()
    mark = before[-1:]
    if mark not in ("'", '"'):
        return None
    if before.count(mark) % 2 == 0:
        hint = "quote all of it, with the other kind of quote than is inside"
        return Issue(file, "text after the closing quote", line + 1, column + 1, hint=hint)
    for above in range(line - 1, max(line - _NEAR, -1), -1):
        text = lines[above][:_LONGEST_LINE]
        if text.count(mark) % 2:
            message = f"a quote that is opened here is closed only in line {line + 1}"
            hint = "close it where its text ends"
            return Issue(file, message, above + 1, text.rindex(mark) + 1, hint=hint)
    return None


def _bare_template(line: str) -> int:
    """Column, from 1, of a `{{` outside quotes at which YAML would start a mapping; 0 if none."""
    found = re.search(r"""(?:^|[\s:,\[{-])(?=\{\{)""", re.sub(r"""(["']).*?\1""", _blank, line))
    return found.end() + 1 if found else 0


def _blank(found: re.Match[str]) -> str:
    return "x" * len(found.group())


def _at(file: str, before: bytes, message: str, hint: str | None = None) -> Issue:
    """An issue right after the text `before`."""
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return Issue(file, message, line, column, hint=hint)
