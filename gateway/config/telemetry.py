"""`telemetry:` as what sends traces is made with; and what is wrong with it."""

from collections.abc import Iterator

from yarl import URL

from gateway.capability.file.units import seconds
from gateway.capability.file.yaml import Parsed
from gateway.config.observing import Telemetry
from gateway.domain.issue import Issue
from gateway.observe.traces import Settings, installed
from gateway.protocol.header_values import TOKEN

BOUNDS = (0.1, 60.0)  # seconds


def settings(telemetry: Telemetry) -> Settings:
    return Settings(
        telemetry.endpoint,
        dict(telemetry.headers),
        telemetry.service_name,
        telemetry.sample,
        seconds(telemetry.timeout),
    )


def issues(parsed: Parsed, telemetry: Telemetry) -> Iterator[Issue]:
    """What no single value shows, at its line. No value is quoted: it may hold a key."""
    for path, message, hint in problems(telemetry):
        yield parsed.issue(("telemetry", *path), message, hint)


def problems(telemetry: Telemetry) -> Iterator[tuple[tuple[str, ...], str, str | None]]:
    """Places below `telemetry:`, messages and hints."""
    if telemetry.enabled and not installed():
        text = "traces need OpenTelemetry, which is not installed"
        yield ("enabled",), text, "pip install 'capgate[otel]'"
    if not _is_collector(telemetry.endpoint):
        hint = "such as http://127.0.0.1:4318/v1/traces; a key belongs below headers:"
        yield ("endpoint",), "this is no http(s) URL of a collector", hint
    for name, value in telemetry.headers.items():
        if not TOKEN.fullmatch(name):
            yield ("headers", name), "this is no name of a header", None
        elif not (value.isascii() and value.isprintable()):
            yield ("headers", name), "the value of a header is printable ASCII", None
    if not _is_within(telemetry.timeout):
        yield ("timeout",), f"this is no time from {BOUNDS[0]:g} s to {BOUNDS[1]:g} s", None


def _is_within(timeout: str | float) -> bool:
    try:
        return BOUNDS[0] <= seconds(timeout) <= BOUNDS[1]
    except ValueError:
        return False


def _is_collector(text: str) -> bool:
    try:
        url = URL(text)
        return url.scheme in ("http", "https") and bool(url.host) and not (url.user or url.password)
    except ValueError:
        return False
