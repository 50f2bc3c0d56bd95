"""`make bench`: the gateway under load, in CPU-milliseconds of its process per call.

On a shared machine CPU per call repeats within some 15 %, wall times do not: quote the former.
"""

import asyncio
import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.load import MakeRequest, drive
from benchmarks.process import cpu_seconds, gateway, peer, resident_mb

SECONDS = 4.0
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}

ITEMS = """\
capability: 1
name: items
description: Items in stock
base_url: http://127.0.0.1:{port}
tools:
  get_item:
    description: One item by its number.
    args:
      id: {{type: integer, required: true, description: Number of the item}}
      lang: {{type: string, enum: [en, de]}}
    get: /api/items/{{{{ args.id }}}}
    query: {{lang: "{{{{ args.lang }}}}"}}
"""


def many(number: int, tools: int) -> str:
    """A file with `tools` tools whose words vary, so that search has something to tell apart."""
    verbs = ("get", "list", "find", "create", "update", "delete", "count", "export", "watch", "tag")
    nouns = ("invoice", "customer", "ticket", "shipment", "contract", "meeting", "asset", "alert")
    lines = [f"capability: 1\nname: api{number}\ndescription: Service number {number}"]
    lines.append("base_url: https://api.example.com\ntools:")
    for index in range(tools):
        verb, noun = verbs[index % len(verbs)], nouns[(index + number) % len(nouns)]
        lines.append(
            f"  {verb}_{noun}_{index}:\n"
            f"    description: {verb.title()} one {noun} of division {number} by its number.\n"
            "    args:\n"
            f"      {noun}_id: {{type: integer, required: true, description: Number of it}}\n"
            "      fields: {type: array, items: {type: string}, description: Only these}\n"
            f"    get: /{noun}s/{{{{ args.{noun}_id }}}}\n"
            '    query: {fields: "{{ args.fields }}"}'
        )
    return "\n".join(lines) + "\n"


def request(method: str, path: str = "/mcp", key: str = "", **params: object) -> MakeRequest:
    """Requests of the modern era, each with its own id; `@` in a string becomes that number.

    `key` is what the client shows.
    """
    text = json.dumps(
        {"jsonrpc": "2.0", "id": "@", "method": method, "params": {**params, "_meta": META}},
        separators=(",", ":"),
    )
    name = f"Mcp-Name: {params['name']}\r\n" if "name" in params else ""
    shown = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
        f"Mcp-Method: {method}\r\n{name}{shown}"
    )

    def make(number: int) -> bytes:
        body = text.replace('"@"', str(number)).encode()
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return make


def measure(
    title: str, at: tuple[int, int], make: MakeRequest, expect: bytes, seconds: float = SECONDS
) -> None:
    """`at` is the gateway's port and process."""
    port, pid = at
    for connections in (1, 32):
        before = cpu_seconds(pid)
        tally = asyncio.run(drive(port, make, expect, connections, seconds))
        spent = (cpu_seconds(pid) - before) / max(tally.number, 1) * 1e3
        micros = sorted(tally.micros) or [float("nan")]
        p99 = micros[int(len(micros) * 0.99)]
        print(
            f"{title:34s} c={connections:<3d} {spent:7.3f} CPU-ms/call"
            f" {len(micros) / seconds:9.0f}/s p50 {statistics.median(micros):7.0f} us"
            f" p99 {p99:7.0f} us errors {tally.errors}",
            flush=True,
        )


def rest_calls() -> None:
    with tempfile.TemporaryDirectory() as folder, peer("benchmarks.peer") as backend:
        Path(folder, "items.yaml").write_text(ITEMS.format(port=backend))
        with gateway(Path(folder)) as (port, process, _):
            at = (port, process.pid)
            measure("tools/list at /mcp", at, request("tools/list"), b"gateway_invoke")
            arguments = {"server": "items", "tool": "get_item", "arguments": {"id": 7}}
            invoke = request("tools/call", name="gateway_invoke", arguments=arguments)
            measure("gateway_invoke of a REST tool", at, invoke, b"Item 7")
            direct = request("tools/call", "/mcp/items", name="get_item", arguments={"id": 7})
            measure("the same tool at /mcp/items", at, direct, b"Item 7")


def searches() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(100):
            Path(folder, f"api{number}.yaml").write_text(many(number, 100))
        with gateway(Path(folder)) as (port, process, _):
            arguments = {"query": "export the invoices of division 42"}
            search = request("tools/call", name="gateway_search_tools", arguments=arguments)
            measure("search over 10,000 tools", (port, process.pid), search, b"_invoice_")
            print(f"{'resident with 10,000 tools':34s} {resident_mb(process.pid):7.1f} MB")


def start_up() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(100):
            Path(folder, f"api{number}.yaml").write_text(many(number, 3))
        times = []
        for _ in range(5):
            with gateway(Path(folder)) as (_, process, seconds):
                times.append(seconds)
                memory = resident_mb(process.pid)
        print(
            f"{'start to first tools/list':34s} {statistics.median(times):7.3f} s"
            f" (100 files, 300 tools), resident {memory:.1f} MB"
        )


if __name__ == "__main__":
    start_up()
    rest_calls()
    searches()
