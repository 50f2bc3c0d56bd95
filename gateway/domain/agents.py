"""What each agent may use, as agent-mcp-gateway's rules say it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agents:
    """The rules of all agents. Two that are equal decide alike."""
