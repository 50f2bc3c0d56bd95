"""Where a value goes, and in which style: the template that stands at its place.

The rule: names and fixed texts come from a stranger, so each is looked at before it stands where a
template could.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.capability.expressions.escape import CONNECTION_HEADERS, header_name_problem
from gateway.capability.expressions.template import has_template
from gateway.importers.base import Inexpressible
from gateway.importers.openapi.model import Parameter

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_OURS = frozenset({"accept", "content-type"})  # as the specification says: not for parameters
_HOLE = re.compile(r"\{([^{}]*)\}")
_SLASHES = re.compile("/{2,}")  # nobody means an empty segment
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Dropped(Exception):
    """A parameter that cannot be sent; the text says why. An optional one is left out."""


def is_list(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("array", ["array", "null"])


def is_object(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("object", ["object", "null"]) or "properties" in schema


def expression(inner: str) -> str:
    return f"{{{{ {inner} }}}}"


def holds_lists(schema: Mapping[str, Any]) -> bool:
    """Whether it is a list, or has one in it."""
    if is_list(schema) or "prefixItems" in schema:
        return True
    inner = [*schema.get("properties", {}).values(), schema.get("additionalProperties")]
    inner += [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return any(holds_lists(each) for each in inner if isinstance(each, Mapping))


def query_pairs(parameter: Parameter, schema: Mapping[str, Any], read: str) -> dict[str, str]:
    """The pairs that carry one parameter. `read` is the expression that reads its argument."""
    name = fixed_name(parameter.name)
    if parameter.as_json:
        return {name: expression(f"{read} | tojson")}
    if parameter.style == "deepObject" and holds_lists(schema):
        return {name: expression(f"{read} | indexed")}
    if is_list(schema):
        return _list_pairs(parameter, name, read)
    if not is_object(schema) or parameter.style == "deepObject":
        return {name: expression(read)}
    properties = schema.get("properties")
    if parameter.style != "form" or not parameter.explode or not properties:
        raise Dropped("an object in this style has no place in a query")
    return {fixed_name(key): expression(member(read, key)) for key in properties}


def _list_pairs(parameter: Parameter, name: str, read: str) -> dict[str, str]:
    separator = SEPARATORS.get(parameter.style, ",")
    if parameter.explode:
        return {name: expression(read)}
    return {name: expression(f"{read} | join('{separator}')")}


def header_text(parameter: Parameter, schema: Mapping[str, Any], read: str) -> str:
    if header_name_problem(parameter.name):
        raise Dropped(f"the header {parameter.name[:60]!r} cannot be set by a tool")
    return _simple(parameter, schema, read)


def is_ours(parameter: Parameter) -> bool:
    """A header that the gateway sets, and no parameter."""
    known = parameter.name.lower() in _OURS | CONNECTION_HEADERS
    return parameter.place == "header" and known


def cookie_text(parameter: Parameter, read: str) -> str:
    name = fixed_name(parameter.name)
    if re.search(r"[\s;,=\"]", name):
        raise Dropped(f"{name[:60]!r} is no cookie's name")
    return f"{name}={expression(f'{read} | urlencode')}"


def path_text(parameter: Parameter, schema: Mapping[str, Any], read: str, *, deep: bool) -> str:
    """`deep`: its slashes are slashes of the path."""
    if is_object(schema) and not parameter.as_json:
        raise Inexpressible(f"the object {parameter.name[:60]!r} stands in the path")
    name = fixed_name(parameter.name)
    if deep and not is_list(schema):
        return expression(f"{read} | segments")
    if parameter.style == "label":
        separator = "." if parameter.explode else ","
        inner = f"{read} | join('{separator}')" if is_list(schema) else read
        return f".{expression(inner)}"
    text = _simple(parameter, schema, read)
    return f";{name}={text}" if parameter.style == "matrix" else text


def _simple(parameter: Parameter, schema: Mapping[str, Any], read: str) -> str:
    if parameter.as_json or is_object(schema):
        return expression(f"{read} | tojson")
    return expression(f"{read} | join(',')" if is_list(schema) else read)


def fixed_name(name: str) -> str:
    """A name that stands in the file as it is."""
    if has_template(name) or not name.isprintable() or name == "...":
        raise Dropped(f"{name[:60]!r} cannot stand in a file as a name")
    return name


def member(read: str, key: str) -> str:
    if not re.fullmatch(r"[^'\\\x00-\x1f]{1,200}", key):
        raise Dropped(f"{key[:60]!r} cannot stand in a file as a name")
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key)
    return f"{read}.{key}" if plain else f"{read}['{key}']"


def holes(path: str) -> list[str]:
    """The names in the braces of a path."""
    return [found[1] for found in _HOLE.finditer(path)]


def filled(path: str, values: Mapping[str, str]) -> str:
    """The path with each hole's template. Raises Inexpressible for what cannot stand there."""
    parts = _HOLE.split(path)
    texts = [
        values[part] if index % 2 else _LONE_PERCENT.sub("%25", part)
        for index, part in enumerate(parts)
    ]
    literal = "".join(parts[::2])
    if "{" in literal or "}" in literal:
        raise Inexpressible("the path has braces that name no parameter")
    if not literal.isprintable():
        raise Inexpressible("the path has characters that no URL holds")
    found = _SLASHES.sub("/", "".join(texts))
    return found if found.startswith("/") else f"/{found}"
