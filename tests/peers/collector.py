"""A collector of traces: OTLP over HTTP, as protobuf, read with OpenTelemetry's own definitions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.peers.web import serving


@dataclass(frozen=True)
class Seen:
    """One span, its ids in hexadecimal."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    attributes: dict[str, Any]


@dataclass
class Collector:
    """`resource` is that of the last batch, `raw` all that came; while `broken` it answers 400, and
    while `hanging` not at all.
    """

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""
    broken: bool = False
    hanging: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.hanging:
            await asyncio.Event().wait()
        if self.broken:
            return web.Response(status=400, text="no")
        data = await request.read()
        self.raw += data
        self.headers.append(dict(request.headers))
        batch = ExportTraceServiceRequest.FromString(data)
        for one in batch.resource_spans:
            self.resource = _values(one.resource.attributes)
            for scope in one.scope_spans:
                self.spans += map(_seen, scope.spans)
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")


def _seen(span: Any) -> Seen:
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    failed = span.status.code == 2  # STATUS_CODE_ERROR
    return Seen(span.name, *ids, span.kind, failed, _values(span.attributes))


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    async with serving(collector.handle, notices=True) as port:
        collector.url = f"http://127.0.0.1:{port}/v1/traces"
        yield collector
