"""Calls through to MCP servers: what the gateway's process spends on each, and how long one takes.

`python -m benchmarks.mcp_backends [SECONDS]`, over HTTP and over stdio, at the server's own URL and
by `gateway_invoke`, at one connection and at 32.
"""

import contextlib
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import measure, request
from benchmarks.process import gateway, peer

PATIENCE = 30.0  # seconds for the gateway to connect to both servers
SERVERS = {"by_http": "Streamable HTTP", "by_stdio": "stdio"}
ARGUMENTS = {"text": "hello from the other side"}


def config(port: int) -> str:
    """A gateway.yaml, which JSON is too."""
    command = [sys.executable, "-m", "benchmarks.mcp_peer", "--stdio"]
    backends = {
        "by_http": {"http_url": f"http://127.0.0.1:{port}/mcp"},
        "by_stdio": {"command": command, "cwd": str(Path.cwd())},
    }
    return json.dumps({"backends": backends})


def wait_for_servers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            told = json.loads(connection.getresponse().read())
        if all(told["backends"][name]["status"] == "ok" for name in SERVERS):
            return
    raise SystemExit(f"not connected: {told['backends']}")


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, peer("benchmarks.mcp_peer") as backend:
        capabilities = Path(folder, "capabilities")
        capabilities.mkdir()
        file = Path(folder, "gateway.yaml")
        file.write_text(config(backend))
        with gateway(capabilities, "-c", str(file)) as (port, process, _):
            wait_for_servers(port)
            at = (port, process.pid)
            for name, title in SERVERS.items():
                direct = request("tools/call", f"/mcp/{name}", name="echo", arguments=ARGUMENTS)
                measure(f"{title} at /mcp/{name}", at, direct, b"hello from", seconds)
                invoked = {"server": name, "tool": "echo", "arguments": ARGUMENTS}
                invoke = request("tools/call", name="gateway_invoke", arguments=invoked)
                measure(f"{title} by gateway_invoke", at, invoke, b"hello from", seconds)


if __name__ == "__main__":
    main(float([*sys.argv, "4"][1]))
