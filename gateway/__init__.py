"""capgate: a declarative REST-to-MCP capability gateway.

To embed it, everything listed here is to be had as `gateway.NAME`, loaded when it is first asked
for. The types of these names are in `__init__.pyi`.
"""

import importlib

from gateway.version import __version__

__all__ = ["__version__"]

_EMBEDDING, _ERRORS = "gateway.embedding", "gateway.errors"
_PUBLIC = {  # name → where it is, and what it is called there
    **{
        name: (_EMBEDDING, name)
        for name in ("open", "Capgate", "Caller", "Result", "Server", "ToolFailed")
    },
    "Config": ("gateway.config.model", "Config"),
    "Identity": ("gateway.domain.identity", "Identity"),
    "Tool": ("gateway.domain.tool", "Tool"),
    **{
        name: (_ERRORS, name)
        for name in (
            *("GatewayError", "ConfigError", "ToolNotFound", "InvalidArguments", "InvalidAgent"),
            *("RateLimited", "CircuitOpen", "BackendUnavailable", "DeadlineExceeded"),
        )
    },
    "ServerNotFound": (_ERRORS, "BackendNotFound"),
    "AuthenticationError": (_ERRORS, "Unauthenticated"),
    "AuthorizationError": (_ERRORS, "Denied"),
    "ExecutionError": (_ERRORS, "BackendError"),
}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _PUBLIC[name]
    found = globals()[name] = getattr(importlib.import_module(module), own)
    return found


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]
