"""One operation -> one tool of a capability file, at the detail that its size allows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.importers.openapi.document import Document
from gateway.importers.openapi.model import Answers, Operation
from gateway.importers.openapi.request import Request, Taken, fill
from gateway.importers.openapi.request_body import fill_body
from gateway.importers.openapi.schema import DETAILS, LEAST, Converter, Detail, TooLarge
from gateway.importers.openapi.schema_parts import is_writable
from gateway.importers.wording import joined, words

LARGEST = 6_000  # bytes of a tool's arguments as JSON
LARGEST_EXAMPLE = 2_000  # bytes of its arguments, or its reply, as JSON
DEEPEST_EXAMPLE = 15
DESCRIPTION = 500  # characters

_BINARY = re.compile(
    r"image/|audio/|video/|font/|application/(?:octet-stream|pdf|zip|gzip|x-tar|x-gzip|vnd\.ms-"
    r"|vnd\.openxmlformats|x-zip|java-archive|x-rar)"
)
_TEMPLATE = re.compile(rb"\{[{%#]")


@dataclass(frozen=True, slots=True)
class Made:
    """`tree` is what stands below the tool's name."""

    operation: Operation
    tree: dict[str, Any]
    notes: tuple[str, ...]


def make(document: Document, operation: Operation, taken: Taken) -> Made:
    """Raises Inexpressible."""
    request = _request(document, operation, taken)
    tree: dict[str, Any] = {"description": _description(operation)}
    if operation.tags:
        tree["tags"] = _tags(operation)
    tree["args"] = request.args
    tree[operation.method] = request.path
    tree |= {"query": request.query, "headers": request.headers, **request.body}
    as_ = _read_as(operation.answers)
    if as_:
        tree["response"] = {"as": as_}
    example = _example(request, operation.answers, as_)
    if example:
        tree["examples"] = [example]
    kept = {key: value for key, value in tree.items() if value not in ({}, []) or key == "json"}
    return Made(operation, kept, tuple(request.converter.notes))


def _request(document: Document, operation: Operation, taken: Taken) -> Request:
    """With as much detail as there is room for."""
    for detail in DETAILS:
        try:
            request = _filled(document, operation, taken, detail)
        except TooLarge:
            continue
        if _size(request) <= LARGEST:
            return _noted(request, detail)
    return _noted(_filled(document, operation, taken, LEAST), LEAST)


def _filled(document: Document, operation: Operation, taken: Taken, detail: Detail) -> Request:
    request = Request(Converter(document, detail), taken)
    fill(request, operation)
    fill_body(request, operation)
    return request


def _noted(request: Request, detail: Detail) -> Request:
    if detail is LEAST:
        request.note("so many arguments that only little is said of each")
    return request


def _size(request: Request) -> int:
    return len(msgspec.json.encode(request.args))


def _description(operation: Operation) -> str:
    text = joined(operation.summary, operation.description, DESCRIPTION)
    text = text or words(f"{operation.method.upper()} {operation.path}", DESCRIPTION)
    return f"{text} (deprecated)" if operation.deprecated else text


def _tags(operation: Operation) -> list[str]:
    found = [words(tag, 60) for tag in operation.tags[:3]]
    return [tag for tag in dict.fromkeys(found) if tag]


def _read_as(answers: Answers) -> str | None:
    """Only where no success is anything else."""
    kinds = answers.kinds
    if any("json" in kind for kind in kinds):
        return None
    if answers.is_file or (kinds and all(_BINARY.match(kind) for kind in kinds)):
        return "binary"
    if kinds and all(kind.startswith("text/") for kind in kinds):
        streams = any("event-stream" in kind or "json" in kind or "xml" in kind for kind in kinds)
        return None if streams else "text"
    return None


def _example(request: Request, answers: Answers, as_: str | None) -> dict[str, Any] | None:
    """Of what the document gives, when it gives all that is required; nobody invents the rest."""
    args = {name: request.samples[name] for name in request.args if name in request.samples}
    needed = [name for name, schema in request.args.items() if schema.get("required") is True]
    if any(name not in args for name in needed) or not _is_small(args):
        return None
    example: dict[str, Any] = {"args": args} if args else {}
    for reply in answers.examples if as_ is None else ():
        if _is_small(reply) and not isinstance(reply, str):
            status = {} if answers.status == 200 else {"status": answers.status}  # noqa: PLR2004
            example["reply"] = {**status, "json": reply}
            break
    return {"args": args, **example} if example else None


def _is_small(value: Any) -> bool:
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    fits = len(encoded) <= LARGEST_EXAMPLE and not _TEMPLATE.search(encoded)
    return is_writable(value) and fits and all(depth < DEEPEST_EXAMPLE for depth in _depths(value))


def _depths(value: Any, depth: int = 0) -> Iterator[int]:
    yield depth
    if isinstance(value, dict):
        for each in value.values():
            yield from _depths(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _depths(each, depth + 1)
