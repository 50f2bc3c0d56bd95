"""Numbers at `/metrics`: counted from the first event on, bounded, in Prometheus' own format."""

import subprocess
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

from gateway.domain.catalog import Catalog
from gateway.domain.events import (
    CallFinished,
    CircuitChanged,
    Limited,
    MetaFinished,
    Queried,
    Refused,
    Reloaded,
    RequestAnswered,
    Searched,
)
from gateway.domain.identity import Identity
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import Tool, ToolRef
from gateway.observe.figures import MOST
from gateway.observe.metrics import CONTENT_TYPE, MOST_CALLERS, Metrics


def call(backend="gh", tool="get", outcome="ok", seconds=0.02, who=None):
    who = who or Identity("anonymous")
    return CallFinished("1", backend, tool, who.name, outcome, seconds, who)


def samples(metrics):
    """Sample name and labels → value, as a Prometheus server would read them."""
    text = metrics.render().decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labelled(name, **labels):
    return (name, *sorted(labels.items()))


def test_calls_count_by_backend_tool_and_outcome():
    metrics = Metrics()
    for outcome in ("ok", "ok", "timeout"):
        metrics(call(outcome=outcome))
    found = samples(metrics)
    name = "capgate_calls_total"
    where = {"backend": "gh", "tool": "get", "agent": ""}
    assert found[labelled(name, outcome="ok", **where)] == 2
    assert found[labelled(name, outcome="timeout", **where)] == 1


def test_latencies_of_all_outcomes_share_one_histogram():
    metrics = Metrics()
    metrics(call(seconds=0.02))
    metrics(call(seconds=60.0, outcome="timeout"))
    found = samples(metrics)
    where = {"backend": "gh", "tool": "get"}
    assert found[labelled("capgate_call_seconds_bucket", le="0.01", **where)] == 0
    assert found[labelled("capgate_call_seconds_bucket", le="0.025", **where)] == 1
    assert found[labelled("capgate_call_seconds_bucket", le="30.0", **where)] == 1
    assert found[labelled("capgate_call_seconds_bucket", le="+Inf", **where)] == 2
    assert found[labelled("capgate_call_seconds_sum", **where)] == 60.02


def test_a_bound_belongs_to_its_own_bucket():
    metrics = Metrics()
    metrics(call(seconds=0.01))
    found = samples(metrics)
    bucket = labelled("capgate_call_seconds_bucket", le="0.01", backend="gh", tool="get")
    assert found[bucket] == 1


def test_a_method_that_the_protocol_does_not_know_is_other():
    metrics = Metrics()
    for method in ("tools/list", "x" * 1000, "tools/lisp"):
        metrics(RequestAnswered(method, "modern", "ok", 0.001))
    found = samples(metrics)
    name, rest = "capgate_requests_total", {"era": "modern", "outcome": "ok"}
    assert found[labelled(name, method="tools/list", **rest)] == 1
    assert found[labelled(name, method="other", **rest)] == 2


def test_the_number_of_label_combinations_is_bounded():
    metrics = Metrics()
    for number in range(MOST + 10):
        metrics(call(tool=f"t{number}"))
    found = samples(metrics)
    counted = [key for key in found if key[0] == "capgate_calls_total"]
    assert len(counted) == MOST + 1
    other = dict.fromkeys(("backend", "tool", "agent", "outcome"), "other")
    assert found[labelled("capgate_calls_total", **other)] == 10


def test_a_removed_backend_leaves_the_page_and_others_stay():
    metrics = Metrics()
    metrics(call(backend="gh"))
    metrics(call(backend="jira"))
    metrics(Reloaded(2, (), ("gh",), (), 0.1))
    text = metrics.render().decode()
    assert 'backend="gh"' not in text
    assert 'backend="jira"' in text


