"""A tool's arguments in one line, for models: `city: string, units?: celsius|fahrenheit`."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.tool import Tool

MOST_CHOICES = 8
SENTENCE_END = (". ", ".\n", "\n")


def signature(tool: Tool) -> str:
    """Required arguments first, each list in the schema's own order."""
    required = set(tool.required)
    parts = [
        f"{name}: {kind(schema)}" for name, schema in tool.properties.items() if name in required
    ]
    parts += [
        f"{name}?: {kind(schema)}"
        for name, schema in tool.properties.items()
        if name not in required
    ]
    return ", ".join(parts)


def kind(schema: Any) -> str:
    """The type of a value in a word: enum values joined by `|`, `string[]` for lists, else JSON Schema's own word."""
    if not isinstance(schema, Mapping):
        return "any"
    choices = schema.get("enum")
    if isinstance(choices, list) and 0 < len(choices) <= MOST_CHOICES:
        return "|".join(map(str, choices))
    if "const" in schema:
        return str(schema["const"])
    named = schema.get("type", "any")
    if isinstance(named, list):
        return "|".join(map(str, named))
    if named == "array":
        return f"{kind(schema.get('items'))}[]"
    return str(named)


def first_sentence(text: str, longest: int = 160) -> str:
    """Up to the first full stop or line end, cut at a word when longer than `longest` characters."""
    text = text.strip()
    ends = [found for mark in SENTENCE_END if (found := text.find(mark)) > 0]
    sentence = text[: min(ends)] if ends else text
    sentence = " ".join(sentence.split()).removesuffix(".")
    if len(sentence) <= longest:
        return sentence
    return sentence[:longest].rsplit(" ", 1)[0] + "…"
