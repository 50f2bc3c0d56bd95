import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.domain.catalog import Catalog
from gateway.domain.events import CallFinished, Reloaded
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.observe.ledger import Ledger
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.admin import pages
from tests.peers.offering import offering, prompt, resource

ISSUE = Issue("weather.yaml", "not a path", 14, 3, "tools.now", "write $")


def routes(
    health: Health, ledger: Ledger | None = None, stopping: Callable[[], bool] = lambda: False
) -> Mapping[str, Callable[[Identity], Any]]:
    catalog = Catalog([Listing("weather", "Weather.", (), health)])
    current = Current(Snapshot(3, catalog, issues=health.issues))
    return pages(current, ledger or Ledger(), lambda: b"up 1\n", stopping)


def health(found: Mapping[str, Callable[[Identity], Any]]) -> dict[str, Any]:
    return dict(json.loads(found["/health"](ANONYMOUS).body))


def test_health_is_healthy_when_every_backend_is() -> None:
    found = health(routes(Health()))
    assert found["status"] == "healthy"
    assert found["backends"]["weather"]["running"] is True
    assert found["reload"]["version"] == 3


def test_a_poor_backend_degrades_health_and_says_why_and_where() -> None:
    found = health(routes(Health(Status.DEGRADED, "stale", (ISSUE,))))
    assert found["status"] == "degraded"
    assert found["backends"]["weather"]["reason"] == "stale"
    assert found["backends"]["weather"]["issues"][0]["where"] == "weather.yaml:14:3"
    assert found["reload"]["issues"][0]["hint"] == "write $"


def test_health_shows_the_first_of_many_issues() -> None:
    """One broken file of 10,000 tools made a page of 5 MB, for which everybody waited 50 ms."""
    found = health(routes(Health(Status.DEGRADED, "stale", (ISSUE,) * 20_000)))
    assert len(found["backends"]["weather"]["issues"]) == 100
    assert len(found["reload"]["issues"]) == 100


def test_health_tells_what_an_mcp_server_offers_and_what_was_dropped_of_it() -> None:
    offered = offering("fs", prompts=[prompt("p")], resources=[resource("x:y")], tools=["t"])
    dropped = Issue("fs", "tool 'odd' was dropped: its schema refers to the network", hint="h")
    current = Current(Snapshot(1, Catalog([replace(offered, health=Health(issues=(dropped,)))])))
    found = health(pages(current, Ledger(), None, lambda: False))["backends"]["fs"]
    assert (found["era"], found["transport"], found["running"]) == ("modern", "stdio", True)
    assert (found["tools_cached"], found["prompts_cached"], found["resources_cached"]) == (1, 1, 1)
    assert "'odd' was dropped" in found["issues"][0]["message"]


def test_health_counts_calls_and_keeps_the_last_error() -> None:
    ledger = Ledger()
    for outcome in ("ok", "timeout", "tool_error", "cancelled"):
        ledger(CallFinished("1", "weather", "now", "anonymous", outcome, 0.1))
    found = health(routes(Health(), ledger))["backends"]["weather"]
    assert (found["request_count"], found["last_error"]) == (4, "timeout")


def test_health_tells_of_the_last_reload() -> None:
    ledger = Ledger()
    ledger(Reloaded(2, ("a",), (), (), 0.1))
    ledger(Reloaded(3, ("b",), ("c",), (), 0.1))
    found = health(routes(Health(), ledger))["reload"]
    assert (found["count"], found["changed"], found["removed"]) == (2, ["b"], ["c"])


def test_a_stopping_gateway_is_alive_but_not_ready() -> None:
    ready, stopping = routes(Health()), routes(Health(), stopping=lambda: True)
    assert [ready[path](ANONYMOUS).status for path in ("/livez", "/readyz")] == [200, 200]
    assert [stopping[path](ANONYMOUS).status for path in ("/livez", "/readyz")] == [200, 503]
    assert health(stopping)["status"] == "stopping"


def test_metrics_are_prometheus_text() -> None:
    page = routes(Health())["/metrics"](ANONYMOUS)
    assert callable(page)  # a thread's work, for it takes 25 ms of thousands of series
    reply = page()
    assert reply.body == b"up 1\n"
    assert "version=0.0.4" in reply.kind
