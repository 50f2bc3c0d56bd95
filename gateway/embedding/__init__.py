"""The gateway as a library: opened from a file, from settings made in code, or empty.

It is the road of every other front: policy, failsafes, audit and metrics hold here as they do
there. The program that embeds it keeps its own logging, signals and event loop.
"""

from gateway.embedding.caller import Caller
from gateway.embedding.capgate import Capgate
from gateway.embedding.opening import open  # noqa: A004  read as gateway.open
from gateway.embedding.result import Result, Server, ToolFailed

__all__ = ["Caller", "Capgate", "Result", "Server", "ToolFailed", "open"]
