from gateway.domain.events import Event
from gateway.domain.tool import ToolRef
from gateway.meta import META_TOOLS
from gateway.runtime.view import View
from gateway.server.surface import BackendSurface, MetaSurface
from tests.peers.memory_gateway import snapshot, tool

META_NAMES = [definition.definition["name"] for definition in META_TOOLS]


def ignore(event: Event) -> None:
    pass


def view() -> View:
    tools = {
        "weather": [tool("weather", "now"), tool("weather", "get")],
        "news": [tool("news", "get")],
    }
    return View(snapshot(1, tools), ignore)


def names(surface: MetaSurface | BackendSurface) -> list[object]:
    return [definition["name"] for definition in surface.definitions(view())]


def test_the_meta_surface_lists_the_meta_tools() -> None:
    assert names(MetaSurface(META_TOOLS)) == META_NAMES


def test_pinned_tools_stand_beside_them_under_their_own_name() -> None:
    surface = MetaSurface(META_TOOLS, [ToolRef("weather", "now")])
    assert names(surface) == [*META_NAMES, "now"]


def test_pinned_tools_of_the_same_name_are_told_apart() -> None:
    surface = MetaSurface(META_TOOLS, [ToolRef("weather", "get"), ToolRef("news", "get")])
    assert names(surface)[4:] == ["weather__get", "news__get"]
    found = surface.definition(view(), "news__get")
    assert found is not None
    assert found["name"] == "news__get"


def test_a_pinned_tool_that_does_not_exist_is_not_listed() -> None:
    surface = MetaSurface(META_TOOLS, [ToolRef("weather", "gone"), ToolRef("gone", "x")])
    assert names(surface) == META_NAMES
    assert surface.definition(view(), "gone") is None


def test_the_meta_surface_has_no_other_tools() -> None:
    surface = MetaSurface(META_TOOLS)
    assert surface.definition(view(), "now") is None
    assert "gateway_invoke" in surface.nearest(view(), "now")


def test_the_backend_surface_lists_one_backend_as_it_is() -> None:
    surface = BackendSurface("weather")
    assert names(surface) == ["now", "get"]
    assert surface.instructions(view()) == "The weather API."
    assert surface.definition(view(), "now") == surface.definitions(view())[0]
    assert "now" in surface.nearest(view(), "nwo")


def test_a_backend_that_went_away_offers_nothing() -> None:
    surface = BackendSurface("gone")
    assert names(surface) == []
    assert surface.instructions(view()) == ""
    assert surface.definition(view(), "now") is None


def test_a_list_that_a_saved_file_can_change_is_not_to_be_kept() -> None:
    assert MetaSurface(META_TOOLS, keep_ms=1000).keep_ms == 1000
    assert MetaSurface(META_TOOLS, [ToolRef("weather", "now")], keep_ms=1000).keep_ms == 0
    assert BackendSurface("weather").keep_ms == 0
