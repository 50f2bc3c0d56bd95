"""What `failsafe:` of gateway.yaml comes to."""

from typing import Any

from gateway.config import failsafe
from gateway.config.load import Loaded, understand
from gateway.config.model import Config
from gateway.config.unmet import unmet
from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing
from gateway.failsafe.breaker import Limits
from gateway.failsafe.retry import Rule
from gateway.failsafe.settings import Crowd, HealthChecks, Rate, Retries, Settings

DEFAULTS = Settings(
    Limits(5, 3, 30.0), Retries(Rule(2, 10.0, 0.1, 2.0)), Rate(100.0, 50, {}), Crowd(100, 1_000)
)


def read(text: str) -> Loaded:
    return understand(text.encode(), "gateway.yaml", {}, {})


def config(text: str) -> Config:
    found = read(text)
    assert found.config is not None, found.issues
    return found.config


def settings(text: str, backend: str = "api") -> Settings:
    return failsafe.settings(config(text).failsafe)(backend)


def issues(text: str) -> list[tuple[str, str | None, str]]:
    found = read(text)
    assert found.config is None
    return [(each.where, each.path, each.message) for each in found.issues]


def test_nobody_is_slowed_down_by_a_limit_that_nobody_asked_for() -> None:
    assert settings("").rate is None
    assert settings("").breaker == DEFAULTS.breaker
    assert settings("failsafe: {retry: {max_attempts: 3}}") == DEFAULTS


def test_all_that_is_said_counts() -> None:
    text = """
failsafe:
  circuit_breaker: {failure_threshold: 6, success_threshold: 2, reset_timeout: 7s}
  retry:
    {max_attempts: 5, initial_backoff: 10ms, max_backoff: 20s, multiplier: 3,
     idempotent: ["get_*"], not_idempotent: [pay]}
  rate_limit: {requests_per_second: 4, burst_size: 8, tools: {"export_*": 0.5}}
  concurrency: {max_concurrent: 11, max_queued: 12}
  deadline: {extend_on_progress: true, most: 2m}
  health_check: {interval: 40s, timeout: 2s}
"""
    assert settings(text) == Settings(
        Limits(6, 2, 7.0),
        Retries(Rule(4, 20.0, 0.01, 3.0), ("get_*",), ("pay",)),
        Rate(4.0, 8, {"export_*": 0.5}),
        Crowd(11, 12),
        120.0,
    )
    assert failsafe.health_checks(config(text).failsafe) == HealthChecks(40.0, 2.0)


def test_what_one_backend_leaves_out_is_as_for_all_key_by_key() -> None:
    text = """
failsafe:
  circuit_breaker: {failure_threshold: 9, reset_timeout: 1m}
  rate_limit: {burst_size: 7}
  backends:
    api:
      circuit_breaker: {failure_threshold: 2}
      rate_limit: {requests_per_second: 5}
    free: {rate_limit: {enabled: false}}
"""
    assert settings(text).breaker == Limits(2, 3, 60.0)
    assert settings(text).rate == Rate(5.0, 7, {})
    assert settings(text, "free").rate is None
    assert settings(text, "other").breaker == Limits(9, 3, 60.0)


def test_one_backend_may_say_each_section_otherwise() -> None:
    text = """
failsafe:
  backends:
    api:
      circuit_breaker: {failure_threshold: 2}
      retry: {max_attempts: 2}
      rate_limit: {burst_size: 1}
      concurrency: {max_concurrent: 1}
      deadline: {extend_on_progress: true}
"""
    assert settings(text) == Settings(
        Limits(2, 3, 30.0),
        Retries(Rule(1, 10.0, 0.1, 2.0)),
        Rate(100.0, 1, {}),
        Crowd(1, 1_000),
        600.0,
    )
    assert settings(text, "other") == DEFAULTS


def test_a_backend_may_turn_on_what_is_off_for_all() -> None:
    text = """
failsafe:
  circuit_breaker: {enabled: false}
  retry: {enabled: false}
  concurrency: {enabled: false}
  backends: {api: {circuit_breaker: {enabled: true}}}
"""
    found = settings(text)
    assert (found.breaker, found.retries, found.crowd) == (Limits(), None, None)
    assert settings(text, "other").breaker is None


def test_progress_extends_a_deadline_only_where_that_is_wanted() -> None:
    assert settings("").extend is None
    assert settings("failsafe: {deadline: {extend_on_progress: true, most: 2m}}").extend == 120


def test_health_checks_are_for_all_servers_that_say_nothing_themselves() -> None:
    def checks(text: str) -> HealthChecks:
        return failsafe.health_checks(config(text).failsafe)

    assert checks("") == HealthChecks(30.0, 5.0)
    assert checks("failsafe: {health_check: {enabled: false}}") == HealthChecks(None, 5.0)


def test_the_failsafes_of_mcp_gateways_first_page_load() -> None:
    found: Any = settings("""
failsafe:
  circuit_breaker:
    enabled: true
    failure_threshold: 5
  retry:
    enabled: true
    max_attempts: 3
""")
    assert found == DEFAULTS


def test_a_duration_that_is_none_is_told_at_its_line() -> None:
    text = "failsafe:\n  retry:\n    max_backoff: soon\n"
    [(where, path, message)] = issues(text)
    assert (where, path) == ("gateway.yaml:3:18", "failsafe.retry.max_backoff")
    assert "soon" in message
    [(_, path, message)] = issues(
        "failsafe: {backends: {api: {circuit_breaker: {reset_timeout: 1ms}}}}"
    )
    assert path == "failsafe.backends.api.circuit_breaker.reset_timeout"
    assert message == "'1ms' is shorter than 0.01 s"


def test_what_is_wrong_for_all_is_told_where_it_stands() -> None:
    text = "failsafe:\n  retry: {max_attempts: 0}\n  backends: {api: {retry: {multiplier: 3}}}\n"
    assert ("gateway.yaml:2:25", "failsafe.retry.max_attempts") in [
        each[:2] for each in issues(text)
    ]


def test_a_backend_that_is_not_there_is_a_warning_with_the_nearest_name() -> None:
    found = config("failsafe: {backends: {githup: {rate_limit: {requests_per_second: 5}}}}")
    [issue] = unmet(found, "gateway.yaml", Catalog([Listing("github", "", ())]))
    assert (issue.path, issue.hint) == ("failsafe.backends.githup", "did you mean 'github'?")
