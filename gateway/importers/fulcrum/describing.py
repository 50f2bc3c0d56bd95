"""The words of a fulcrum file: description, tags, and what is there for people alone."""

import re
from typing import Any

from gateway.credentials.looks import masked
from gateway.importers.fulcrum.document import Document
from gateway.importers.fulcrum.making import SERVER_LENGTH, Making, valid_name

LONGEST = 1024  # characters of a description
FREE = "x-fulcrum"

_KEYWORDS = re.compile(r"\s*\[keywords:\s*([^\]]*)\]\s*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_SAID = frozenset(  # top-level keys that are converted, or told of
    {
        *("fulcrum", "name", "description", "schema", "providers", "auth", "cache", "metadata"),
        *("transform", "response_transform", "projection", "webhooks", "visible_in_states"),
        *("sha256", "tags"),
    }
)
_METADATA = frozenset(
    {"tags", "read_only", "destructive", "idempotent", "open_world", "docs", "category"}
)
_AUTH = ("description", "scopes")


def describe(making: Making) -> dict[str, Any]:
    """The whole file, with the tool in it."""
    document = making.document
    description, keywords = _description(making)
    making.put("description", description, ("description",))
    tags = _tags(document, keywords)
    if tags:
        making.put("tags", tags, ("metadata", "tags"))
    output = document.at("schema", "output")
    if output:
        making.tool["x-output"] = output
    free = _free(document)
    if free:
        making.tool[FREE] = free
    tree: dict[str, Any] = {
        "capability": 1,
        "name": valid_name(making.name, SERVER_LENGTH),
        "description": first_sentence(description),
        "base_url": making.base_url,
        "tools": {making.name: making.tool},
    }
    making.origins |= {"name": ("name",), "description": ("description",)}
    docs = document.text("metadata", "docs").strip()
    if docs:
        tree["docs"] = docs
    _credentials(making, tree)
    return tree


def _credentials(making: Making, tree: dict[str, Any]) -> None:
    if making.auth is not None:
        tree["auth"] = making.auth
        making.origins["auth"] = ("auth",)
    used = making.secrets.used_by(repr((making.auth, making.tool)))
    if used:
        tree["secrets"] = dict(used)
    for name, path in making.secrets.places.items():
        making.origins[f"secrets.{name}"] = path


def _description(making: Making) -> tuple[str, list[str]]:
    """In one paragraph, and the keywords that stood at its end."""
    document = making.document
    text, keywords = without_keywords(document)
    if not text:
        document.note(("description",), "there is no description: say what the tool does")
        text = making.name.replace("_", " ")
    if len(text) > LONGEST:
        document.note(("description",), f"the description is cut after {LONGEST} characters")
        text = f"{text[: LONGEST - 1].rstrip()}…"
    return text, keywords


def without_keywords(document: Document) -> tuple[str, list[str]]:
    """The description, and the keywords in brackets at its end: tags, by another name."""
    text = document.text("description").strip()
    match = _KEYWORDS.search(text)
    keywords = match[1].split(",") if match else []
    return _KEYWORDS.sub("", text).strip(), [word.strip() for word in keywords]


def first_sentence(text: str) -> str:
    return _SENTENCE.split(text, maxsplit=1)[0]


def _tags(document: Document, keywords: list[str]) -> list[str]:
    given = [document.at("metadata", "tags"), document.at("tags"), keywords]
    words = [document.text("metadata", "category")]
    for several in given:
        words += [str(word) for word in several] if isinstance(several, list) else []
    return list(dict.fromkeys(word.strip() for word in words if word.strip()))


def _free(document: Document) -> dict[str, Any]:
    """What the gateway has no use for, and a person may have."""
    metadata = document.mapping("metadata")
    free = {key: value for key, value in metadata.items() if key not in _METADATA}
    free |= {key: value for key, value in document.tree.items() if key not in _SAID}
    free |= {f"auth_{key}": value for key in _AUTH if (value := document.at("auth", key))}
    found = {key: value for key, value in free.items() if value not in (None, "", [], {})}
    return {key: masked(value, key) for key, value in found.items()}
