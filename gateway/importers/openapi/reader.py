"""The document -> its operations, one model for 2.0 and 3.x; a broken node costs only itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.capability.file.model import METHODS
from gateway.importers.base import Inexpressible, Note
from gateway.importers.openapi import swagger
from gateway.importers.openapi.answers import answers
from gateway.importers.openapi.choosing import Options
from gateway.importers.openapi.document import Document
from gateway.importers.openapi.keys import keyed
from gateway.importers.openapi.model import Body, Operation, Parameter
from gateway.importers.openapi.parameters import body, parameter
from gateway.importers.openapi.security import Security
from gateway.importers.openapi.servers import Servers
from gateway.importers.wording import printable_line

OTHER_METHODS = ("options", "trace", "query")


class Reader:
    """`operations` is lazy; `skipped` fills up as it goes, and `tags`, of all there are, too."""

    def __init__(self, document: Document, servers: Servers, options: Options) -> None:
        self.skipped: list[Note] = []
        self.tags: dict[str, None] = {}
        self._options = options
        self._document = document
        self._servers = servers
        self._security = Security(document)
        self._keys = self._security.keys()

    def operations(self) -> Iterator[Operation]:
        for path, node in self._document.mapping(self._document.root.get("paths")).items():
            if str(path).startswith("x-") or not self._options.takes_path(str(path)):
                continue
            item = self._document.see(node)
            if not isinstance(item, Mapping):
                self._skip(str(path), "what stands there is no path")
                continue
            yield from self._of_path(str(path), item)

    def _of_path(self, path: str, item: Mapping[str, Any]) -> Iterator[Operation]:
        for key, node in item.items():
            method = str(key).lower()
            where = printable_line(f"{method.upper()} {path}")
            if method in OTHER_METHODS:
                if self._options.takes(self._document.mapping(node)):
                    self._skip(where, f"a tool cannot send {method.upper()}")
            elif method == "additionaloperations":
                for other in self._document.mapping(node):
                    self._skip(printable_line(f"{other} {path}"), "a method that no tool sends")
            elif method not in METHODS:
                continue
            else:
                found = self._safely(where, method, path, item, node)
                if found is not None:
                    yield found

    def _safely(
        self, where: str, method: str, path: str, item: Mapping[str, Any], node: Any
    ) -> Operation | None:
        seen = self._document.see(node)
        if not isinstance(seen, Mapping):
            self._skip(where, "what stands there is no operation")
            return None
        tags = self._document.listed(seen.get("tags"))
        self.tags.update((tag, None) for tag in tags if isinstance(tag, str))
        if not self._options.takes(seen):
            return None
        try:
            return self._operation(where, method, path, item, seen)
        except Inexpressible as error:
            self._skip(where, str(error))
        return None

    def _operation(
        self, where: str, method: str, path: str, item: Mapping[str, Any], node: Mapping[str, Any]
    ) -> Operation:
        parameters, request = self._inputs(item, node)
        tags = self._document.listed(node.get("tags"))
        return Operation(
            where,
            method,
            path,
            _text(node.get("operationId")),
            _text(node.get("summary")) or _text(item.get("summary")),
            _text(node.get("description")) or _text(item.get("description")),
            tuple(str(tag) for tag in tags if isinstance(tag, (str, int))),
            node.get("deprecated") is True,
            parameters,
            request,
            answers(self._document, node),
            keyed(self._security.of(node), parameters, self._keys),
            self._servers.of(node.get("servers"), item.get("servers")),
        )

    def _inputs(
        self, item: Mapping[str, Any], node: Mapping[str, Any]
    ) -> tuple[tuple[Parameter, ...], Body | None]:
        """Those of the operation, and those of the path that it does not replace."""
        given: dict[tuple[str, str], Mapping[str, Any]] = {}
        for listed in (item.get("parameters"), node.get("parameters")):
            for each in self._document.listed(listed):
                found = self._document.mapping(each)
                if found:
                    given[str(found.get("name")), str(found.get("in"))] = found
        if self._document.is_swagger:
            return swagger.inputs(self._document, node, list(given.values()))
        parameters = [parameter(self._document, each) for each in given.values()]
        request = body(self._document, node.get("requestBody"))
        return tuple(each for each in parameters if each is not None), request

    def _skip(self, where: str, why: str) -> None:
        self.skipped.append(Note(where, why))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
