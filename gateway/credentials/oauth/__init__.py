"""OAuth to MCP servers: client credentials, and what a person allows. Libraries do the protocol."""
