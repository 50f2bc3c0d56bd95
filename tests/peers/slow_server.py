"""An MCP server over stdio that says nothing until a file is there: `slow_server.py FILE WORD`.

Run as a file by a bare interpreter. Its one tool `echo` answers with WORD.
"""

import json
import sys
import time
from pathlib import Path

FILE, WORD = Path(sys.argv[1]), sys.argv[2]
TOOL = {"name": "echo", "description": "Say the word.", "inputSchema": {"type": "object"}}
RESULTS = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "slow", "version": "1"},
    },
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": WORD}]},
    "ping": {},
}

while not FILE.exists():
    time.sleep(0.01)  # noqa: TID251  it is not asyncio's
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = RESULTS.get(message["method"])
    answer = {"error": {"code": -32601, "message": "no"}} if result is None else {"result": result}
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}) + "\n")
    sys.stdout.flush()
