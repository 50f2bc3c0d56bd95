"""Fulcrum files → capability files and `backends:`, for review; each that cannot be is told of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.issue import Issue
from gateway.importers.base import Draft, Imported, Note
from gateway.importers.checking import capability_errors, config_errors
from gateway.importers.fulcrum.converting import Converted, convert
from gateway.importers.fulcrum.document import is_fulcrum
from gateway.importers.fulcrum.grouping import Tree, merged, unique
from gateway.importers.fulcrum.live import in_its_words
from gateway.importers.fulcrum.making import SERVER_LENGTH
from gateway.importers.mcp_json import backends_text
from gateway.importers.writing import capability_text


@dataclass(frozen=True, slots=True)
class Several:
    """`backends` is a gateway.yaml with the MCP servers alone; empty when there are none."""

    imported: Imported
    backends: str = ""
    servers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    trees: list[Tree] = field(default_factory=list)
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    skipped: list[Note] = field(default_factory=list)


def convert_all(files: Mapping[str, bytes], *, merge: bool = False) -> Several:
    """File name → its bytes. `merge`: one file for all tools of one API. Never raises."""
    found = _Found()
    for file, data in files.items():
        if not is_fulcrum(data):
            found.skipped.append(Note(file, "is no fulcrum file: it has no fulcrum: at its top"))
            continue
        _take(found, convert(data, file))
    groups = merged(found.trees) if merge else ((tree, (tree,)) for tree in found.trees)
    drafts: dict[str, Draft] = {}
    for whole, parts in groups:
        together = not (len(parts) > 1 and capability_errors(capability_text(whole), "merged"))
        for tree in (whole,) if together else parts:
            draft = _draft(tree, drafts, found)
            drafts[draft.file.removesuffix(".yaml")] = draft
    imported = Imported(tuple(drafts.values()), tuple(found.notes), tuple(found.skipped))
    text = backends_text(found.servers, "files with service: mcp") if found.servers else ""
    return Several(imported, text, tuple(found.servers))


def _take(found: _Found, converted: Converted) -> None:
    if converted.server is not None:
        _take_server(found, converted)
    elif converted.tree is None:
        found.skipped += _notes(converted.issues)
    else:
        text = capability_text(converted.tree)
        errors = capability_errors(text, converted.parsed.file)
        if errors:
            found.skipped += _notes(in_its_words(issue, converted) for issue in errors)
        else:
            found.trees.append(converted.tree)
            found.notes += _notes(converted.issues)


def _take_server(found: _Found, converted: Converted) -> None:
    """One program is one server, however many files call it."""
    name, entry = converted.server or ("", {})
    where = converted.parsed.file
    alike = {key: value for key, value in entry.items() if key not in ("description", "timeout")}
    for known, other in found.servers.items():
        if alike.items() <= other.items():
            found.notes.append(Note(where, f"the same MCP server as {known}"))
            return
    name = unique(name, found.servers, 64)
    errors = config_errors(backends_text({name: entry}, where))
    if errors:
        found.skipped += [Note(where, issue.message) for issue in errors]
        return
    found.servers[name] = entry
    found.notes.append(Note(where, f"is an MCP server: {name} below backends:"))
    found.notes += _notes(converted.issues)


def _draft(tree: Tree, taken: Iterable[str], found: _Found) -> Draft:
    name = unique(tree["name"], taken, SERVER_LENGTH)
    if name != tree["name"]:
        found.notes.append(Note(f"{name}.yaml", f"a second file of the name {tree['name']}"))
    text = capability_text({**tree, "name": name})
    return Draft(f"{name}.yaml", text, tuple(tree["tools"]))


def _notes(issues: Iterable[Issue]) -> list[Note]:
    return [
        Note(issue.where, f"{issue.message} ({issue.hint})" if issue.hint else issue.message)
        for issue in issues
    ]
