import json
import time
from dataclasses import replace
from typing import Any

from gateway.domain.events import Event
from gateway.domain.identity import Identity
from gateway.domain.listing import Health, Status
from gateway.meta import META_TOOLS
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.mcp import PROMPTS_LIST, RESOURCES_LIST, TOOLS_LIST
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.listing import Listings
from gateway.server.surface import BackendSurface, MetaSurface
from tests.peers.memory_gateway import snapshot, tool
from tests.peers.offering import Servers, prompt, resource
from tests.peers.offering import offering as offering_of

WEATHER = BackendSurface("weather")


def ignore(event: Event) -> None:
    pass


def offering(version: int, count: int) -> Snapshot:
    return snapshot(version, {"weather": [tool("weather", f"t{n}") for n in range(count)]})


def pages(listings: Listings, view: View, revision: Revision = MODERN) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        answer = listings.answer(TOOLS_LIST, WEATHER, view, revision, cursor)
        assert answer is not None
        found.append(json.loads(answer))
        cursor = found[-1].get("nextCursor")
        if cursor is None:
            return found


def test_a_short_list_is_one_page_without_cursor() -> None:
    found = pages(Listings(page=3), View(offering(1, 3), ignore))
    assert [len(page["tools"]) for page in found] == [3]


def test_an_empty_list_is_a_page_too() -> None:
    assert pages(Listings(), View(offering(1, 0), ignore))[0]["tools"] == []


def test_a_long_list_is_cut_into_pages_that_lose_nothing() -> None:
    found = pages(Listings(page=3), View(offering(1, 7), ignore))
    assert [len(page["tools"]) for page in found] == [3, 3, 1]
    assert [tool["name"] for page in found for tool in page["tools"]] == [f"t{n}" for n in range(7)]
    assert {page["cacheScope"] for page in found} == {"private"}


def test_an_answer_is_serialised_once_for_each_snapshot() -> None:
    listings, first = Listings(), offering(1, 2)
    view = View(first, ignore)
    answer = listings.answer(TOOLS_LIST, WEATHER, view, MODERN, None)
    assert listings.answer(TOOLS_LIST, WEATHER, View(first, ignore), MODERN, None) is answer
    changed = listings.answer(TOOLS_LIST, WEATHER, View(offering(2, 3), ignore), MODERN, None)
    assert changed is not None
    assert len(json.loads(changed)["tools"]) == 3


def test_answers_differ_by_revision_and_are_kept_by_caller() -> None:
    listings, offered = Listings(), offering(1, 1)
    modern = listings.answer(TOOLS_LIST, WEATHER, View(offered, ignore), MODERN, None)
    legacy = listings.answer(TOOLS_LIST, WEATHER, View(offered, ignore), LATEST_LEGACY, None)
    other = listings.answer(TOOLS_LIST, WEATHER, View(offered, ignore, Identity("b")), MODERN, None)
    assert modern != legacy
    assert other == modern
    assert other is not modern


def test_a_cursor_of_another_list_leads_nowhere() -> None:
    listings = Listings(page=3)
    cursor = pages(listings, View(offering(1, 7), ignore))[0]["nextCursor"]
    assert (
        listings.answer(TOOLS_LIST, WEATHER, View(offering(2, 8), ignore), MODERN, cursor) is None
    )
    assert (
        listings.answer(TOOLS_LIST, WEATHER, View(offering(2, 8), ignore), MODERN, "nonsense")
        is None
    )


def test_a_cursor_stays_good_over_a_reload_that_changed_nothing_here() -> None:
    listings = Listings(page=3)
    cursor = pages(listings, View(offering(1, 7), ignore))[0]["nextCursor"]
    assert (
        listings.answer(TOOLS_LIST, WEATHER, View(offering(2, 7), ignore), MODERN, cursor)
        is not None
    )


def test_an_answer_outlives_snapshots_that_change_nothing_in_it() -> None:
    servers = Servers(offering_of("fs", prompts=[prompt("p")]))
    listings, surface = Listings(), BackendSurface("fs")
    first = View(servers.snapshot(1), ignore)
    before = listings.answer(PROMPTS_LIST, surface, first, MODERN, None)
    ill = replace(servers.listings[0], health=Health(Status.DOWN, "gone"))
    after = View(servers.snapshot(2, ill), ignore)
    assert listings.answer(PROMPTS_LIST, surface, after, MODERN, None) is before
    other = View(servers.snapshot(3, offering_of("fs", prompts=[prompt("q")])), ignore)
    assert listings.answer(PROMPTS_LIST, surface, other, MODERN, None) != before


def test_lists_of_all_servers_are_cut_into_pages_too() -> None:
    many = [resource(f"x:{n}") for n in range(7)]
    view = View(Servers(offering_of("a", resources=many)).snapshot(), ignore)
    listings, found = Listings(page=3), []
    cursor: str | None = None
    while True:
        answer = listings.answer(RESOURCES_LIST, MetaSurface(META_TOOLS), view, MODERN, cursor)
        assert answer is not None
        page = json.loads(answer)
        found += [one["uri"] for one in page["resources"]]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    assert found == [one["uri"] for one in many]


def test_a_page_of_ten_thousand_resources_is_there_in_no_time() -> None:
    half = [
        offering_of(name, resources=[resource(f"{name}:{n}", f"r{n}") for n in range(5000)])
        for name in "ab"
    ]
    servers, surface, listings = Servers(*half), MetaSurface(META_TOOLS), Listings()
    listings.answer(RESOURCES_LIST, surface, View(servers.snapshot(1), ignore), MODERN, None)
    took = []
    for version in range(2, 7):
        again = View(servers.snapshot(version), ignore)  # new, and the same in it
        started = time.perf_counter()
        listings.answer(RESOURCES_LIST, surface, again, MODERN, None)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.001
