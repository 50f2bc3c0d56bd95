"""What changed between two offers."""

from gateway.domain.listing import Listing
from gateway.domain.tool import Tool, ToolRef
from gateway.runtime.offer import difference


def listing(name, **tools):
    """Tools by name; the text is what they are."""
    return Listing(
        name,
        "",
        tuple(Tool(ToolRef(name, tool), {"description": text}) for tool, text in tools.items()),
    )


def changes(before, after):
    removed, added = difference({one.name: one for one in before}, {one.name: one for one in after})
    return [str(ref) for ref in removed], [(str(tool.ref), tool.description) for tool in added]


def test_tools_come_and_go_with_their_backend():
    assert changes([listing("a", x="1")], [listing("b", y="2")]) == (["a:x"], [("b:y", "2")])


def test_a_changed_tool_is_taken_out_and_put_in():
    before, after = [listing("a", x="1", y="1", z="1")], [listing("a", x="1", y="2", w="1")]
    assert changes(before, after) == (["a:y", "a:z"], [("a:y", "2"), ("a:w", "1")])


def test_equal_tools_made_anew_are_no_change():
    assert changes([listing("a", x="1")], [listing("a", x="1")]) == ([], [])


def test_changes_are_in_the_order_of_names():
    after = [listing(name, x="1") for name in ("c", "a", "b")]
    assert changes([], after)[1] == [("a:x", "1"), ("b:x", "1"), ("c:x", "1")]