def test_a_reload_that_leaves_an_error_counts_as_failed_and_keeps_the_last_good_time():
    now = [100.0]
    metrics = Metrics(wall=lambda: now[0])
    metrics(Reloaded(1, ("gh",), (), (Issue("x.yaml", "hm", severity=Severity.WARNING),), 0.1))
    now[0] = 200.0
    metrics(Reloaded(2, (), (), (Issue("x.yaml", "no"),), 0.1))
    found = samples(metrics)
    assert found[labelled("capgate_reloads_total", outcome="ok")] == 1
    assert found[labelled("capgate_reloads_total", outcome="failed")] == 1
    assert found[("capgate_last_reload_timestamp_seconds",)] == 200.0
    assert found[("capgate_last_good_reload_timestamp_seconds",)] == 100.0


def test_gauges_show_what_is_on_offer():
    metrics = Metrics()
    tools = (Tool(ToolRef("a", "x"), {}), Tool(ToolRef("a", "y"), {}))
    ill = Listing("b", "", (), Health(Status.DEGRADED, "stale"))
    metrics.offered(Catalog([Listing("a", "", tools), ill]), [Issue("b.yaml", "no")])
    found = samples(metrics)
    assert found[("capgate_tools",)] == 2
    assert found[labelled("capgate_backends", status="ok")] == 1
    assert found[labelled("capgate_backends", status="degraded")] == 1
    assert found[labelled("capgate_backends", status="down")] == 0
    assert found[labelled("capgate_issues", severity="error")] == 1


def test_searches_tell_found_from_nothing():
    metrics = Metrics()
    metrics(Searched(20, 0.0003))
    metrics(Searched(0, 0.0002))
    found = samples(metrics)
    assert found[labelled("capgate_searches_total", outcome="found")] == 1
    assert found[labelled("capgate_searches_total", outcome="nothing")] == 1
    assert found[labelled("capgate_search_seconds_bucket", le="0.0005")] == 2


def test_calls_count_by_the_agent_that_made_them():
    metrics = Metrics()
    metrics(call(who=Identity("ci", agent="researcher")))
    metrics(call(who=Identity("ci", agent="writer")))
    found = samples(metrics)
    where = {"backend": "gh", "tool": "get", "outcome": "ok"}
    assert found[labelled("capgate_calls_total", agent="researcher", **where)] == 1
    assert found[labelled("capgate_calls_total", agent="writer", **where)] == 1
    assert found[labelled("capgate_caller_calls_total", caller="ci", outcome="ok")] == 2


def test_callers_and_agents_beyond_a_hundred_are_other():
    metrics = Metrics()
    for number in range(MOST_CALLERS + 7):
        metrics(call(who=Identity(f"user-{number}", agent=f"agent-{number}")))
        metrics(Limited("key", f"user-{number}"))
    found = samples(metrics)
    assert found[labelled("capgate_caller_calls_total", caller="other", outcome="ok")] == 7
    where = {"backend": "gh", "tool": "get", "outcome": "ok"}
    assert found[labelled("capgate_calls_total", agent="other", **where)] == 7
    assert found[labelled("capgate_rate_limited_total", limit="key", subject="other")] == 7


def test_what_somebody_asked_for_that_is_not_there_is_other():
    metrics = Metrics()
    metrics(CallFinished("1", "x" * 99, "y", "anonymous", "tool_not_found", 0.1, known=False))
    metrics(Queried("2", "nope", "prompts/get", "anonymous", "denied", 0.1, known=False))
    metrics(Queried("3", "gh", "made/up", "anonymous", "ok", 0.1))
    found = samples(metrics)
    name, outcome = "capgate_calls_total", "tool_not_found"
    assert found[labelled(name, backend="other", tool="other", agent="", outcome=outcome)] == 1
    name, method = "capgate_queries_total", "prompts/get"
    assert found[labelled(name, backend="other", method=method, outcome="denied")] == 1
    assert found[labelled(name, backend="gh", method="other", outcome="ok")] == 1


def test_queries_and_meta_tools_count_with_how_long_they_took():
    metrics = Metrics()
    metrics(Queried("1", "gh", "resources/read", "anonymous", "ok", 0.02))
    metrics(MetaFinished("2", "gateway_search_tools", "anonymous", "ok", 0.02))
    found = samples(metrics)
    query = {"backend": "gh", "method": "resources/read"}
    assert found[labelled("capgate_queries_total", outcome="ok", **query)] == 1
    assert found[labelled("capgate_query_seconds_count", **query)] == 1
    tool = {"tool": "gateway_search_tools"}
    assert found[labelled("capgate_meta_calls_total", outcome="ok", **tool)] == 1
    assert found[labelled("capgate_meta_call_seconds_sum", **tool)] == 0.02


