"""An MCP server of either era that does what its callers say, good or bad: what it says, and when.

It knows no transport. As a file, run by a bare interpreter, it speaks over stdio; its argument is a
JSON object of what `Hostile` takes.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__)))
MODERN, LEGACY = "2026-07-28", "2025-11-25"
PROTOCOL = "io.modelcontextprotocol/protocolVersion"
OBJECT = {"type": "object"}
NAMES = ("echo", "size", "hang", "ask", "chat", "say", "answer", "relist", "end", "seen", "open")
UPDATED = "notifications/resources/updated"
ELICITED = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}

Message = dict[str, Any]
Say = Callable[[Any], None]  # a message, or bytes as they are


class Hostile:
    """`tools` that it lists beside its own, or their number; `era` is all it understands.

    `hold` names methods that it never answers. `everybody` takes what concerns no request.
    """

    def __init__(
        self,
        tools: list[Any] | int = 0,
        era: str = "legacy",
        hold: tuple[str, ...] = (),
        page: int = 0,
        capabilities: Message | None = None,
    ) -> None:
        self.more = tools
        self.modern = era == "modern"
        self.hold = hold
        self.page = page
        self.capabilities = capabilities or {
            "tools": {"listChanged": True},
            "resources": {"subscribe": True},
            "logging": {},
        }
        self.heard: list[Message] = []
        self.held: list[tuple[Any, Say]] = []
        self.cancelled: list[Any] = []
        self.asked = 0
        self.everybody: Say = write
        self._asking: dict[Any, tuple[Any, Say]] = {}

    def take(self, message: Message, say: Say) -> None:
        """`say` takes what belongs to this message, its answer included."""
        self.heard.append(message)
        id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
        if method is None:
            self._answered(message)
        elif id is None:
            if method == "notifications/cancelled":
                self.cancelled.append(params.get("requestId"))
        elif method in self.hold:
            self.held.append((id, say))
        elif self.modern != (PROTOCOL in (params.get("_meta") or {})):
            code = -32601 if not self.modern else -32602
            say({"id": id, "error": {"code": code, "message": "that is the other era"}})
        else:
            self._request(id, method, params, say)

    def _request(self, id: Any, method: str, params: Message, say: Say) -> None:
        if method == "tools/call":
            self._call(id, params, say)
        elif method == "subscriptions/listen":
            wanted = params.get("notifications", {})
            meta = {"io.modelcontextprotocol/subscriptionId": str(id)}
            told = {"notifications": wanted, "_meta": meta}
            say({"method": "notifications/subscriptions/acknowledged", "params": told})
        else:
            result = self._result(method, params)
            if result is None:
                say({"id": id, "error": {"code": -32601, "message": "no such method"}})
            else:
                say({"id": id, "result": self.complete(result)})

    def _result(self, method: str, params: Message) -> Message | None:
        about = {"name": "hostile", "version": "1"}
        if method == "initialize":
            version = params["protocolVersion"]
            return {
                "protocolVersion": version,
                "capabilities": self.capabilities,
                "serverInfo": about,
            }
        if method == "server/discover":
            meta = {"io.modelcontextprotocol/serverInfo": about}
            versions = {"supportedVersions": [MODERN], "_meta": meta}
            return {**versions, "capabilities": self.capabilities, "ttlMs": 0}
        if method == "tools/list":
            return self._listed(params)
        if method == "resources/list":
            return {"resources": [{"uri": "x://a", "name": "a"}]}
        if method == "resources/templates/list":
            return {"resourceTemplates": []}
        known = ("ping", "resources/subscribe", "resources/unsubscribe", "logging/setLevel")
        return {} if method in known else None

    def complete(self, result: Message) -> Message:
        return {"resultType": "complete", **result} if self.modern else result

    def _listed(self, params: Message) -> Message:
        tools: list[Any] = [{"name": name, "inputSchema": OBJECT} for name in NAMES]
        if isinstance(self.more, int):
            tools += [many(number) for number in range(self.more)]
        else:
            tools += self.more
        if not self.page:
            return {"tools": tools}
        begin = int(params.get("cursor", 0))
        end = begin + self.page
        return {
            "tools": tools[begin:end],
            **({"nextCursor": str(end)} if end < len(tools) else {}),
        }

    # -- calls ----------------------------------------------------------------------------------

    def _call(self, id: Any, params: Message, say: Say) -> None:
        name, given = params["name"], params.get("arguments") or {}
        if name == "hang":
            self.held.append((id, say))
        elif name == "ask":
            self._ask(id, params, given, say)
        elif name == "say":  # anything, before the answer
            for message in given.get("messages", ()):
                say(message)
            for line in given.get("raw", ()):
                say(line.encode("latin-1") * given.get("times", 1))
            self.text(id, "said", say)
        elif name == "answer":  # in these words
            say({"id": id, **given})
        else:
            text = self._text(name, given, params, say)
            self.text(id, text, say)

    def _text(self, name: str, given: Message, params: Message, say: Say) -> str:
        if name == "size":
            return given["text"] * (given["size"] // len(given["text"]))
        if name == "chat":
            token = (params.get("_meta") or {}).get("progressToken")
            for number in range(given.get("times", 1)):
                about = {"progressToken": token, "progress": number, "message": given["text"]}
                say({"method": "notifications/progress", "params": about})
                log = {"level": "error", "data": given["text"]}
                say({"method": "notifications/message", "params": log})
        if name == "relist":
            self.more = given["tools"]
            self.everybody({"method": "notifications/tools/list_changed"})
        if name == "open":
            return str(len(self.held))
        if name == "seen":
            return json.dumps({"heard": self.heard, "environ": dict(os.environ)})  # noqa: TID251 (a child's)
        if name == "end":
            os._exit(3)
        return str(given.get("text", ""))

    def text(self, id: Any, text: str, say: Say) -> None:
        content = [{"type": "text", "text": text}]
        say({"id": id, "result": self.complete({"content": content})})

    def _ask(self, id: Any, params: Message, given: Message, say: Say) -> None:
        """Legacy: by a request of its own, under an `id` of the caller's choice."""
        question = {**ELICITED, "message": given.get("text", "Who?")}
        if self.modern:
            answers = params.get("inputResponses")
            if answers is not None:
                self.text(id, json.dumps([answers, params.get("requestState")]), say)
                return
            asked = {"q": {"method": "elicitation/create", "params": question}}
            state = {"inputRequests": asked, "requestState": f"state of {given.get('text')}"}
            say({"id": id, "result": {"resultType": "input_required", **state}})
            return
        self.asked += 1
        own = given.get("id", f"q{self.asked}")
        self._asking[own] = (id, say)
        say({"id": own, "method": "elicitation/create", "params": question})

    def _answered(self, message: Message) -> None:
        found = self._asking.pop(message.get("id"), None)
        if found is not None:
            id, say = found
            answer = {key: message[key] for key in ("result", "error") if key in message}
            self.text(id, json.dumps(answer), say)


def many(number: int) -> Message:
    """The `number`th of very many tools, as large as tools are."""
    words = f"Looks up the {number}th thing among the orders, invoices and customers of a shop."
    query = {"type": "string", "description": "What to look for, in the words of the shop."}
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
    schema = {"type": "object", "properties": {"query": query, "limit": limit}}
    return {
        "name": f"thing_{number}",
        "description": words,
        "inputSchema": {**schema, "required": ["query"]},
    }


def line_of(message: Any) -> bytes:
    if isinstance(message, bytes):
        return message
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def write(message: Any) -> None:
    data = memoryview(line_of(message))
    while data:
        data = data[os.write(1, data) :]


def main() -> None:
    server = Hostile(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}"))
    server.everybody = write
    for line in sys.stdin.buffer:
        server.take(json.loads(line), write)


if __name__ == "__main__":
    main()
