"""The client side of MCP: one open conversation with one server, of whichever era."""
