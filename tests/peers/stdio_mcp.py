"""An MCP server over stdio that lives dangerously: its tools echo, hold on, talk rubbish and have
children.

Run as a file, by a bare interpreter, so that it is up at once. Its first argument, if any, is what
`word` answers with.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__)))
TOOLS = ("echo", "pid", "word", "hold", "rubbish", "offspring")
PAUSE = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"


def say(message: dict) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def called(name: str, arguments: dict) -> str | None:
    """What the tool answers; None: nothing."""
    if name == "echo":
        return arguments["text"]
    if name == "rubbish":
        write(arguments["text"].encode("latin-1") * arguments.get("times", 1))
        return "so much for that"
    if name == "offspring":
        return str(subprocess.Popen([sys.executable, "-I", "-S", "-c", PAUSE]).pid)
    answers = {"pid": str(os.getpid()), "word": [*sys.argv, ""][1]}
    return answers.get(name)


def result(method: str, params: dict) -> dict | None:
    if method == "initialize":
        information = {"name": "dangerous", "version": "1"}
        version = params["protocolVersion"]
        capabilities = {"tools": {}}
        return {
            "protocolVersion": version,
            "capabilities": capabilities,
            "serverInfo": information,
        }
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    if method == "ping":
        return {}
    return None


def main() -> None:
    for line in sys.stdin.buffer:
        message = json.loads(line)
        method, params = message.get("method"), message.get("params", {})
        if "id" not in message or method is None:
            continue
        if method == "tools/call":
            text = called(params["name"], params.get("arguments", {}))
            if text is not None:
                content = [{"type": "text", "text": text}]
                say({"id": message["id"], "result": {"content": content}})
        elif (found := result(method, params)) is not None:
            say({"id": message["id"], "result": found})
        else:
            say({"id": message["id"], "error": {"code": -32601, "message": "no such method"}})


if __name__ == "__main__":
    main()
