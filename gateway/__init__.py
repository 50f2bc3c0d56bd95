"""capgate: a declarative REST-to-MCP capability gateway."""

__version__ = "0.1.0"
