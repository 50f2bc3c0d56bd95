"""An MCP server's pipes without MCP: a child that does what a request's method says.

Run as a file, by a bare interpreter, so that it is up at once. `stubborn` as its argument makes it
stay when its input ends and when it is asked to end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__)))
MEGABYTE = 1 << 20


def say(message: dict) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def write(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(1, left) :]


def complain(text: str) -> None:
    os.write(2, text.encode())


def about(_params: dict) -> dict:
    return {
        "environment": dict(os.environ),  # noqa: TID251  it is to be shown
        "cwd": str(Path.cwd()),
        "pid": os.getpid(),
        "session": os.getsid(0),
    }


def offspring(_params: dict) -> dict:
    """A grandchild that would live for ever, and keeps our output open."""
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program])
    return {"pid": child.pid}


def written(params: dict) -> dict | None:
    """These bytes first, then the answer, if any."""
    write(params["text"].encode("latin-1") * params.get("times", 1))
    return params.get("answer")


def complained(params: dict) -> dict:
    for _ in range(params.get("times", 1)):
        complain(params["text"])
    return {}


def end(params: dict) -> None:
    complain(params.get("text", ""))
    sys.exit(params.get("code", 0))


def close(params: dict) -> None:
    os.close(params["descriptor"])
    signal.pause()


def sleep(_params: dict) -> None:
    """And read nothing."""
    signal.pause()


DOING = {
    "echo": dict,
    "about": about,
    "offspring": offspring,
    "write": written,
    "complain": complained,
    "end": end,
    "close": close,
    "sleep": sleep,
}


def main() -> None:
    stubborn = "stubborn" in sys.argv
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        doing = DOING.get(message.get("method"), lambda _params: None)
        result = doing(message.get("params", {}))  # None when no answer is due
        if result is not None:
            say({"id": message["id"], "result": result})
    if stubborn:
        threading.Event().wait()


if __name__ == "__main__":
    main()
