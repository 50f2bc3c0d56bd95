import pytest

from gateway.domain.listing import Listing
from gateway.protocol import mcp
from gateway.protocol.eras import LATEST_LEGACY, MODERN, REVISIONS
from gateway.server.capabilities import UNKNOWN, of_all, of_backend
from tests.peers.offering import offering

TASKS = {"list": {}, "requests": {"tools": {"call": {}}}}
EXTENSIONS = {mcp.TASKS_EXTENSION: {}, "org.example/x": {"y": 1}}
REST = Listing("api", "An API.", ())


def test_what_a_server_declares_is_handed_on_with_what_we_do_not_know() -> None:
    declared = {"tools": {"x": 1}, "experimental": {"e": {}}, "future": True, "logging": {}}
    found = of_backend(offering("a", capabilities=declared), MODERN)
    assert found == {**declared, "tools": {"x": 1, "listChanged": True}}


def test_lists_that_a_server_never_tells_of_are_told_of_by_us() -> None:
    found = of_backend(offering("a"), LATEST_LEGACY)
    assert found["prompts"] == {"listChanged": True}
    assert found["resources"] == {"subscribe": True, "listChanged": True}


def test_what_a_server_lacks_is_not_advertised() -> None:
    assert of_backend(offering("a", capabilities={"tools": {}}), MODERN) == {
        "tools": {"listChanged": True}
    }


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=str)
def test_tasks_of_2025_stay_in_their_revision(revision: object) -> None:
    legacy = offering("a", era="legacy", capabilities={"tasks": TASKS})
    found = of_backend(legacy, revision)  # type: ignore[arg-type]
    assert ("tasks" in found) is (revision is LATEST_LEGACY)


def test_the_tasks_extension_stays_in_its_era_and_others_pass() -> None:
    modern = offering("a", capabilities={"extensions": EXTENSIONS})
    assert of_backend(modern, MODERN)["extensions"] == EXTENSIONS
    assert of_backend(modern, LATEST_LEGACY)["extensions"] == {"org.example/x": {"y": 1}}
    legacy = offering("a", era="legacy", capabilities={"extensions": {mcp.TASKS_EXTENSION: {}}})
    assert "extensions" not in of_backend(legacy, MODERN)


def test_a_server_that_nobody_reached_yet_may_turn_out_to_have_anything() -> None:
    unreached = offering("a", capabilities={}, era=None)
    assert of_backend(unreached, MODERN) == UNKNOWN


def test_an_api_has_tools_only_and_lists_that_stay_empty() -> None:
    assert of_backend(REST, MODERN) == {
        "tools": {"listChanged": True},
        "prompts": {},
        "resources": {},
    }


def test_together_servers_offer_what_any_of_them_does() -> None:
    bare = of_all([REST, offering("a", capabilities={"tools": {}})], MODERN)
    assert bare == {key: {"listChanged": True} for key in ("tools", "prompts", "resources")}
    assert of_all([REST], MODERN) == of_backend(REST, MODERN)
    both = of_all([REST, offering("a")], LATEST_LEGACY)
    assert both["resources"]["subscribe"] is True
    assert (both["completions"], both["logging"]) == ({}, {})


def test_together_tasks_are_those_of_2026_alone() -> None:
    listings = [
        offering("a", capabilities={"extensions": EXTENSIONS}),
        offering("b", era="legacy", capabilities={"tasks": TASKS}),
    ]
    assert of_all(listings, MODERN)["extensions"] == {mcp.TASKS_EXTENSION: {}}
    legacy = of_all(listings, LATEST_LEGACY)
    assert "tasks" not in legacy
    assert "extensions" not in legacy
