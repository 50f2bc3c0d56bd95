"""A made-up document of a thousand operations: how long its import takes, and its loading."""

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.openapi_documents import Document
from benchmarks.openapi_imported import imported

NOUNS = ("invoice", "customer", "ticket", "shipment", "contract", "meeting", "asset", "alert")
VERBS = {"get": "get", "post": "create", "put": "replace", "patch": "update", "delete": "delete"}
OPERATIONS = 1000
TEXT = {"type": "string"}
SHARED = {
    "person": {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": TEXT,
            "manager": {"$ref": "#/components/schemas/person"},
        },
    },
    "line": {
        "type": "object",
        "properties": {"text": TEXT, "price": {"type": "number"}, "count": {"type": "integer"}},
    },
}


def document(operations: int = OPERATIONS) -> dict[str, Any]:
    """Ten operations for each resource; their schemas share some, and one holds itself."""
    nouns = [f"{NOUNS[number % len(NOUNS)]}{number}" for number in range(operations // 10)]
    paths = {
        f"/{noun}s/{{id}}{place}": {
            verb: _operation(verb, f"{noun}{place.replace('/', '_')}") | _body(verb, noun)
            for verb in VERBS
        }
        for noun in nouns
        for place in ("", "/notes")
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Large", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**SHARED, **{noun: _schema(noun) for noun in nouns}},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        },
    }


def measured() -> str:
    """A sentence with the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.json")
        path.write_text(json.dumps(document()))
        found = imported(Document("large", path, document()), Path(folder), 9)
    import_cpu, import_wall = found.import_seconds
    load_cpu, load_wall = found.load_seconds
    return (
        f"A made-up document of {found.tools:,} operations: imported in"
        f" {import_cpu:.2f} s of CPU ({import_wall:.2f} s), loaded in {load_cpu:.2f} s"
        f" ({load_wall:.2f} s)."
    )


def _schema(noun: str) -> dict[str, Any]:
    words = {f"field_{index}": {"type": "string", "maxLength": 200} for index in range(6)}
    return {
        "type": "object",
        "required": ["title", "field_0"],
        "properties": {
            "title": {"type": "string", "description": f"What the {noun} is called"},
            "amount": {"type": "number", "minimum": 0},
            "state": {"type": "string", "enum": ["open", "closed", "late"]},
            "owner": {"$ref": "#/components/schemas/person"},
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/line"}},
            **words,
        },
    }


def _operation(verb: str, noun: str) -> dict[str, Any]:
    return {
        "operationId": f"{VERBS[verb]}_{noun}",
        "summary": f"{VERBS[verb].title()} one {noun}",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {
                "name": "fields",
                "in": "query",
                "schema": {"type": "array", "items": {"type": "string"}},
            },
        ],
        "responses": {"200": {"description": "ok"}},
    }


def _body(verb: str, noun: str) -> dict[str, Any]:
    if verb in {"get", "delete"}:
        return {}
    schema = {"$ref": f"#/components/schemas/{noun}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
