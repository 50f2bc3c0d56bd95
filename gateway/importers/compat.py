"""How a file of a capability folder is read: as ours, or as the folder's `compat:` says."""

from collections.abc import Callable, Mapping

from gateway.capability import load as native
from gateway.capability.load import Loaded
from gateway.config.directories import compat
from gateway.config.model import Capabilities
from gateway.credentials.redact import Redactor
from gateway.importers.fulcrum.document import is_fulcrum

Load = Callable[..., Loaded]


def load(
    data: bytes,
    file: str,
    settings: Capabilities,
    *,
    environ: Mapping[str, str],
    redactor: Redactor,
) -> Loaded:
    """Never raises, whatever the bytes. In a folder of other files ours load all the same."""
    read: Load = native.load
    if compat(settings, file) == "fulcrum" and is_fulcrum(data):
        from gateway.importers.fulcrum import live  # noqa: PLC0415  7 ms of a start, for few

        read = live.load
    return read(data, file, environ=environ, redactor=redactor, vars_override=settings.vars)
