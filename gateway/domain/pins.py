"""Pinned definitions of tools: what an operator has read and agreed to. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gateway.domain.change import GONE, NEW, Change, canonical
from gateway.domain.definition_diff import difference
from gateway.domain.tool import JsonObject

PINNED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")


@dataclass(frozen=True, slots=True)
class Pin:
    """One tool's definition, as far as it is pinned, and the SHA-256 of its canonical JSON."""

    sha256: str
    definition: JsonObject = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pins:
    """The definitions that `capgate lock` wrote down: backend → tool → pin. Two that are equal pin
    alike.
    """

    backends: Mapping[str, Mapping[str, Pin]] = field(default_factory=lambda: MappingProxyType({}))


class Moved(NamedTuple):
    """A tool that is not as it was pinned, and in what."""

    tool: str
    changes: tuple[Change, ...]


def pinned(definition: JsonObject) -> JsonObject:
    """The part of it that is pinned: all that a model reads and a host goes by."""
    return {key: definition[key] for key in PINNED if key in definition}


def digest(definition: JsonObject) -> str:
    """SHA-256 in hexadecimal digits. Neither the order of keys nor whitespace counts."""
    return hashlib.sha256(canonical(pinned(definition))).hexdigest()


def pin_of(definition: JsonObject) -> Pin:
    return Pin(digest(definition), pinned(definition))


def moved(before: Mapping[str, Pin], after: Mapping[str, Pin]) -> Iterator[Moved]:
    """The tools of one backend that are new, gone or changed, by name."""
    for tool in sorted(before.keys() | after.keys()):
        if tool not in before:
            yield Moved(tool, (NEW,))
        elif tool not in after:
            yield Moved(tool, (GONE,))
        elif before[tool] != after[tool]:
            yield Moved(tool, difference(before[tool].definition, after[tool].definition))
