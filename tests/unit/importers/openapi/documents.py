"""Short documents for tests, and what comes of them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.capability.compile import Compiled
from gateway.capability.examples.checking import check, dummy_secrets
from gateway.capability.file.yaml import parse
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.http.message import HttpRequest
from gateway.importers.base import Imported
from gateway.importers.openapi import Options, Source, import_openapi


def document(paths: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Of OpenAPI 3.0, with one server."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.example/v1"}],
        "paths": paths,
        **more,
    }


def swagger(paths: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Of OpenAPI 2.0."""
    info = {"title": "Pets", "version": "1"}
    return {
        "swagger": "2.0",
        "info": info,
        "host": "pets.example",
        "basePath": "/v1",
        "schemes": ["https"],
        "paths": paths,
        **more,
    }


def imported(whole: Any, options: Options | None = None) -> Imported:
    data = whole if isinstance(whole, bytes) else msgspec.json.encode(whole)
    return import_openapi(Source(data, "pets.json"), options)


def tree(whole: Any) -> dict[str, Any]:
    """The one file that comes of it, as values. It loads, and its examples pass."""
    (draft,) = imported(whole).drafts
    loads(draft.text)
    found: dict[str, Any] = parse(draft.text.encode(), draft.file).tree
    return found


def tool(whole: Any) -> dict[str, Any]:
    """The one tool that comes of it."""
    (found,) = tree(whole)["tools"].values()
    return dict(found)


def loads(text: str) -> Loaded:
    loaded = load(text.encode(), "pets.yaml", environ={}, redactor=Redactor())
    assert not [issue for issue in loaded.issues if issue.severity is Severity.ERROR]
    assert check(loaded) == ()
    return loaded


def operation(parameters: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"operationId": "op", "parameters": parameters or [], "responses": {}, **more}


def sent(whole: Any, args: Mapping[str, Any]) -> HttpRequest:
    """The request that the one tool of `whole` sends for `args`, the credential apart."""
    (draft,) = imported(whole).drafts
    loaded = loads(draft.text)
    (compiled,) = loaded.tools.values()
    return rendered(compiled, args, loaded.secrets)


def rendered(
    compiled: Compiled, args: Mapping[str, Any], secrets: Mapping[str, str]
) -> HttpRequest:
    prepared = compiled.tool.prepare(dict(args))
    return compiled.template.render(prepared, dummy_secrets(secrets))


def query(whole: Any, args: Mapping[str, Any]) -> str:
    return sent(whole, args).url.partition("?")[2]


def skips(whole: Any) -> list[tuple[str, str]]:
    return [(note.where, note.text) for note in imported(whole).skipped]


def notes(whole: Any) -> list[str]:
    """But for advice that any document gets."""
    found = [note.text for note in imported(whole).notes]
    return [text for text in found if not text.startswith(("the document names no cred", "set "))]
