"""How MCP servers are reached. To add a way: write its file and name it here."""

from gateway.transports.http import Http
from gateway.transports.sse import Sse
from gateway.transports.stdio import Stdio
from gateway.transports.websocket import WebSocket

TransportKind = Stdio | Http | Sse | WebSocket

__all__ = ["Http", "Sse", "Stdio", "TransportKind", "WebSocket"]
