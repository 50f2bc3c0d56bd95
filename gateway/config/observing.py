"""`audit:`, `telemetry:` and `lock:` of gateway.yaml as frozen values. The text below a field is
what an editor shows.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from gateway.capability.file.model import Duration, Named, Size, Strict, Text

REDACTED = (
    *("*password*", "*passwd*", "*secret*", "*token*", "*api_key*", "*apikey*", "*credential*"),
    *("authorization", "*private_key*", "cookie"),
)


class Rotation(Strict, frozen=True):
    """When the file is put aside and a new one begun."""

    size: Size = "100 MB"
    """At this size; 0: never."""
    keep: Annotated[int, Meta(ge=0, le=1_000)] = 10
    """So many old files stay, as audit.jsonl.1 and so on."""


class Audit(Strict, frozen=True):
    """One line of JSON for each call, also those that were refused, failed or were cancelled."""

    enabled: bool = False
    """Write it."""
    file: Text = "audit.jsonl"
    """Where; relative to this file's folder. `-` is standard output."""
    on_failure: Literal["fail_open", "fail_closed"] = "fail_open"
    """When it cannot be written: `fail_closed` refuses calls, `fail_open` lets them pass and counts
    the lines that are lost."""
    arguments: bool = False
    """Write down the arguments of calls too."""
    redact: tuple[Text, ...] = REDACTED
    """Globs of arguments, at any depth, whose values are replaced by ***; case, `_` and `-` do not
    count. One with colons is for a tool: github:create_*:body."""
    longest_argument: Annotated[int, Meta(ge=16, le=100_000)] = 1_024
    """Characters of a single text in them; the rest is cut."""
    rotation: Rotation = Rotation()
    """When a new file is begun."""
    sync: bool = False
    """Wait for the disk after each batch of lines."""


class Telemetry(Strict, frozen=True):
    """Traces of calls, by OpenTelemetry; needs capgate[otel]."""

    enabled: bool = False
    """Send them."""
    endpoint: Text = "http://127.0.0.1:4318/v1/traces"
    """Where: an OTLP/HTTP collector."""
    headers: dict[Named, str] = field(default_factory=dict)
    """Sent along, such as an API key."""
    service_name: Text = "capgate"
    """What this gateway is called there."""
    sample: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """The share of traces that begin here which is kept; others keep what their caller decided."""
    timeout: Duration = "5s"
    """How long sending a batch may take."""

    def __repr__(self) -> str:
        return f"<Telemetry enabled={self.enabled} {len(self.headers)} headers>"


class Lock(Strict, frozen=True):
    """Pins the definitions of tools: gateway.lock, written by `capgate lock`."""

    enabled: bool = True
    """Look at it, where it is."""
    file: Text = "gateway.lock"
    """Where; relative to this file's folder."""
    on_change: Literal["warn", "hold", "deny"] = "warn"
    """When a tool differs from what is pinned: `warn` tells of it, `hold` goes on offering it as it
    was pinned, `deny` withdraws it. New tools are offered under `warn` alone."""
    backends: tuple[Text, ...] = ("*",)
    """Globs of the backends that are pinned."""
