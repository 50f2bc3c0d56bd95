"""COMPOSITION ROOT: a configuration in, everything made and wired out; no if about traffic."""

from gateway.app.parts import Parts, logged, offered, opened
from gateway.app.serve import kept_current, listening, serve, serve_stdio

__all__ = [
    "Parts",
    "kept_current",
    "listening",
    "logged",
    "offered",
    "opened",
    "serve",
    "serve_stdio",
]
