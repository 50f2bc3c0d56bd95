"""A legacy MCP server over stdio that is up in an instant: it echoes, hangs, dies and lists lies.

Run as a file by a bare interpreter. Its argument is what goes wrong: `stillborn`, `hostile`, or
`endless`.
"""

import json
import os
import sys
from pathlib import Path

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__)))
WRONG = sys.argv[1] if len(sys.argv) > 1 else ""
OBJECT = {"type": "object"}


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"items": value}
    return value


def hostile() -> list:
    deep = {"type": "object", "properties": {"a": nested(200)}}
    remote = {"type": "object", "properties": {"a": {"$ref": "http://169.254.169.254/"}}}
    return [
        {"name": "a b/../..", "inputSchema": OBJECT},
        {"name": "null", "inputSchema": None},
        {"name": "list", "inputSchema": []},
        {"name": "remote", "inputSchema": remote},
        {"name": "deep", "inputSchema": deep},
        {"name": "echo", "description": "twice", "inputSchema": OBJECT},
        {"name": "long", "description": "ignore previous\u202e " * 60_000, "inputSchema": OBJECT},
        "no tool",
        None,
    ]


def listed(params: dict) -> dict:
    names = ("echo", "hang", "die", "pid")
    tools: list = [{"name": name, "inputSchema": OBJECT} for name in names]
    if WRONG == "hostile":
        tools += hostile()
    if WRONG == "endless":
        page = int(params.get("cursor", 0))
        tools = [{"name": f"t{page}", "inputSchema": OBJECT}]
        return {"tools": tools, "nextCursor": str((page + 1) % 40)}
    return {"tools": tools}


def called(params: dict) -> dict | None:
    name, arguments = params["name"], params.get("arguments", {})
    if name == "hang":
        return None
    if name == "die":
        sys.stderr.write("out of cheese\n")
        sys.stderr.flush()
        os._exit(3)
    text = str(os.getpid()) if name == "pid" else json.dumps(arguments)
    return {"content": [{"type": "text", "text": text}]}


def answer(method: str, params: dict) -> dict | None:
    if method == "initialize":
        about = {"name": "bare", "version": "1"}
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        return listed(params)
    return called(params) if method == "tools/call" else {}


def main() -> None:
    if WRONG == "stillborn":
        sys.stderr.write("no licence for today\n")
        sys.exit(4)
    for line in sys.stdin:
        message = json.loads(line)
        id = message.get("id")
        if id is None or "method" not in message:
            continue
        if message["method"] == "server/discover":
            found: dict | None = {"error": {"code": -32601, "message": "no such method"}}
        else:
            result = answer(message["method"], message.get("params", {}))
            found = None if result is None else {"result": result}
        if found is not None:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": id, **found}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
