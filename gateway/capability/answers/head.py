"""`{header: NAME}` and `{status: true}` in a map: what the head of an answer says.

A header's value is the text as it was sent, unless the author asks for a number. What proves to the
API who we are, or asks for that, is no data: such headers are refused at load.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.capability.answers import decode
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import MISSING
from gateway.capability.file.model import HEADER_NAME

KEYS: Final = frozenset({"header", "as", "default"})
NUMBERS: Final[Mapping[str, tuple[type, ...]]] = {"integer": (int,), "number": (int, float)}
CREDENTIALS: Final = frozenset(
    {
        "authentication-info",
        "authorization",
        "cookie",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "set-cookie",
        "set-cookie2",
        "www-authenticate",
    }
)


class Head(Protocol):
    """An answer without its body; `headers` have lower-case names."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


OfHead = Callable[[Head], Any]  # head -> the value, or MISSING


@dataclass(frozen=True, slots=True)
class Header:
    """`kinds` are the types of a number that is asked for."""

    name: str  # in lower case
    kinds: tuple[type, ...]
    default: Any

    def __call__(self, head: Head) -> Any:
        """What is no such number stays the text it is."""
        text = head.headers.get(self.name)
        if text is None:
            return self.default
        return _number(text, self.kinds) if self.kinds else text


def status(head: Head) -> int:
    return head.status


def is_of_head(spec: Mapping[str, Any]) -> bool:
    """Whether a part of a map is of this kind: `{header: $.x}` is a map with a path."""
    if spec == {"status": True}:
        return spec["status"] is True
    name = spec.get("header")
    return isinstance(name, str) and not name.startswith("$") and spec.keys() <= KEYS


def compile_of_head(spec: Mapping[str, Any], place: Place, hidden: Collection[str]) -> OfHead:
    """Faults are reported to `place`. `hidden` are headers of the credential, in lower case."""
    if "status" in spec:
        return status
    name = spec["header"].lower()
    if not re.fullmatch(HEADER_NAME[1:-1], name):
        place.at("header").fault(f"{spec['header']!r} is no name of a header", "such as Location")
    elif name in CREDENTIALS or name in hidden:
        message = f"{spec['header']!r} is about a credential, which no result may hold"
        place.at("header").fault(message, "remove it")
    if "as" in spec and spec["as"] not in tuple(NUMBERS):
        place.at("as").fault(f"a header is text, or {' or '.join(NUMBERS)}", "as: integer")
    return Header(name, NUMBERS.get(str(spec.get("as")), ()), spec.get("default", MISSING))


def headers_read(tool: Mapping[str, Any]) -> frozenset[str]:
    """The headers that the maps of a tool and its steps read, in lower case; `tool` as YAML has
    it.
    """
    given = [tool.get("response"), *(step.get("response") for step in tool.get("steps", ()))]
    maps = [one.get("map") for one in given if isinstance(one, dict)]
    return frozenset(name for one in maps if isinstance(one, dict) for name in _names(one))


def _names(spec: Mapping[str, Any]) -> Iterator[str]:
    for part in spec.values():
        if isinstance(part, dict) and is_of_head(part):
            if "header" in part:
                yield part["header"].lower()
        elif isinstance(part, dict):
            yield from _names(part)


def _number(text: str, kinds: tuple[type, ...]) -> Any:
    try:
        value = decode.loads(text.strip().encode())
    except ValueError:
        return text
    return value if type(value) in kinds else text
