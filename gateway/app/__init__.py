"""COMPOSITION ROOT: a configuration in, everything made and wired out; no if about traffic."""

from gateway.app.parts import Parts, logged, offered, opened
from gateway.app.serve import listening, serve, serve_stdio

__all__ = ["Parts", "listening", "logged", "offered", "opened", "serve", "serve_stdio"]
