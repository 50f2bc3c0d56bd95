"""What a tool says about itself, weighed: term -> weight between 0 and 1.

The weight is BM25F's: a term's count in each field is set off against the field's length,
multiplied by the field's weight, added up, then saturated. Typical lengths are constants, not
averages over the catalogue: a profile depends on its tool alone and is made once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.domain.search.words import stem, terms, words
from gateway.domain.tool import Tool

SATURATION = 1.2  # BM25's k1: the field-weighted count that gives half the greatest weight
LONGEST_TEXT = 8_192  # characters of one field that are read
DEEPEST = 2  # levels of nested objects whose arguments are read
MOST_ARGUMENTS = 256
STEPS = 1_000

_SHARED = [step / STEPS for step in range(STEPS + 1)]  # one float object for equal weights


@dataclass(frozen=True, slots=True)
class Field:
    """`normal` (BM25's b) says how much a text longer than `typical` words counts less."""

    weight: float
    normal: float
    typical: float


NAME = Field(5.0, 0.1, 3)
BACKEND = Field(1.0, 0.1, 1.5)
DESCRIPTION = Field(1.0, 0.45, 12)
TAGS = Field(1.0, 0.1, 3)
ARGUMENTS = Field(0.8, 0.0, 5)
ARGUMENT_TEXTS = Field(0.8, 0.45, 20)
SAMPLES = Field(0.4, 0.45, 5)


@dataclass(frozen=True, slots=True)
class Profile:
    """`name` holds the stems of the tool's name, each once."""

    weights: Mapping[str, float]
    name: tuple[str, ...]


def profile(tool: Tool) -> Profile:
    shares: dict[str, float] = {}
    for field, found in _fields(tool):
        share = field.weight / (1 + field.normal * (len(found) / field.typical - 1))
        for word in found:
            shares[word] = shares.get(word, 0.0) + share
    counts: dict[str, float] = {}
    for word, share in shares.items():
        stems, exact = terms(word)
        counts[exact] = share
        for term in stems:
            counts[term] = counts.get(term, 0.0) + share
    weights = {term: _saturated(count) for term, count in counts.items()}
    return Profile(weights, tuple(dict.fromkeys(map(stem, _read((tool.ref.name,))))))


@lru_cache(maxsize=1 << 12)
def _saturated(count: float) -> float:
    return _SHARED[round(STEPS * count / (SATURATION + count))]


def _fields(tool: Tool) -> Iterator[tuple[Field, list[str]]]:
    names: list[str] = []
    texts: list[str] = []
    for name, schema in _arguments(tool.properties, DEEPEST):
        if len(names) == MOST_ARGUMENTS:
            break
        names.append(name)
        texts += _texts(schema)
    yield NAME, _read((tool.ref.name,))
    yield BACKEND, _read((tool.ref.backend,))
    yield DESCRIPTION, _read((tool.description,))
    yield ARGUMENTS, _read(names)
    yield ARGUMENT_TEXTS, _read(texts)
    yield TAGS, _read(tool.tags)
    yield SAMPLES, _read(tool.samples)


def _read(texts: Iterable[str]) -> list[str]:
    return words(" ".join(texts)[:LONGEST_TEXT])


def _arguments(
    properties: Mapping[str, Any], depth: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and schema of each argument, those inside objects and lists of objects included."""
    for name, schema in properties.items():
        if not isinstance(schema, Mapping):
            continue
        yield name, schema
        if depth:
            for inner in (schema, schema.get("items")):
                nested = inner.get("properties") if isinstance(inner, Mapping) else None
                if isinstance(nested, Mapping):
                    yield from _arguments(nested, depth - 1)


def _texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """An argument's description and the choices it offers."""
    description, choices = schema.get("description"), schema.get("enum")
    if isinstance(description, str):
        yield description
    if isinstance(choices, list):
        yield from (choice for choice in choices if isinstance(choice, str))
