"""`import_postman`: a collection in, capability files out, and what was left out of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.importers.base import Draft, Imported, Inexpressible, Note
from gateway.importers.names import (
    LONGEST_BACKEND,
    LONGEST_TOGETHER,
    LONGEST_TOOL,
    backend_name,
    tool_names,
    unique,
)
from gateway.importers.parting import by_size
from gateway.importers.postman.collection import Collection, read
from gateway.importers.postman.tool import Made, make
from gateway.importers.proving import prove
from gateway.importers.wording import words
from gateway.importers.writing import capability_text

LARGEST = 600_000  # bytes of a file's tools as JSON


def import_postman(data: bytes, file: str, name: str | None = None) -> Imported:
    """One file for each base URL and credential. Raises ImportFailed when it is no collection."""
    collection = read(data, file)
    own = name or backend_name(collection.title, "")
    notes: list[Note] = []
    skipped: list[Note] = []
    groups: dict[str, list[Made]] = {}
    for request in collection.requests:
        try:
            made = make(request, collection.variables, own)
        except Inexpressible as error:
            skipped.append(Note(request.where, str(error)))
            continue
        key = json.dumps([made.base_url, made.auth], sort_keys=True)
        groups.setdefault(key, []).append(made)
        notes += [Note(request.where, text) for text in made.making.notes]
    if collection.scripts:
        notes.append(Note("", f"scripts are not run: {collection.scripts} in the collection"))
    taken: set[str] = set()
    drafts: list[Draft] = []
    for group in groups.values():
        server = _name(own, group, several=len(groups) > 1)
        for part in _by_size(group):
            free = unique(server, taken, LONGEST_BACKEND)
            draft, refused = _draft(collection, free, part)
            skipped += refused
            drafts += [draft] if draft else []
    return Imported(tuple(drafts), tuple(dict.fromkeys(notes)), tuple(skipped))


def _name(own: str, group: list[Made], *, several: bool) -> str:
    """With the folder that all of it is in, where there is more than one file."""
    first = {made.request.folders[:1] for made in group}
    if not several or len(first) > 1 or first == {()}:
        return own
    return f"{own}_{backend_name(next(iter(first))[0], '')}"[:LONGEST_BACKEND].rstrip("_")


def _by_size(group: list[Made]) -> Iterator[list[Made]]:
    """Our reader takes files up to a size."""
    numbered = {str(index): made.making.tool for index, made in enumerate(group)}
    for part in by_size(numbered, LARGEST):
        yield [group[int(index)] for index in part]


def _draft(
    collection: Collection, server: str, group: list[Made]
) -> tuple[Draft | None, list[Note]]:
    longest = min(LONGEST_TOOL, LONGEST_TOGETHER - 1 - len(server))
    wanted = [(made.request.name, made.request.method, made.path) for made in group]
    names = tool_names(wanted, longest, server)
    tools = dict(zip(names, (made.making.tool for made in group), strict=True))
    where = dict(zip(names, (made.request.where for made in group), strict=True))
    head = _head(collection, server, group)
    comments = ("Made from a Postman collection. For review:",)

    def write(whole: Mapping[str, Any]) -> str:
        return capability_text(whole, comments)

    proven = prove({**head, "tools": tools}, f"{server}.yaml", write)
    refused = [Note(where[tool], why) for tool, why in proven.refused.items()]
    if not proven.text:
        return None, refused
    draft = Draft(f"{server}.yaml", proven.text, tuple(proven.tokens), proven.tokens)
    return draft, refused


def _head(collection: Collection, server: str, group: list[Made]) -> dict[str, Any]:
    first = group[0]
    host = urlsplit(first.base_url).hostname or ""
    described = words(collection.description, 200) or words(collection.title, 200)
    head: dict[str, Any] = {
        "capability": 1,
        "name": server,
        "description": described or host or server,
        "base_url": first.base_url,
    }
    secrets: dict[str, str] = {}
    values: dict[str, Any] = {}
    for made in group:
        secrets |= made.making.secrets
        values |= made.making.vars
    if secrets:
        head["secrets"] = secrets
    if values:
        head["vars"] = values
    if first.auth is not None:
        head["auth"] = first.auth
    return head
