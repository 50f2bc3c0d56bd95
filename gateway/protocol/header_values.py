"""Values that travel in MCP's headers: the base64 sentinel, and tool arguments mirrored by
`x-mcp-header`.

Source: 2026-07-28, streamable-http "Value Encoding" and "Custom Headers from Tool Parameters".
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.protocol.mcp import PARAM_HEADER

Headers = Mapping[str, str]  # names in lower case; repeated ones joined by ", ": no copy equals

PREFIX, SUFFIX = "=?base64?", "?="

ANNOTATION = "x-mcp-header"
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 field-name
DECIMAL = re.compile(r"(-?[0-9]{1,400})(?:\.0+)?")
SCALARS = ("string", "integer", "boolean")
SUBSCHEMAS = frozenset(
    {
        *("items", "contains", "prefixItems", "unevaluatedItems", "allOf", "anyOf", "oneOf", "not"),
        *("if", "then", "else", "contentSchema", "propertyNames", "additionalProperties"),
        *("unevaluatedProperties", "patternProperties", "dependentSchemas", "$defs", "definitions"),
    }
)  # where a schema may stand, apart from `properties`


def decode_value(value: str | None) -> str | None:
    """A header's value as its sender meant it; None when absent, malformed or not printable
    ASCII.
    """
    if value is None or not _printable(value):
        return None
    if not (value.startswith(PREFIX) and value.endswith(SUFFIX)):
        return value
    payload = value[len(PREFIX) : -len(SUFFIX)]
    try:
        raw = base64.b64decode(payload, validate=True)
        canonical = base64.b64encode(raw).decode() == payload  # else two texts would mean one value
        return raw.decode() if canonical else None
    except (binascii.Error, ValueError):
        return None


def encode_value(value: str) -> str:
    """`value` as a header may carry it: plain where it survives the journey, else under the
    sentinel.
    """
    sentinel = value.startswith(PREFIX) and value.endswith(SUFFIX)
    if _printable(value) and value == value.strip() and not sentinel:
        return value
    return f"{PREFIX}{base64.b64encode(value.encode()).decode()}{SUFFIX}"


def _printable(value: str) -> bool:
    return value.isascii() and value.replace("\t", " ").isprintable()


class Mirror(NamedTuple):
    """One argument that a header repeats: `path` leads to it through `properties`; `header` is in
    lower case.
    """

    path: tuple[str, ...]
    header: str
    kind: str


def mirrors(schema: Any) -> tuple[Mirror, ...]:
    """What `x-mcp-header` annotations ask for; raises ValueError, saying why, when one of them is
    invalid.
    """
    found: dict[str, Mirror] = {}
    for path, position in _positions(schema):
        if ANNOTATION in position:
            mirror = _mirror(path, position)
            if mirror.header in found:
                raise ValueError(f"{ANNOTATION} {position[ANNOTATION]!r} is used twice")
            found[mirror.header] = mirror
    return tuple(found.values())


def valid_mirrors(schema: Any) -> tuple[Mirror, ...]:
    """As `mirrors`; nothing for an invalid annotation: such a tool is left out, so none mirrors
    it.
    """
    try:
        return mirrors(schema)
    except ValueError:
        return ()


def _mirror(path: tuple[str, ...] | None, position: Mapping[str, Any]) -> Mirror:
    name, kind = position[ANNOTATION], position.get("type")
    if not path:
        raise ValueError(f"{ANNOTATION} stands where no chain of properties leads")
    if not isinstance(name, str) or not TOKEN.fullmatch(name):
        raise ValueError(f"{ANNOTATION} of {'.'.join(path)} is no header name")
    if kind not in SCALARS:
        raise ValueError(f"{ANNOTATION} of {'.'.join(path)} needs type string, integer or boolean")
    return Mirror(path, PARAM_HEADER + name.lower(), str(kind))


def _positions(schema: Any) -> Iterator[tuple[tuple[str, ...] | None, Mapping[str, Any]]]:
    """Every place of `schema` where a schema stands; its path, or None where more than `properties`
    lead there.
    """
    waiting: list[tuple[tuple[str, ...] | None, Any]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, list):
            waiting += [(None, item) for item in node]
        if not isinstance(node, Mapping):
            continue
        yield path, node
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            waiting += [
                (None if path is None else (*path, name), sub) for name, sub in properties.items()
            ]
        for keyword in SUBSCHEMAS & node.keys():
            waiting += _inside(keyword, node[keyword])


def _inside(keyword: str, value: Any) -> list[tuple[None, Any]]:
    if keyword in ("patternProperties", "dependentSchemas", "$defs", "definitions"):
        return [(None, sub) for sub in value.values()] if isinstance(value, Mapping) else []
    return [(None, value)]


def mirror_mismatch(
    asked: tuple[Mirror, ...], arguments: Mapping[str, Any], headers: Headers
) -> str | None:
    """Which mirrored header disagrees with the arguments; None when all agree."""
    for mirror in asked:
        given, value = headers.get(mirror.header), _at(arguments, mirror.path)
        if value is None or not isinstance(value, str | int | float):
            agrees = given is None
        else:
            agrees = _same(decode_value(given), value, mirror.kind)
        if not agrees:
            return f"{mirror.header} and the argument {'.'.join(mirror.path)!r} must agree"
    return None


def mirrored(asked: tuple[Mirror, ...], arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The headers that repeat `arguments`; none for what is absent, null or no scalar."""
    for mirror in asked:
        value = _at(arguments, mirror.path)
        if isinstance(value, bool):
            yield mirror.header, "true" if value else "false"
        elif isinstance(value, float) and value.is_integer() and mirror.kind == "integer":
            yield mirror.header, str(int(value))
        elif isinstance(value, str | int | float):
            yield mirror.header, encode_value(str(value))


def _at(arguments: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(arguments, Mapping):
            return None
        arguments = arguments.get(name)
    return arguments


def _same(given: str | None, value: str | float, kind: str) -> bool:
    """Integers are compared as numbers (`42.0` is 42), everything else as text."""
    if given is None:
        return False
    if isinstance(value, bool):
        return given == ("true" if value else "false")
    number = DECIMAL.fullmatch(given) if kind == "integer" and not isinstance(value, str) else None
    return int(number[1]) == value if number else given == str(value)
