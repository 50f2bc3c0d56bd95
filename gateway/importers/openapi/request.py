"""The request of one tool while it is put together: arguments, and where each of them goes."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from gateway.capability.expressions.template import has_template
from gateway.importers.base import Inexpressible
from gateway.importers.names import argument_name, reading
from gateway.importers.openapi import placing
from gateway.importers.openapi.model import Operation, Parameter
from gateway.importers.openapi.placing import Dropped
from gateway.importers.openapi.schema import Converter
from gateway.importers.openapi.schema_parts import accepts, is_writable
from gateway.importers.wording import printable_line, words

_DEEP = re.compile(r"^\+|[+*]$")
_OF_ROUTERS = re.compile(r":.*|=.*", re.DOTALL)  # `{id:[0-9]+}`, `{name=projects/*}`


@dataclass(frozen=True, slots=True)
class Taken:
    """Headers, lower case, and query names that the file sets for every tool."""

    headers: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()


@dataclass(slots=True)
class Request:
    """`samples`: argument → an example of the document's."""

    converter: Converter
    taken: Taken
    args: dict[str, dict[str, Any]] = field(default_factory=dict)
    path: str = "/"
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    cookies: list[tuple[bool, str]] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.converter.notes[text] = None

    def argument(
        self, wire: str, schema: dict[str, Any], *, required: bool, place: str = ""
    ) -> str:
        """Adds one, under a name that is still free. Gives the expression that reads it."""
        name = argument_name(wire)
        if name in self.args and place:
            name = argument_name(f"{wire}_{place}")
        base, number = name[:60], 1
        while name in self.args:
            number += 1
            name = f"{base}_{number}"
        value = schema.get("default")
        if "default" in schema and not (is_writable(value) and accepts(schema, value)):
            schema = {key: value for key, value in schema.items() if key != "default"}
        self.args[name] = {**schema, "required": True} if required else schema
        return reading(name)

    def sample(self, read: str, examples: Collection[Any]) -> None:
        for value in examples:
            self.samples.setdefault(read.removeprefix("args.").strip("[']"), value)


def fill(request: Request, operation: Operation) -> None:
    """Path, query, headers and cookies. Raises Inexpressible and TooLarge."""
    path, _, query = operation.path.partition("#")[0].partition("?")
    rest = _fill_path(request, operation, path, query)
    for parameter in rest:
        if placing.is_ours(parameter):
            continue
        try:
            _place(request, parameter)
        except Dropped as error:
            if parameter.required:
                raise Inexpressible(str(error)) from None
            request.note(f"the optional {parameter.place} parameter is left out: {error}")
    _fill_cookies(request)


def _fill_path(request: Request, operation: Operation, path: str, query: str) -> list[Parameter]:
    """The parameters that are not in the path."""
    inside = {each.name: each for each in operation.parameters if each.place == "path"}
    values: dict[str, str] = {}
    for hole in placing.holes(path):
        if hole not in values:
            values[hole] = _hole(request, hole, inside)
    request.path = placing.filled(path, values)
    rest = [each for each in operation.parameters if each.place != "path"]
    for name, text in parse_qsl(query, keep_blank_values=True):
        known = placing.holes(text)
        if len(known) == 1 and text == f"{{{known[0]}}}":
            found = inside.get(known[0]) or _undeclared(known[0])
            rest.append(Parameter(name, "query", found.required, found.schema, "form", True))
        elif "{" in text or has_template(name):
            raise Inexpressible("the path has a query with braces in it")
        else:
            request.query[name] = text
    return rest


def _hole(request: Request, hole: str, inside: Mapping[str, Parameter]) -> str:
    name = _OF_ROUTERS.sub("", _DEEP.sub("", hole)).strip()
    parameter = inside.get(hole) or inside.get(name)
    if parameter is None:
        loose = [each for each in inside.values() if each.name.lower() == name.lower()]
        parameter = loose[0] if loose else _undeclared(name)
        if not loose:
            request.note("a parameter of the path is not declared: it is taken for a text")
    schema = _schema(request, parameter)
    schema.pop("default", None)
    try:
        read = request.argument(parameter.name, schema, required=True)
        request.sample(read, parameter.examples)
        deep = _DEEP.search(hole) is not None
        return placing.path_text(parameter, schema, read, deep=deep)
    except Dropped as error:
        raise Inexpressible(str(error)) from None


