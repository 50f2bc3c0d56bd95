"""`import_openapi`: a document in, capability files out, and what was left out of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gateway.importers.base import Draft, Imported, ImportFailed, Inexpressible, Note
from gateway.importers.names import (
    LONGEST_BACKEND,
    LONGEST_TOGETHER,
    LONGEST_TOOL,
    backend_name,
    tool_names,
    unique,
)
from gateway.importers.openapi.advice import advice, to_set
from gateway.importers.openapi.choosing import Options
from gateway.importers.openapi.document import Document, Source
from gateway.importers.openapi.grouping import Group, Variables, group
from gateway.importers.openapi.reader import Reader
from gateway.importers.openapi.servers import Servers, host_of
from gateway.importers.openapi.tool import Made, make
from gateway.importers.parting import by_size
from gateway.importers.proving import prove
from gateway.importers.wording import joined, printable_line, words
from gateway.importers.writing import capability_text

FEW = 100  # tools that fit into one file, however large they are
LARGEST = 700_000  # bytes of a file's tools as JSON; our reader takes some more as YAML


def import_openapi(source: Source, options: Options | None = None) -> Imported:
    """Raises ImportFailed when the document as a whole cannot be read."""
    wanted = options or Options()
    document = Document(source)
    info = document.mapping(document.root.get("info"))
    name = wanted.name or backend_name(str(info.get("title", "")), _host(document))
    servers = Servers(document, name, wanted.base_url)
    reader = Reader(document, servers, wanted)
    operations = list(reader.operations())
    groups = group(operations, name, by_tag=wanted.split == "tag")
    making = _Making(document, info, name, {each.name for each in groups})
    for each in groups:
        making.file(each)
    told = (*servers.notes, *advice(wanted, groups, reader.tags), *to_set(making.sources))
    making.notes += [Note("", text) for text in told]
    skipped = (*reader.skipped, *making.skipped)
    return Imported(tuple(making.drafts), tuple(making.notes), skipped)


def _host(document: Document) -> str:
    if document.is_swagger:
        return str(document.root.get("host", ""))
    servers = document.listed(document.root.get("servers"))
    url = document.mapping(servers[0]).get("url") if servers else ""
    return host_of(str(url)) or host_of(document.source.url or "")


class _Making:
    """The files so far."""

    def __init__(
        self, document: Document, info: Mapping[str, Any], name: str, taken: set[str]
    ) -> None:
        self.drafts: list[Draft] = []
        self.notes: list[Note] = []
        self.skipped: list[Note] = []
        self.sources: list[str] = []  # of secrets
        self._document = document
        self._info = info
        self._variables = Variables(name)
        self._taken = taken  # names of files

    def file(self, members: Group) -> None:
        made = self._made(members)
        names = _names(made, members.name)
        trees = dict(zip(names, (each.tree for each in made), strict=True))
        wheres = dict(zip(names, (each.operation.where for each in made), strict=True))
        self.notes += [Note("", text) for text in members.credential.notes]
        for index, part in enumerate(by_size(trees, LARGEST)):
            name = unique(members.name, self._taken, LONGEST_BACKEND) if index else members.name
            self._draft(replace(members, name=name), part, wheres)

    def _made(self, members: Group) -> list[Made]:
        found: list[Made] = []
        for operation in members.operations:
            try:
                made = make(self._document, operation, members.taken)
            except Inexpressible as error:
                self.skipped.append(Note(operation.where, str(error)))
                continue
            found.append(made)
            self.notes += [Note(operation.where, text) for text in made.notes]
        return found

    def _head(self, members: Group) -> dict[str, Any]:
        """The file's own keys."""
        credential, info = members.credential, self._info
        secrets = self._variables.of(members)
        self.sources += secrets.values()
        described = joined(_text(info.get("title")), _text(info.get("description")), 200)
        head: dict[str, Any] = {
            "capability": 1,
            "name": members.name,
            "description": described or members.name,
        }
        docs = words(
            self._document.mapping(self._document.root.get("externalDocs")).get("url"), 500
        )
        if docs.startswith(("https://", "http://")):
            head["docs"] = docs
        version = words(str(info.get("version") or ""), 60)
        beside = {"version": version, "secrets": secrets, "auth": credential.auth}
        beside |= {"headers": credential.headers, "query": credential.query}
        head["base_url"] = members.base
        return head | {key: value for key, value in beside.items() if value}

    def _draft(self, members: Group, tools: dict[str, Any], wheres: Mapping[str, str]) -> None:
        file = f"{members.name}.yaml"
        tree = {**self._head(members), "tools": tools}
        head = (*_told(self._document), *members.credential.notes)

        def write(whole: Mapping[str, Any]) -> str:
            return capability_text(whole, head)

        proven = prove(tree, file, write)
        self.skipped += [Note(wheres[name], why) for name, why in proven.refused.items()]
        if proven.text:
            self.drafts.append(Draft(file, proven.text, tuple(proven.tokens), proven.tokens))


def _names(made: list[Made], backend: str) -> list[str]:
    more = len("_99") if len(made) > FEW else 0  # of a second file, where one is not enough
    longest = min(LONGEST_TOOL, LONGEST_TOGETHER - len("__") - len(backend) - more)
    operations = [each.operation for each in made]
    wanted = [(each.id, each.method, each.path) for each in operations]
    return tool_names(wanted, longest, backend)


def _told(document: Document) -> Iterable[str]:
    version = printable_line(document.version)
    yield f"Made from {printable_line(document.source.name)} (OpenAPI {version}). For review:"
    yield "read what it sends and what it may change, then move it into a capability folder."


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


__all__ = ["ImportFailed", "import_openapi"]
