"""The text of a JSONPath (RFC 9535) -> a tree of tuples; what is not in the RFC is refused.

Also refused, though standard: `match()` and `search()` (a pattern has no bound in time), a second
`..`, `..` inside a filter, and many-valued `$` queries inside a filter: each makes the cost grow
faster than the document.
"""

import re
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from gateway.errors import ConfigError

LONGEST: Final = 1_000  # characters of a path; also bounds how deep filters nest
NAME = re.compile(r"[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*")
INDEX = re.compile(r"0|-?[1-9][0-9]{0,15}")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
TEXT = re.compile(r"'(?:[^'\\]|\\.)*'" r'|"(?:[^"\\]|\\.)*"')
QUOTES = re.compile(r"\\.|\"")
WORD = re.compile(r"[a-z][a-z0-9_]*")
OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
SPACE = re.compile(r"[ \t\n\r]*")
CONSTANTS: Final = {"true": True, "false": False, "null": None}
FUNCTIONS: Final = ("length", "count", "value")


class Wildcard(NamedTuple):
    """`[*]` or `.*`: every element of a list, every value of an object."""


class Segment(NamedTuple):
    """One step. `descends`: the selectors apply to the value and to everything below it."""

    selectors: "tuple[Selector, ...]"
    descends: bool = False

    @property
    def singular(self) -> bool:
        one = len(self.selectors) == 1 and not self.descends
        return one and isinstance(self.selectors[0], str | int)


class Query(NamedTuple):
    """`root` is `$` (the document) or `@` (the element a filter looks at)."""

    root: str
    segments: tuple[Segment, ...]

    @property
    def singular(self) -> bool:
        return all(segment.singular for segment in self.segments)


class Literal(NamedTuple):
    value: Any


class Function(NamedTuple):
    """`length`, `count` or `value` of a query."""

    name: str
    query: Query


class Compare(NamedTuple):
    left: "Operand"
    operator: str
    right: "Operand"


class Exists(NamedTuple):
    query: Query


class Not(NamedTuple):
    inner: "Logic"


class And(NamedTuple):
    parts: "tuple[Logic, ...]"


class Or(NamedTuple):
    parts: "tuple[Logic, ...]"


Operand = Literal | Function | Query
Logic = Compare | Exists | Not | And | Or
Selector = str | int | slice | Wildcard | Compare | Exists | Not | And | Or


def parse(source: str) -> Query:
    """Raises ConfigError that names the character where the reading stopped."""
    reader = Reader(source)
    if len(source) > LONGEST:
        reader.fail(f"it is longer than {LONGEST} characters")
    if not reader.take("$"):
        reader.fail("it must start with '$'", hint=_rooted(source))
    segments = reader.segments()
    if reader.at < len(source):
        reader.unexpected()
    return Query("$", segments)


def _rooted(source: str) -> str | None:
    """What it would be from the root, if that is a path."""
    path = f"$.{source.removeprefix('.')}"
    try:
        parse(path)
    except ConfigError:
        return None
    return f"{path!r}?"


