"""A tool's arguments in one line, for models: `city: string, units?: celsius|fahrenheit`.

Meant to be read, not parsed: whoever needs the whole schema asks for the definition.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.domain.tool import JsonObject, Tool

MOST_ARGUMENTS = 16
MOST_INNER = 4  # keys of an object that is still spelled out
MOST_OPTIONS = 6  # of anyOf
LONGEST_WORD = 80  # characters of a name, or of all choices together
LONGEST_READ = 2_000
DEEPEST = 5  # references, lists and objects inside one another
INSIDE = 2  # of these, inside an object

_SENTENCE_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bincl)(?<!\bapprox)[.!?](?=\s+[^a-z\s]|\s*$)"
    "|[\u3002\uff01\uff1f]"  # the full stops of Chinese and Japanese
    r"|\n(?=\s*(?:[^a-z\s]|$)|\s*\n)"  # a line that goes on in lower case is a wrapped sentence
)


def signature(tool: Tool) -> str:
    """Required arguments first, both kinds in the schema's own order."""
    return _arguments(tool.input_schema)


def takes(schema: JsonObject) -> str:
    """What an `inputSchema` asks for, in a sentence, for whoever gave something else."""
    listed = _arguments(schema)
    return f"the tool takes {listed}" if listed else "the tool takes no arguments"


def kind(schema: Any, root: JsonObject) -> str:
    """What a value may be, in a word or a few; `root` is the schema that references lead into."""
    return _kind(schema, root, DEEPEST)


def first_sentence(text: str, longest: int = 160) -> str:
    """Without its full stop, in one line, cut at a word when longer than `longest` characters."""
    text = text[:LONGEST_READ].strip()
    end = _SENTENCE_END.search(text)
    sentence = " ".join((text[: end.start()] if end else text).split())
    if len(sentence) <= longest:
        return sentence
    return f"{sentence[:longest].rsplit(' ', 1)[0]}…"


def _arguments(schema: JsonObject) -> str:
    return _listed(schema, schema, MOST_ARGUMENTS, DEEPEST)


def _listed(schema: JsonObject, root: JsonObject, most: int, depth: int) -> str:
    found, required = schema.get("properties"), schema.get("required")
    properties = found if isinstance(found, Mapping) else {}
    listed = required if isinstance(required, list) else []
    needed = {name for name in listed if isinstance(name, str)}
    ordered = [name for name in properties if name in needed]
    ordered += [name for name in properties if name not in needed]
    parts = [
        f"{_plain(name)}{'' if name in needed else '?'}: {_kind(properties[name], root, depth)}"
        for name in ordered[:most]
    ]
    if len(ordered) > most:
        parts.append(f"… {len(ordered) - most} more")
    return ", ".join(parts)


def _kind(schema: Any, root: JsonObject, depth: int) -> str:
    """What a value may be, in a word or a few."""
    if not isinstance(schema, Mapping) or not depth:
        return "any"
    if isinstance(reference := schema.get("$ref"), str):
        return _kind(_referred(reference, root), root, depth - 1)
    for key in ("anyOf", "oneOf"):
        if isinstance(options := schema.get(key), list):
            return _either(_kind(option, root, depth - 1) for option in options[:MOST_OPTIONS])
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    return _spelled(choices) or _typed(schema, root, depth)


def _typed(schema: JsonObject, root: JsonObject, depth: int) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        return _either(_typed({**schema, "type": one}, root, depth) for one in named[:MOST_OPTIONS])
    if named == "array":
        item = _kind(schema.get("items"), root, depth - 1)
        return f"({item})[]" if "|" in item and not item.startswith("{") else f"{item}[]"
    inner = schema.get("properties")
    if isinstance(inner, Mapping) and 0 < len(inner) <= MOST_INNER and depth > INSIDE:
        return f"{{{_listed(schema, root, MOST_INNER, INSIDE)}}}"
    return _plain(named) if isinstance(named, str) else "any"


def _spelled(choices: Any) -> str:
    """The choices joined by `|`; empty when there are none, or too many to spell out."""
    if not isinstance(choices, list) or not 0 < len(choices) <= LONGEST_WORD:
        return ""
    either = _either(one if isinstance(one, str) else json.dumps(one) for one in choices)
    return _plain(either) if len(either) <= LONGEST_WORD else ""


def _either(words: Iterable[str]) -> str:
    """Each word once. That a value may be null tells nobody anything."""
    found = dict.fromkeys(words)
    return "|".join(word for word in found if word != "null") or "any"


def _referred(reference: str, root: JsonObject) -> Any:
    """What `#/$defs/Name` leads to inside the same schema; nothing else is followed."""
    place: Any = root
    for key in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ("",):
        place = place.get(key) if isinstance(place, Mapping) else None
    return place


def _plain(name: str) -> str:
    """Of a backend's own word: one line, not too long."""
    return " ".join(name[:LONGEST_WORD].split())
