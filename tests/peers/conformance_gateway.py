"""A gateway with the tools that the official conformance suite calls by name, pinned into /mcp."""

import asyncio
import sys

import uvloop

from gateway.domain.call import Call
from gateway.domain.tool import JsonObject, ToolRef, ToolResult, text_result
from gateway.errors import BackendError, CapabilityMissing
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.compose import Options
from tests.peers.conformance_schema import DIALECT
from tests.peers.memory_gateway import running, snapshot, tool

TEXT: JsonObject = {"type": "text", "text": "A simple text response for testing."}
IMAGE: JsonObject = {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}
AUDIO: JsonObject = {"type": "audio", "data": "UklGRgAAAABXQVZF", "mimeType": "audio/wav"}
RESOURCE: JsonObject = {
    "type": "resource",
    "resource": {"uri": "test://embedded", "mimeType": "text/plain", "text": "An embedded one."},
}

CONTENT: dict[str, tuple[JsonObject, ...]] = {
    "test_simple_text": (TEXT,),
    "test_image_content": (IMAGE,),
    "test_audio_content": (AUDIO,),
    "test_embedded_resource": (RESOURCE,),
    "test_multiple_content_types": (TEXT, IMAGE, RESOURCE),
}
PLAIN = (
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_trigger_tool_change",
    "test_error_handling",
)
SCHEMAS: dict[str, JsonObject] = {
    "json_schema_2020_12_tool": DIALECT,
    "test_mirrored_headers": {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "priority": {"type": "integer", "x-mcp-header": "Priority"},
            "verbose": {"type": "boolean", "x-mcp-header": "Verbose"},
        },
        "required": ["region"],
    },
}
EXTRA = "test_extra"  # comes and goes


class Diagnostics:
    """The backend of all of them."""

    def __init__(self) -> None:
        self.current: Current | None = None
        self._extra = False

    def snapshot(self, version: int) -> Snapshot:
        names = [*PLAIN, *CONTENT, *([EXTRA] if self._extra else [])]
        tools = [tool("diagnostics", name) for name in names]
        tools += [tool("diagnostics", name, inputSchema=its) for name, its in SCHEMAS.items()]
        return snapshot(version, {"diagnostics": tools}, {"diagnostics": self.call})

    async def call(self, call: Call) -> ToolResult:
        name = call.tool.ref.name
        if name in CONTENT:
            return ToolResult(CONTENT[name])
        if name == "test_missing_capability":
            raise CapabilityMissing("the tool samples", {"sampling": {}})
        if name == "test_error_handling":
            raise BackendError("the tool fails on purpose")
        if name == "test_trigger_tool_change" and self.current is not None:
            self._extra = not self._extra
            self.current.swap(self.snapshot(self.current.get().version + 1))
        return text_result(f"{name} ran")


async def serve(port: int) -> None:
    """Print the port, then serve until killed."""
    backend = Diagnostics()
    names = (*PLAIN, *CONTENT, *SCHEMAS, EXTRA)
    pinned = [ToolRef("diagnostics", name) for name in names]
    options = Options(port=port, surfaced_tools=pinned)
    async with running(backend.snapshot(1), options) as gateway:
        backend.current = gateway.current
        print(gateway.server.port, flush=True)  # noqa: T201  for whoever started us
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
