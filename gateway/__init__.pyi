from gateway.config.model import Config
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool
from gateway.embedding import Caller, Capgate, Result, Server, ToolFailed
from gateway.embedding import open as open  # noqa: A004
from gateway.errors import (
    BackendError,
    BackendNotFound,
    BackendUnavailable,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    Denied,
    GatewayError,
    InvalidAgent,
    InvalidArguments,
    RateLimited,
    ToolNotFound,
    Unauthenticated,
)
from gateway.version import __version__ as __version__

AuthenticationError = Unauthenticated
AuthorizationError = Denied
ExecutionError = BackendError
ServerNotFound = BackendNotFound

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BackendUnavailable",
    "Caller",
    "Capgate",
    "CircuitOpen",
    "Config",
    "ConfigError",
    "DeadlineExceeded",
    "ExecutionError",
    "GatewayError",
    "Identity",
    "InvalidAgent",
    "InvalidArguments",
    "RateLimited",
    "Result",
    "Server",
    "ServerNotFound",
    "Tool",
    "ToolFailed",
    "ToolNotFound",
    "open",
]
