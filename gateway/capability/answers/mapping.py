"""`select`, `limit` and `map`: from the decoded answer to the value that is the result (§6).

A path that leads to one value gives it, any other gives a list. `map` works on each element of a
list; one that reads a header or the status is of the answer, and works once. What is missing is
left out; null is a value and stays.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.capability.answers.head import Head, OfHead, compile_of_head, is_of_head
from gateway.capability.expressions.filters import b64decode
from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.path import Path, compile_path
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import Template, has_template
from gateway.capability.expressions.values import MISSING, RenderError
from gateway.capability.file.model import Response
from gateway.errors import ConfigError, UpstreamFailed

Value = Callable[[Any], Any]  # element -> its value, or MISSING

PATH_KEYS = frozenset({"path", "default", "decode"})
MAP_HINT = (
    "it is a JSONPath, {path, default, decode}, {path, map}, {header, as, default}, {status: true},"
    " {const} or such a map again"
)
OF_A_LIST = "'select' gives a list here, and a header or the status is of the answer as a whole"
WHOLE_HINT = "leave 'select' out: map: {names: $.items[*].name, total: {header: X-Total-Count}}"


@dataclass(frozen=True, slots=True)
class Late:
    """A map that waits for the answer's status and headers: `of(head)` completes it."""

    of: Callable[[Head], Value]


@dataclass(frozen=True, slots=True)
class Selection:
    """`apply(body, scope, head)` gives the result; raises UpstreamFailed when nothing is there that
    must. It changes neither the body nor itself: parts of both may be in the result.

    `bodiless`: it reads nothing of the body, so that may be anything.
    """

    path: Path | None = None
    limit: Template | int | None = None
    map: Value | Late | None = None
    required: Template | None = None
    bodiless: bool = False

    @property
    def whole(self) -> bool:
        """The body is the result, whatever it is."""
        return self.path is None and self.limit is None and self.map is None

    @property
    def empty(self) -> Any:
        """What nothing looks like: no elements where a list was to be, else an empty object."""
        return [] if self.path is not None and not self.path.singular else {}

    def apply(self, body: Any, scope: Scope, head: Head | None = None) -> Any:
        """`head` is of the one answer that `body` came with; None where there are several."""
        found = body
        if self.path is not None:
            found = self.path.value(body)
            if found is MISSING or found is None or (found == [] and not self.path.singular):
                self._refuse(scope)
                found = None if self.path.singular else []
        if self.limit is not None and isinstance(found, list):
            found = found[: self.most(scope)]
        if isinstance(self.map, Late):
            return found if head is None else self.map.of(head)(found)
        return found if self.map is None else _mapped(self.map, found)

    def _refuse(self, scope: Scope) -> None:
        if self.required is not None:
            raise UpstreamFailed(str(self.required.text(scope) or "the answer holds no result"))

    def most(self, scope: Scope) -> int | None:
        """How many elements `limit` lets through; None when any number."""
        if not isinstance(self.limit, Template):
            return self.limit
        most = self.limit.value(scope)
        return most if type(most) is int and most >= 0 else None


def _mapped(value_of: Value, found: Any) -> Any:
    if type(found) is list:
        return [value for each in found if (value := value_of(each)) is not MISSING]
    value = MISSING if found is None else value_of(found)
    return None if value is MISSING else value


def compile_selection(spec: Response, place: Place, hidden: Collection[str] = ()) -> Selection:
    """Faults are reported to `place`, which stands at `response`.

    `hidden` are headers of the credential, in lower case.
    """
    path = path_at(spec.select, place.at("select")) if spec.select is not None else None
    required = None
    if spec.required:
        said = spec.required if isinstance(spec.required, str) else ""
        required = place.at("required").template(said, Position.MESSAGE)
        if spec.select is None:
            place.at("required").fault("'required' needs 'select'", "say what must be there")
    limit = _compile_limit(spec, place.at("limit"))
    mapped = None if spec.map is None else _Maps(hidden).top(spec.map, place.at("map"))
    late = isinstance(mapped, Late)
    if late and path is not None and not path.singular:
        place.at("map").fault(OF_A_LIST, WHOLE_HINT)
    bodiless = late and spec.select is None and _bodiless(spec.map)
    return Selection(path, limit, mapped, required, bodiless)


def _compile_limit(spec: Response, place: Place) -> Template | int | None:
    if not isinstance(spec.limit, str):
        return spec.limit
    limit = place.template(spec.limit, Position.MESSAGE)
    if limit.single is None and limit.source == spec.limit:  # a faulty one was told
        place.fault("'limit' is a number or one expression", '"{{ args.rows }}"')
    return limit


def path_at(source: str, place: Place) -> Path | None:
    """A JSONPath of the file; None when it is faulty, which is reported."""
    if has_template(source):
        place.fault("a JSONPath cannot hold a template", "select more, and leave the rest to 'map'")
        return None
    try:
        found = compile_path(source)
    except ConfigError as error:
        place.fault(str(error), error.hint)
        return None
    for warning in found.warnings:
        place.warn(warning)
    return found


