"""A very small MCP server over stdio, with nothing but Python: it tells the time of a place."""

import json
import sys

PLACES = {"Amsterdam": "14:30", "Tokyo": "22:30"}
TOOL = {
    "name": "time_in",
    "description": "The time of day in a city.",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def answer(method: str, params: dict[str, object]) -> dict[str, object] | None:
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "clock", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        arguments = params["arguments"]
        city = arguments["city"] if isinstance(arguments, dict) else ""
        known = city in PLACES
        text = PLACES[city] if known else f"no clock in {city}"
        return {"content": [{"type": "text", "text": text}], "isError": not known}
    return {} if method == "ping" else None


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        result = answer(message["method"], message.get("params", {}))
        no = {"error": {"code": -32601, "message": "no such method"}}
        said = no if result is None else {"result": result}
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **said}) + "\n")
        sys.stdout.flush()
