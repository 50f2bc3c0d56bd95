import json
from typing import Any

from gateway.domain.events import Event
from gateway.domain.identity import Identity
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.mcp import TOOLS_LIST
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.listing import Listings
from gateway.server.surface import BackendSurface
from tests.peers.memory_gateway import snapshot, tool

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