class _Maps:
    """Compiles the maps of one response. `hidden`: see `compile_selection`."""

    def __init__(self, hidden: Collection[str]) -> None:
        self._hidden = hidden

    def top(self, spec: dict[str, Any] | str, place: Place) -> Value | Late:
        if isinstance(spec, str):
            return _compile_path(spec, place)
        if is_of_head(spec):
            place.fault("this needs a name in the result", "such as map: {id: {header: Location}}")
            return _nothing
        return self._map(spec, place)

    def _map(self, spec: dict[str, Any], place: Place) -> Value | Late:
        parts = tuple((name, self._part(part, place.at(name))) for name, part in spec.items())
        ready = tuple((name, part) for name, part in parts if not isinstance(part, Late))
        if len(ready) < len(parts):
            return Late(partial(_completed, parts))
        return partial(_object, ready)

    def _part(self, spec: Any, place: Place) -> Value | Late:
        if isinstance(spec, str):
            return _compile_path(spec, place)
        if not isinstance(spec, dict) or not spec:
            place.fault("this cannot be mapped", MAP_HINT)
            return _nothing
        if spec.keys() == {"const"}:
            return partial(_constant, spec["const"])
        if is_of_head(spec):
            return Late(partial(_of_head, compile_of_head(spec, place, self._hidden)))
        if isinstance(spec.get("path"), str) and spec.keys() == {"path", "map"}:
            return self._within(spec, place)
        if isinstance(spec.get("path"), str) and spec.keys() <= PATH_KEYS:
            inner = _compile_decoded(spec, place)
            return partial(_or_default, inner, spec["default"]) if "default" in spec else inner
        found = self._map(spec, place)
        if isinstance(found, Late):
            return Late(lambda head: partial(_unless_empty, found.of(head)))
        return partial(_unless_empty, found)

    def _within(self, spec: dict[str, Any], place: Place) -> Value:
        """`{path, map}`: the map of what a path gives, of each element where that is a list."""
        inner = _compile_path(spec["path"], place.at("path"))
        mapped = self.top(spec["map"], place.at("map")) if _is_map(spec["map"]) else None
        if mapped is None or isinstance(mapped, Late):
            hint = "what an answer says beside its body stands in the map around it"
            place.at("map").fault("this cannot be mapped", MAP_HINT if mapped is None else hint)
            return _nothing
        return partial(_mapped_within, inner, mapped)


def _is_map(spec: Any) -> bool:
    return isinstance(spec, (dict, str)) and bool(spec)


def _mapped_within(value_of: Value, mapped: Value, element: Any) -> Any:
    found = value_of(element)
    return MISSING if found is MISSING else _mapped(mapped, found)


def _completed(parts: tuple[tuple[str, Value | Late], ...], head: Head) -> Value:
    """The map of one answer."""
    ready = ((name, part.of(head) if isinstance(part, Late) else part) for name, part in parts)
    return partial(_object, tuple(ready))


def _of_head(read: OfHead, head: Head) -> Value:
    return partial(_constant, read(head))


def _bodiless(spec: Any) -> bool:
    """Whether a map holds no path."""
    if not isinstance(spec, dict):
        return False
    return all(
        isinstance(part, dict) and (part.keys() == {"const"} or is_of_head(part) or _bodiless(part))
        for part in spec.values()
    )


def _compile_decoded(spec: dict[str, Any], place: Place) -> Value:
    inner = _compile_path(spec["path"], place.at("path"))
    if "decode" not in spec:
        return inner
    if spec["decode"] != "base64":
        place.at("decode").fault("only 'base64' can be decoded", "decode: base64")
    return partial(_decoded, inner)


def _compile_path(source: str, place: Place) -> Value:
    found = path_at(source, place)
    return _nothing if found is None else found.value


def _constant(value: Any, _: Any) -> Any:
    return value


_nothing = partial(_constant, MISSING)


def _or_default(value_of: Value, default: Any, element: Any) -> Any:
    value = value_of(element)
    return default if value is MISSING else value


def _decoded(value_of: Value, element: Any) -> Any:
    """The text that the base64 of a value, or of each of a list, stands for."""
    value = value_of(element)
    return [_plain(each) for each in value] if type(value) is list else _plain(value)


def _plain(value: Any) -> Any:
    """What is no base64, or base64 of what is no text, stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        return b64decode(value).decode()
    except (RenderError, UnicodeDecodeError):
        return value


def _object(parts: tuple[tuple[str, Value], ...], element: Any) -> Any:
    found: dict[str, Any] = {}
    for name, value_of in parts:
        value = value_of(element)
        if value is not MISSING:
            found[name] = value
    return found


def _unless_empty(value_of: Value, element: Any) -> Any:
    return value_of(element) or MISSING