def _undeclared(name: str) -> Parameter:
    return Parameter(name or "value", "path", True, {"type": "string"}, "simple", False)


def _place(request: Request, parameter: Parameter) -> None:
    if _is_set_elsewhere(request, parameter):
        return
    schema = _schema(request, parameter)
    if parameter.required and _place_constant(request, parameter, schema):
        return
    probe = _template(parameter, schema, "args.x")  # says Dropped before an argument is made
    if parameter.place == "query" and not request.query.keys().isdisjoint(probe):
        raise Dropped("members of two objects have one name in the query")
    read = request.argument(
        parameter.name, schema, required=parameter.required, place=parameter.place
    )
    request.sample(read, parameter.examples)
    found = _template(parameter, schema, read)
    if parameter.place == "query":
        request.query.update(found)
    elif parameter.place == "header":
        request.headers.update(found)
    else:
        request.cookies += [(parameter.required, text) for text in found.values()]


def _is_set_elsewhere(request: Request, parameter: Parameter) -> bool:
    """By the file's `auth`, or by a parameter of the same name: the first one stays."""
    name = parameter.name
    if parameter.place == "query":
        return name in request.taken.query or name in request.query
    if parameter.place == "header":
        known = {each.lower() for each in request.headers}
        return name.lower() in request.taken.headers or name.lower() in known
    return "cookie" in request.taken.headers


def _template(parameter: Parameter, schema: dict[str, Any], read: str) -> dict[str, str]:
    if parameter.place == "query":
        return placing.query_pairs(parameter, schema, read)
    if parameter.place == "header":
        return {parameter.name: placing.header_text(parameter, schema, read)}
    return {parameter.name: placing.cookie_text(parameter, read)}


def _place_constant(request: Request, parameter: Parameter, schema: dict[str, Any]) -> bool:
    """What can only have one value is no argument."""
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if len(values) != 1 or parameter.place == "cookie" or parameter.as_json:
        return False
    value = values[0]
    if not isinstance(value, (str, int)) or not str(value).isprintable() or str(value) == "":
        return False
    if has_template(str(value)) or has_template(parameter.name) or parameter.name == "...":
        return False
    if parameter.place == "query":
        request.query[parameter.name] = value
        return True
    placing.header_text(parameter, schema, "args.x")
    request.headers[parameter.name] = value
    return True


def _schema(request: Request, parameter: Parameter) -> dict[str, Any]:
    converter = request.converter
    schema = converter.schema(parameter.schema)
    text = words(parameter.description, converter.detail.words) or schema.get("description", "")
    schema = {**schema, "description": text} if text else schema
    if not schema.keys() & {"type", "anyOf", "oneOf", "enum", "const"}:
        schema = {"type": "string", **schema}
    seen = converter.document.mapping(parameter.schema)
    request_default = seen.get("default")
    if request_default is not None and not parameter.required:
        schema["default"] = request_default
    return schema


def _fill_cookies(request: Request) -> None:
    """One header for all of them: it is not sent unless each of them is there."""
    wanted = [text for required, text in request.cookies if required]
    optional = [text for required, text in request.cookies if not required]
    if not wanted and optional:
        wanted = optional[:1]
        optional = optional[1:]
    if optional:
        request.note("an optional cookie is left out: several of them cannot be left out singly")
        unused = {printable_line(text) for text in optional}
        for name in [name for name in request.args if any(_reads(name, text) for text in unused)]:
            del request.args[name]
    if wanted and "cookie" not in {name.lower() for name in request.headers}:
        request.headers["Cookie"] = "; ".join(wanted)


def _reads(name: str, text: str) -> bool:
    return f" {reading(name)} |" in text