class Reader:
    """One pass, left to right; `at` is the next character."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.inside = 0  # how many filters are open
        self.descended = False

    # words

    def take(self, text: str) -> bool:
        if not self.source.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.source, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def space(self) -> None:
        self.match(SPACE)

    def expect(self, text: str) -> None:
        self.space()
        if not self.take(text):
            self.unexpected(f"expected {text!r}")

    def fail(self, why: str, hint: str | None = None) -> NoReturn:
        raise ConfigError(f"not a JSONPath: {self.source[:200]!r}: {why}", hint=hint)

    def unexpected(self, wanted: str = "nothing more is understood") -> NoReturn:
        rest = self.source[self.at :]
        if not rest:
            self.fail(f"{wanted}, but it ends")
        self.fail(f"{wanted} at character {self.at + 1} ({rest[:12]!r})", hint=_advice(rest))

    # paths

    def segments(self) -> tuple[Segment, ...]:
        found: list[Segment] = []
        while True:
            start = self.at
            self.space()
            if self.take(".."):
                self.descend()
                below = self.bracketed() if self.peek() == "[" else self.dotted()
                found.append(below._replace(descends=True))
            elif self.take("."):
                found.append(self.dotted())
            elif self.peek() == "[":
                found.append(self.bracketed())
            else:
                self.at = start
                return tuple(found)

    def descend(self) -> None:
        if self.inside:
            self.fail("'..' inside a filter is not supported", hint="name the path")
        if self.descended:
            self.fail("only one '..' is supported", hint="name the path between the two")
        self.descended = True

    def dotted(self) -> Segment:
        if self.take("*"):
            return Segment((Wildcard(),))
        name = self.match(NAME)
        if name is None:
            self.unexpected("expected a name")
        if self.peek() == "-":
            self.unexpected("a name with '-' needs quotes")
        return Segment((name,))

    def bracketed(self) -> Segment:
        self.expect("[")
        selectors = [self.selector()]
        self.space()
        while self.take(","):
            selectors.append(self.selector())
            self.space()
        self.expect("]")
        return Segment(tuple(selectors))

    def selector(self) -> Selector:
        self.space()
        if self.take("*"):
            return Wildcard()
        if self.take("?"):
            return self.filter()
        text = self.match(TEXT)
        if text is not None:
            return self.string(text)
        return self.index_or_slice()

    def index_or_slice(self) -> int | slice:
        start = self.match(INDEX)
        self.space()
        if not self.take(":"):
            if start is None:
                self.unexpected("expected a name in quotes, a number, '*' or a filter")
            return int(start)
        self.space()
        stop = self.match(INDEX)
        self.space()
        step = None
        if self.take(":"):
            self.space()
            step = self.match(INDEX)
        return slice(*(None if part is None else int(part) for part in (start, stop, step)))

    def string(self, quoted: str) -> str:
        inner = quoted[1:-1]
        if quoted[0] == "'":
            inner = QUOTES.sub(lambda part: {"\\'": "'", '"': '\\"'}.get(part[0], part[0]), inner)
        try:
            return msgspec.json.decode(f'"{inner}"'.encode(), type=str)
        except (msgspec.DecodeError, UnicodeEncodeError):
            self.fail(f"{quoted[:40]!r} has an escape JSON does not know")

    # filters

    def filter(self) -> Logic:
        self.inside += 1
        found = self.either()
        self.inside -= 1
        return found

    def either(self) -> Logic:
        parts = [self.both()]
        self.space()
        while self.take("||"):
            parts.append(self.both())
            self.space()
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Logic:
        parts = [self.basic()]
        self.space()
        while self.take("&&"):
            parts.append(self.basic())
            self.space()
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def basic(self) -> Logic:
        self.space()
        if self.take("!"):
            return Not(self.negated())
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        left = self.operand()
        self.space()
        operator = self.match(OPERATOR)
        if operator is not None:
            self.space()
            return Compare(self.comparable(left), operator, self.comparable(self.operand()))
        if not isinstance(left, Query):
            self.unexpected("expected a comparison")
        return Exists(left)

    def negated(self) -> Logic:
        self.space()
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        found = self.operand()
        if not isinstance(found, Query):
            self.unexpected("'!' needs a path or parentheses")
        return Exists(found)

    def operand(self) -> Operand:
        for root in "@$":
            if self.take(root):
                return self.query(root)
        text = self.match(TEXT)
        if text is not None:
            return Literal(self.string(text))
        number = self.match(NUMBER)
        if number is not None:
            return self.number(number)
        word = self.match(WORD)
        if word is None:
            self.unexpected("expected '@', '$', a number, a text in quotes, true, false or null")
        return Literal(CONSTANTS[word]) if word in CONSTANTS else self.function(word)

    def number(self, text: str) -> Literal:
        try:
            return Literal(msgspec.json.decode(text.encode()))
        except msgspec.DecodeError:
            self.fail(f"the number {text[:40]} is out of range")

    def query(self, root: str) -> Query:
        found = Query(root, self.segments())
        if root == "$" and not found.singular:
            self.fail("a '$' path inside a filter must name one value")
        return found

    def function(self, name: str) -> Function:
        if name not in FUNCTIONS:
            self.fail(
                f"{name!r} is not supported in a filter", hint="length(), count() and value() are"
            )
        self.expect("(")
        self.space()
        query = self.operand()
        if not isinstance(query, Query):
            self.fail(f"{name}() takes a path that starts with '@'")
        self.expect(")")
        if name == "length" and not query.singular:
            self.fail("length() takes a path that names one value", hint="count() counts many")
        return Function(name, query)

    def comparable(self, operand: Operand) -> Operand:
        if isinstance(operand, Query) and not operand.singular:
            self.fail("a comparison takes a path that names one value", hint="value() or count()")
        return operand


ADVICE: Final = (
    ("`", "`len` and its like are extras of one library, not JSONPath"),
    ("=~", "a pattern has no bound in time; compare with =="),
    ("=", "write =="),
    ("&", "write &&"),
    ("|", "write ||"),
    ("(", "[-1] is the last element; a filter is [?…]"),
    ("-", "write ['a-b'] for a name with '-'"),
    (".", "'..' is followed by a name, '*' or '['"),
)


def _advice(rest: str) -> str | None:
    return next((text for start, text in ADVICE if rest.startswith(start)), None)
