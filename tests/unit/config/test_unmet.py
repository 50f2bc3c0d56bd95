"""Names in gateway.yaml that nothing answers to."""

from gateway.config.load import understand
from gateway.config.unmet import unmet
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Severity
from gateway.domain.listing import Health, Listing, Status
from tests.peers.memory_gateway import tool

CATALOG = Catalog([Listing("weather", "", (tool("weather", "now"),))])


def found(text):
    config = understand(text.encode(), "gateway.yaml", {}, {}).config
    return list(unmet(config, "gateway.yaml", CATALOG))


def test_a_pinned_tool_that_is_not_there_is_a_warning_with_the_nearest_name():
    text = "meta_mcp: {surfaced_tools: ['weather:now', 'wether:now', {server: news, tool: x}]}"
    near, far = found(text)
    assert (near.path, near.severity) == ("meta_mcp.surfaced_tools[1]", Severity.WARNING)
    assert near.message == "no tool 'wether:now' is on offer"
    assert near.hint == "did you mean 'weather:now'?"
    assert (far.path, far.hint) == ("meta_mcp.surfaced_tools[2]", None)


def test_a_pinned_tool_of_a_server_that_was_never_reached_is_not_said_to_be_missing():
    down = Health(Status.DOWN, "connecting")
    late = Catalog([Listing("late", "", (), down), Listing("lost", "", (tool("lost", "a"),), down)])
    config = understand(
        b"meta_mcp: {surfaced_tools: ['late:a', 'lost:a', 'lost:b']}", "gateway.yaml", {}, {}
    ).config
    assert [issue.message for issue in unmet(config, "gateway.yaml", late)] == [
        "no tool 'lost:b' is on offer"
    ]


def test_variables_for_a_server_that_is_not_there_are_a_warning():
    [issue] = found("capabilities: {vars: {weather: {a: 1}, wether: {a: 1}}}")
    assert (issue.path, issue.hint) == ("capabilities.vars.wether", "did you mean 'weather'?")
