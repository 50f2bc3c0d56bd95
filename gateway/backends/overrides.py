"""What the operator changes in tools before anybody sees them, and how calls of those go on.

The rule: a tool that nobody overrides is the object it was. An override that cannot be applied is
an issue, and the tool stays as its server has it. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.backends.admit import bad_name
from gateway.backends.remarks import Remarks
from gateway.backends.settings import ToolOverride
from gateway.domain.issue import Issue
from gateway.domain.names import did_you_mean
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject


@dataclass(frozen=True, slots=True)
class Target:
    """An overridden tool as its server has it: its name and schema there, and what is sent whether
    the caller gives it or not (`pinned`), or where the caller does not (`defaults`).
    """

    name: str
    schema: JsonObject
    pinned: Mapping[str, Any]
    defaults: Mapping[str, Any]

    def arguments(self, given: JsonObject) -> JsonObject:
        """What is sent for `given`."""
        if self.pinned or self.defaults:
            return {**self.defaults, **given, **self.pinned}
        return given


@dataclass(frozen=True, slots=True)
class Overridden:
    """`items` as they are offered; `targets` of those that are not the server's own, by the name
    they are offered under.
    """

    items: tuple[JsonObject, ...]
    targets: Mapping[str, Target]
    issues: tuple[Issue, ...]


def overridden(
    backend: str, items: tuple[JsonObject, ...], overrides: Mapping[str, ToolOverride]
) -> Overridden:
    """`items` under `overrides`, which are by the server's own names."""
    if not overrides:
        return Overridden(items, MappingProxyType({}), ())
    remarks = Remarks(backend, "override")
    own = [str(item["name"]) for item in items]
    for name in overrides.keys() - set(own):
        remarks.add(shown(name), "the server has no such tool", did_you_mean(name, own))
    names = _names([name for name in own if not _hidden(overrides, name)], overrides, remarks)
    offered: list[JsonObject] = []
    targets: dict[str, Target] = {}
    for item in items:
        name = str(item["name"])
        if name not in names:
            continue
        override = overrides.get(name)
        if override is None:
            offered.append(item)
            continue
        _missing(override, item, remarks)
        offered.append(_changed(item, names[name], override))
        targets[names[name]] = Target(name, item["inputSchema"], override.pinned, override.defaults)
    return Overridden(tuple(offered), MappingProxyType(targets), remarks.issues)


def _hidden(overrides: Mapping[str, ToolOverride], name: str) -> bool:
    return name in overrides and overrides[name].hidden


def _names(
    own: Sequence[str], overrides: Mapping[str, ToolOverride], remarks: Remarks
) -> Mapping[str, str]:
    """Own name → the one it is offered under; each is unique. Who keeps its name comes first."""
    wanted = {name: _wish(name, overrides, remarks) for name in own}
    while True:
        staying = {name for name, wish in wanted.items() if wish == name}
        taken = set(staying)
        refused: list[str] = []
        for name, wish in wanted.items():
            if name in staying:
                continue
            (refused.append(name) if wish in taken else taken.add(wish))
        if not refused:
            return wanted
        for name in refused:
            remarks.add(shown(name), f"there is a tool {shown(wanted[name])} already; not renamed")
            wanted[name] = name


def _wish(name: str, overrides: Mapping[str, ToolOverride], remarks: Remarks) -> str:
    override = overrides.get(name)
    if override is None or override.name is None:
        return name
    problem = bad_name(override.name)
    if problem:
        remarks.add(shown(name), f"not renamed: {problem}")
        return name
    return override.name


def _missing(override: ToolOverride, item: JsonObject, remarks: Remarks) -> None:
    """Remark on arguments that the tool does not have."""
    known: Mapping[str, Any] = item["inputSchema"].get("properties", {})
    for argument in (*override.pinned, *override.defaults):
        if argument not in known:
            text = f"the tool has no argument {shown(argument)}; it is sent all the same"
            remarks.add(shown(str(item["name"])), text, did_you_mean(argument, known))


def _changed(item: JsonObject, name: str, override: ToolOverride) -> JsonObject:
    changed = {**item, "name": name}
    if override.description is not None:
        changed["description"] = override.description
    if override.pinned or override.defaults:
        changed["inputSchema"] = _schema(item["inputSchema"], override)
    return changed


def _schema(schema: JsonObject, override: ToolOverride) -> JsonObject:
    """Without what is pinned; with defaults, which nobody has to give."""
    properties = {
        name: _with_default(each, name, override.defaults)
        for name, each in schema.get("properties", {}).items()
        if name not in override.pinned
    }
    changed = {**schema, "properties": properties}
    if "required" in schema:
        given = override.pinned.keys() | override.defaults.keys()
        changed["required"] = _without(schema["required"], given)
        if not changed["required"]:
            del changed["required"]
    return changed


def _with_default(schema: Any, name: str, defaults: Mapping[str, Any]) -> Any:
    if name not in defaults:
        return schema
    return {**schema, "default": defaults[name]} if isinstance(schema, Mapping) else schema


def _without(names: Iterable[str], given: Iterable[str]) -> list[str]:
    gone = set(given)
    return [name for name in names if name not in gone]
