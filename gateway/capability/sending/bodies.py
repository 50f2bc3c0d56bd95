"""The body of a request: one small class a body key, and which one a tool has."""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import Template, has_template
from gateway.capability.expressions.values import Absent, RenderError, refused, to_json, to_text
from gateway.capability.file.model import BODIES, GraphQL, RequestSpec
from gateway.capability.sending.multipart import MultipartBody
from gateway.capability.sending.pairs import Pair, compile_pairs, encoded
from gateway.capability.sending.tree import Build, compile_tree
from gateway.capability.sending.xml_body import XmlBody


class JsonBody:
    content_type = "application/json"

    def __init__(self, value: Any, place: Place) -> None:
        self._build: Build = compile_tree(value, place)
        self._empty: Any = [] if isinstance(value, list) else {}  # the root is never omitted (§3.3)

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        try:
            value = self._build(scope)
            return to_json(self._empty if isinstance(value, Absent) else value)
        except RenderError as error:
            raise refused("json", error) from None


class GraphQLBody:
    """The query is a literal; only `variables` have templates."""

    content_type = "application/json"

    def __init__(self, value: GraphQL, place: Place) -> None:
        self._query = value.query
        self._variables = compile_tree(value.variables, place.at("variables"))
        if has_template(value.query):
            place.at("query").fault(
                "a GraphQL query has no templates", "declare a $variable and fill 'variables:'"
            )

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        try:
            variables = self._variables(scope)
            found = {} if isinstance(variables, Absent) else variables
            return to_json({"query": self._query, "variables": found})
        except RenderError as error:
            raise refused("graphql variables", error) from None


class FormBody:
    content_type = "application/x-www-form-urlencoded"

    def __init__(self, value: dict[str, Any] | str, place: Place) -> None:
        self.pairs: list[Pair] = compile_pairs(value, place, Position.FORM)

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        return encoded(self.pairs, scope).encode()


class TextBody:
    """The text goes out as it is: nothing can be escaped in a language we do not know."""

    content_type = "text/plain; charset=utf-8"

    def __init__(self, value: str, place: Place) -> None:
        self.template = place.template(value, Position.TEXT)

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        try:
            text = self.template.text(scope)
            return b"" if isinstance(text, Absent) else _utf8(text)
        except RenderError as error:
            raise refused("text", error) from None


class BytesBody:
    content_type = "application/octet-stream"

    def __init__(self, value: str, place: Place) -> None:
        self.template = place.template(value, Position.TEXT)

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        try:
            value = self.template.value(scope)
            if nothing(value):
                return b""
            return value if isinstance(value, bytes) else _utf8(to_text(value))
        except RenderError as error:
            raise refused("bytes", error) from None


Body = JsonBody | GraphQLBody | FormBody | MultipartBody | XmlBody | TextBody | BytesBody


def compile_body(
    spec: RequestSpec, args: Mapping[str, Mapping[str, Any]], place: Place
) -> Body | None:
    """Faults are reported to `place`. A literal null is a JSON body too."""
    given = [key for key in BODIES if getattr(spec, key) is not (UNSET if key == "json" else None)]
    if not given:
        return None
    key = given[0]
    body = _make(key, spec, place.at(key))
    if isinstance(body, (TextBody, BytesBody)):
        _warn_of_free_text(body.template, args, place.at(key))
    return body


def _make(key: str, spec: RequestSpec, place: Place) -> Body:
    match key:
        case "json":
            return JsonBody(spec.json, place)
        case "graphql":
            return GraphQLBody(spec.graphql or GraphQL(""), place)
        case "form":
            return FormBody(spec.form or {}, place)
        case "multipart":
            return MultipartBody(spec.multipart or {}, place)
        case "xml":
            return XmlBody(spec.xml or "", place)
        case "text":
            return TextBody(spec.text or "", place)
        case _:
            return BytesBody(spec.bytes or "", place)


def _warn_of_free_text(
    template: Template, args: Mapping[str, Mapping[str, Any]], place: Place
) -> None:
    """An argument of any text inside a text of some language is how injection begins (§4)."""
    if template.single is not None:
        return  # the argument is the whole body: there is nothing to break out of
    for read in sorted(template.reads):
        said = f"{'.'.join(read)} stands in this text without escaping"
        if read[0] == "steps":  # an answer has no schema to go by
            place.warn(said, "use 'json:', 'form:' or 'xml:'")
        elif read[0] == "args" and not _is_tame(args.get(read[-1], {}) if len(read) > 1 else {}):
            hint = "give the argument an 'enum' or a 'pattern', or use 'json:', 'form:' or 'xml:'"
            place.warn(said, hint)


def _is_tame(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in _TAME_TYPES or any(key in schema for key in _TAMING)


_TAME_TYPES = ("integer", "number", "boolean")
_TAMING = ("enum", "const", "pattern")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode") from None