def test_a_circuit_shows_its_turns_and_how_it_stands():
    metrics = Metrics()
    for was, state in (("closed", "open"), ("open", "half_open"), ("half_open", "open")):
        metrics(CircuitChanged("gh", was, state))
    metrics(CircuitChanged("jira", "open", "closed"))
    found = samples(metrics)
    assert found[labelled("capgate_circuit_changes_total", backend="gh", state="open")] == 2
    assert found[labelled("capgate_circuit_state", backend="gh")] == 2
    assert found[labelled("capgate_circuit_state", backend="jira")] == 0


def test_limits_and_refusals_count_by_whose_and_why():
    metrics = Metrics()
    metrics(Limited("tool", "gh:get"))
    metrics(Limited("backend", "gh"))
    metrics(Refused("unauthenticated"))
    found = samples(metrics)
    assert found[labelled("capgate_rate_limited_total", limit="tool", subject="gh:get")] == 1
    assert found[labelled("capgate_rate_limited_total", limit="backend", subject="gh")] == 1
    assert found[labelled("capgate_refused_total", reason="unauthenticated")] == 1


def test_a_removed_backend_takes_its_limits_and_its_circuit_along():
    metrics = Metrics()
    for backend in ("gh", "jira"):
        metrics(CircuitChanged(backend, "closed", "open"))
        metrics(Limited("tool", f"{backend}:get"))
        metrics(Queried("1", backend, "prompts/get", "anonymous", "ok", 0.1))
    metrics(Limited("key", "gh"))
    metrics(Reloaded(2, (), ("gh",), (), 0.1))
    found = samples(metrics)
    left = {key for key in found if any(value.startswith("gh") for _, value in key[1:])}
    assert left == {labelled("capgate_rate_limited_total", limit="key", subject="gh")}
    assert found[labelled("capgate_circuit_state", backend="jira")] == 2


class Lines:
    """An audit that lost some."""

    written = 10
    dropped = {"full": 3}  # noqa: RUF012


def test_what_is_asked_for_when_somebody_looks_is_as_it_is_then():
    metrics, open_now = Metrics(), [1]
    assert samples(metrics)[("capgate_connections",)] == 0
    metrics.watch({"connections": lambda: open_now[0]})
    metrics.watch({"streams": lambda: 5})
    metrics.audited(Lines())
    open_now[0] = 7
    found = samples(metrics)
    assert found[("capgate_connections",)] == 7
    assert found[("capgate_streams",)] == 5
    assert found[("capgate_audit_lines_total",)] == 10
    assert found[labelled("capgate_audit_dropped_total", reason="full")] == 3


def test_a_name_that_others_chose_stays_within_its_label():
    """I45."""
    metrics = Metrics()
    evil = 'x"} 1\nevil_total{a="\\{,b'
    metrics(call(tool=evil))
    found = samples(metrics)
    where = {"backend": "gh", "tool": evil}
    assert found[labelled("capgate_calls_total", agent="", outcome="ok", **where)] == 1
    assert found[labelled("capgate_call_seconds_bucket", le="+Inf", **where)] == 1
    assert not [key for key in found if key[0].startswith("evil")]


def test_two_thousand_tools_are_shown_in_a_fraction_of_a_tenth_of_a_second():
    metrics = Metrics()
    for number in range(MOST):
        metrics(call(tool=f"t{number}"))
    metrics.render()
    began = time.process_time()
    metrics.render()
    assert time.process_time() - began < 0.1


def test_the_process_and_the_version_are_there_and_names_follow_the_conventions():
    text = Metrics().render().decode()
    assert "process_resident_memory_bytes" in text
    assert "capgate_info{version=" in text
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_counting_alone_does_not_load_the_library():
    """The 60 ms belong to the first scrape, not to the start."""
    script = (
        "import sys; from gateway.observe.metrics import Metrics;"
        "from gateway.domain.events import Searched; Metrics()(Searched(1, 0.1));"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
