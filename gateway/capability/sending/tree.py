"""A YAML value with templates in it → the JSON value of a call (§3.2, §3.3, §3.4).

What reads nothing is left out; a mapping or list that loses all its children goes with them, while
a literal `{}` or `[]` stays. Names are literals: only the splice `"..."` can add some.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import UNREAD, Place
from gateway.capability.expressions.template import has_template
from gateway.capability.expressions.values import MISSING, Absent, RenderError

SPLICE = "..."

Build = Callable[[Scope], Any]  # MISSING when all of it is left out


def compile_tree(value: Any, place: Place, position: Position = Position.JSON) -> Build:
    """Faults are reported to `place`."""
    if is_literal(value):
        return lambda _: value
    if isinstance(value, str):
        template = place.template(value, position)
        return template.value if template.single is None else template.single.value
    if isinstance(value, dict):
        return _mapping(value, place, position)
    return _list(value, place, position)


def is_literal(value: Any) -> bool:
    """No template and no splice anywhere in it."""
    if isinstance(value, str):
        return not has_template(value)
    if isinstance(value, dict):
        return SPLICE not in value and all(map(is_literal, (*value, *value.values())))
    return not isinstance(value, list) or all(map(is_literal, value))


def literal_name(name: str, place: Place) -> None:
    if has_template(name):
        place.at(name).fault("a name cannot be a template", "only values have templates")


def splice(source: Any, place: Place, position: Position) -> Build:
    """The object whose members take the place of `"..."`; MISSING when there is none."""
    text = source if isinstance(source, str) else ""
    template = place.template(text, position)
    if template.single is None and template.source == text:  # else it is reported already
        place.fault(f"{SPLICE!r} needs one expression", '"...": "{{ rest }}"')
        place.reads.add(UNREAD)
    return template.value


def members(found: Any) -> Mapping[str, Any]:
    """What a splice gave, as an object; raises RenderError when it is none."""
    if isinstance(found, Absent) or found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RenderError(f"{SPLICE!r} needs an object")
    return found


def _mapping(value: dict[str, Any], place: Place, position: Position) -> Build:
    for name in value:
        literal_name(name, place)
    children = [
        (name, splice(each, place.at(name), position))
        if name == SPLICE
        else (name, compile_tree(each, place.at(name), position))
        for name, each in value.items()
    ]

    def build(scope: Scope) -> Any:
        built: dict[str, Any] = {}
        for name, child in children:
            found = child(scope)
            if name == SPLICE:
                # what the author names, the splice cannot overrule
                built |= {key: each for key, each in members(found).items() if key not in value}
            elif not isinstance(found, Absent):
                built[name] = found
        return built or MISSING

    return build


def _list(value: list[Any], place: Place, position: Position) -> Build:
    children = [compile_tree(each, place.at(index), position) for index, each in enumerate(value)]

    def build(scope: Scope) -> Any:
        built = [found for child in children if not isinstance(found := child(scope), Absent)]
        return built or MISSING

    return build
