"""A small MCP server over stdio with the tools that its arguments name: each tells how it was
called.

Run as a file, by a bare interpreter, so that it is up at once. A tool called `fail` fails, one
called `hang` never answers, `environment` tells the variables it was started with.
"""

import json
import os
import sys
from pathlib import Path

FILE = str(Path(__file__))
COMMAND = (sys.executable, "-I", "-S", FILE)
HINTS = {"readOnlyHint": True}


def say(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tool(name: str) -> dict:
    return {
        "name": name,
        "description": f"Does {name.replace('_', ' ')}.",
        "inputSchema": {"type": "object"},
        "annotations": HINTS,
    }


def called(name: str, arguments: dict) -> dict | None:
    if name == "hang":
        return None
    told = dict(os.environ) if name == "environment" else {"tool": name, "arguments": arguments}  # noqa: TID251  it is to be shown
    content = [{"type": "text", "text": json.dumps(told)}]
    return {"content": content, "structuredContent": told, "isError": name == "fail"}


def result(method: str, params: dict) -> dict | None:
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "small", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [tool(name) for name in sys.argv[1:]]}
    if method == "tools/call":
        return called(params["name"], params.get("arguments", {}))
    return {} if method == "ping" else None


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        answer = result(message["method"], message.get("params", {}))
        if answer is not None:
            say({"id": message["id"], "result": answer})
        elif message["method"] != "tools/call":
            say({"id": message["id"], "error": {"code": -32601, "message": "no such method"}})


if __name__ == "__main__":
    main()
