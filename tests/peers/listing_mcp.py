"""A small MCP server over stdio that offers what its one argument lists, as JSON: `tools`,
`prompts`, `resources` and `templates`, by name.

Run as a file, by a bare interpreter, so that it is up at once. It says what it was asked for.
"""

import json
import sys
from pathlib import Path

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__)))
CAPABILITIES = {
    "tools": {},
    "prompts": {},
    "resources": {"subscribe": True},
    "completions": {},
    "logging": {},
}
LISTS = {
    "tools/list": ("tools", "name"),
    "prompts/list": ("prompts", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
}
EMPTY = ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe")


def say(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def described(name: str, key: str) -> dict:
    text = f"Does {name.replace('_', ' ')} for the team."
    return {key: name, "name": name, "description": text, "inputSchema": {"type": "object"}}


def result(method: str, params: dict, offered: dict) -> dict | None:
    text = {"type": "text", "text": f"REACHED {json.dumps(params, sort_keys=True)}"}
    if method == "initialize":
        said = {"name": "listing", "version": "1"}
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": CAPABILITIES, "serverInfo": said}
    if method in LISTS:
        kind, key = LISTS[method]
        names = offered["templates" if kind == "resourceTemplates" else kind]
        return {kind: [described(name, key) for name in names]}
    if method == "tools/call" and params["name"] in offered["tools"]:
        return {"content": [text]}
    if method == "prompts/get" and params["name"] in offered["prompts"]:
        return {"messages": [{"role": "user", "content": text}]}
    if method == "resources/read" and params["uri"] in offered["resources"]:
        return {"contents": [{"uri": params["uri"], "text": text["text"]}]}
    if method == "completion/complete":
        return {"completion": {"values": [text["text"]]}}
    return {} if method in EMPTY else None


def main() -> None:
    offered = json.loads(sys.argv[1])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        found = result(message["method"], message.get("params", {}), offered)
        fault = {"error": {"code": -32602, "message": "nothing such"}}
        say({"id": message["id"], **(fault if found is None else {"result": found})})


if __name__ == "__main__":
    main()
