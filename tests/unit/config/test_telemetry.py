"""What of `telemetry:` is refused, and what becomes of it."""

import pytest

from gateway.config import telemetry
from gateway.config.load import understand
from gateway.config.observing import Telemetry
from gateway.observe.traces import Settings


def problems(text):
    loaded = understand(text.encode(), "gateway.yaml", {}, {})
    return {issue.path: issue for issue in loaded.issues}


def test_what_the_defaults_say_is_sent_to_a_collector_on_this_machine():
    found = telemetry.settings(Telemetry(enabled=True))
    assert found.endpoint == "http://127.0.0.1:4318/v1/traces"
    assert (found.sample, found.timeout, found.service_name) == (1.0, 5.0, "capgate")


def test_all_that_is_said_counts():
    text = "{enabled: true, endpoint: 'https://c.example/v1', headers: {x-key: k}, "
    text = f"telemetry: {text}service_name: edge, sample: 0.25, timeout: 2s}}"
    loaded = understand(text.encode(), "gateway.yaml", {}, {})
    assert telemetry.settings(loaded.config.telemetry) == Settings(
        "https://c.example/v1", {"x-key": "k"}, "edge", 0.25, 2.0
    )


@pytest.mark.parametrize(
    "endpoint",
    ["collector:4318", "ftp://collector/v1/traces", "http:///v1", "http://[", "https://u:p@c/v1"],
)
def test_an_endpoint_is_an_address_without_a_key(endpoint):
    issue = problems(f"telemetry: {{enabled: true, endpoint: '{endpoint}'}}")["telemetry.endpoint"]
    assert issue.line == 1
    assert endpoint not in str(issue)


@pytest.mark.parametrize("value", ['"a\\r\\nX-Evil: 1"', '"\\u00e4"', '"\\0"'])
def test_a_header_that_could_not_be_sent_is_refused_unquoted(value):
    issue = problems(f"telemetry: {{headers: {{x-key: {value}}}}}")["telemetry.headers.x-key"]
    assert "printable" in issue.message
    assert "Evil" not in str(issue)


def test_a_header_has_a_name():
    assert len(problems("telemetry: {headers: {'a b': c}}")) == 1


@pytest.mark.parametrize("timeout", ["0", "10 parsecs", "2h", "-1"])
def test_a_batch_takes_a_while_and_not_for_ever(timeout):
    assert "telemetry.timeout" in problems(f"telemetry: {{timeout: {timeout}}}")


def test_without_the_extra_it_is_refused_and_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(telemetry, "installed", lambda: False)
    issue = problems("telemetry: {enabled: true}")["telemetry.enabled"]
    assert issue.hint == "pip install 'capgate[otel]'"
    assert problems("telemetry: {enabled: false}") == {}


def test_headers_are_in_no_repr():
    found = telemetry.settings(Telemetry(headers={"x-key": "canary-value"}))
    assert "canary-value" not in repr(found)
