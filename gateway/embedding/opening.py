"""Opens a gateway inside another program.

A file means what it means to `capgate serve`: environment variables and what lies beside it count.
Settings made in code mean what they say, and nothing else: no variable, no file, no folder.
"""

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from gateway import app
from gateway.app.tracing import tracing
from gateway.capability.file.yaml import Parsed
from gateway.config import load
from gateway.config.model import Config
from gateway.config.variables import Place
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import environment
from gateway.embedding.capgate import PATIENCE, Capgate
from gateway.errors import ConfigError
from gateway.runtime.configured import NO_FILE, Configured
from gateway.runtime.registered import Registered
from gateway.runtime.waiting import settled

logging.getLogger("gateway").addHandler(logging.NullHandler())  # a library prints nothing unasked

NOBODY_LISTENS: Mapping[Place, Any] = {("server", "host"): "127.0.0.1"}

Given = str | os.PathLike[str] | Mapping[str, Any] | Config | None


@contextlib.asynccontextmanager
async def open(
    config: Given = None,
    *,
    capabilities: Iterable[str | os.PathLike[str]] = (),
    mock: bool = False,
    wait: float = PATIENCE,
) -> AsyncIterator[Capgate]:
    """A gateway for as long as the block lasts: from a gateway.yaml, from what one would hold as a
    mapping or a `Config`, or empty.

    `capabilities` are folders in place of those that it names. `mock`: tools answer from the
    examples of their files. MCP servers have `wait` seconds to be connected; they come later too.
    Raises ConfigError.
    """
    configured = _configured(config, tuple(os.fspath(folder) for folder in capabilities))
    redactor = Redactor()
    async with (
        tracing(configured.config, redactor) as tracer,
        app.opened(configured, mock=mock, redactor=redactor, tracer=tracer) as parts,
        app.kept_current(parts),
    ):
        await settled(parts.current, wait)
        yield Capgate(parts, configured, redactor)


def _configured(given: Given, folders: tuple[str, ...]) -> Configured:
    said: dict[Place, Any] = dict(NOBODY_LISTENS)
    if folders:
        said["capabilities", "directories"] = folders
    if isinstance(given, str | os.PathLike):
        return _of_file(os.fspath(given), said)
    tree: dict[Any, Any] = (
        msgspec.to_builtins(given) if isinstance(given, Config) else dict(given or {})
    )
    if not folders:  # the default, ./capabilities, is for people
        tree.setdefault("capabilities", {"enabled": False})
    loaded = load.understood(Parsed(NO_FILE, tree, ()), environment(), said)
    if loaded.broken:  # in code, one server that does not fit is an error like any other
        raise ConfigError("\n".join(map(str, loaded.issues)))
    return Configured(None, _sound(loaded), registered=Registered(), environ=loaded.environ)


def _of_file(file: str, said: Mapping[Place, Any]) -> Configured:
    environ = environment()
    source = load.locate(file, environ)
    loaded = load.load(source, environ, said)
    understand = partial(_understand, source, environ, said)
    return Configured(
        source, _sound(loaded), understand, registered=Registered(), environ=loaded.environ
    )


def _understand(
    source: load.Source, environ: Mapping[str, str], said: Mapping[Place, Any], data: bytes
) -> load.Loaded:
    return load.understand(data, source.file, environ, said, source.beside)


def _sound(loaded: load.Loaded) -> Config:
    """Raises ConfigError."""
    if loaded.config is None:
        raise ConfigError("\n".join(map(str, loaded.issues)))
    return loaded.config
