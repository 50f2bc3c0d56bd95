"""Where traces are sent, and whether they can be; what sends them is `otel`, loaded when wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


@dataclass(frozen=True, slots=True)
class Settings:
    """`endpoint` is the URL of an OTLP/HTTP collector, with its path; `sample` the share of traces
    that begin here which is kept, 0 to 1; `timeout`, in seconds, bounds the sending of a batch.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    service_name: str = "capgate"
    sample: float = 1.0
    timeout: float = 5.0


def installed() -> bool:
    """Whether the extra is there."""
    try:
        return all(find_spec(name) is not None for name in NEEDED)
    except ModuleNotFoundError:  # of a package above
        return False
