"""Pins, and what is offered under them."""

import time
from dataclasses import replace

import pytest

from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.pinning import MOST, MOST_TOLD, Pinning
from gateway.domain.pins import Pins, digest, moved, pin_of
from gateway.domain.tool import Tool, ToolRef

MODES = ("warn", "hold", "deny")


def definition(name, text="does it", **more):
    return {"name": name, "description": text, "inputSchema": {"type": "object"}, **more}


def tool(name, text="does it", **more):
    return Tool(ToolRef("b", name), definition(name, text, **more), ("tag",), ("sample",))


def listing(*tools, name="b", **more):
    return Listing(name, "about", tuple(tools), **more)


def pins(*definitions, backend="b"):
    return Pins({backend: {one["name"]: pin_of(one) for one in definitions}})


def pinning(on_change, *definitions, globs=("*",), tell=lambda _: None):
    return Pinning(pins(*definitions), on_change, globs, tell)


def texts(given):
    return {one.ref.name: one.description for one in given.tools}


def told(given):
    return [f"{one.path}: {one.message}" for one in given.health.issues]


def test_neither_the_order_of_keys_nor_what_is_not_pinned_counts():
    one = {"name": "a", "inputSchema": {"type": "object", "properties": {}}, "_meta": {"x": 1}}
    other = {"inputSchema": {"properties": {}, "type": "object"}, "name": "a", "icons": []}
    assert digest(one) == digest(other)
    assert digest(one) != digest({**one, "title": "A"})


def test_one_is_not_true_in_a_definition():
    schemas = ({"type": "object", "default": one} for one in (1, True, 1.0))
    assert len({digest({"name": "a", "inputSchema": one}) for one in schemas}) == 3


@pytest.mark.parametrize("on_change", ["warn", "hold", "deny"])
def test_what_is_as_it_was_pinned_is_the_same_tool(on_change):
    came = listing(tool("a"))
    given = pinning(on_change, definition("a"))(came)
    assert given.tools is came.tools
    assert given.health is came.health


def test_the_same_listing_gives_the_very_same_again():
    for on_change in MODES:
        admit = pinning(on_change, definition("a", "once"))
        came = listing(tool("a"))
        assert admit(came) is admit(came)


@pytest.mark.parametrize(
    ("on_change", "offered", "how"),
    [
        ("warn", {"a": "new words"}, "it is offered as it is now"),
        ("hold", {"a": "old words"}, "it is offered as it was pinned"),
        ("deny", {}, "it is withdrawn"),
    ],
)
def test_a_changed_tool(on_change, offered, how):
    given = pinning(on_change, definition("a", "old words"))(listing(tool("a", "new words")))
    assert texts(given) == offered
    assert told(given) == [f"tool 'a': not as pinned: ~ wording: description; {how}"]
    assert given.health.status is Status.OK


def test_a_held_tool_is_found_by_its_pinned_words_alone_and_called_as_its_server_says():
    new = tool("a", "new", execution={"taskSupport": "required"}, icons=[{"src": "x"}])
    (held,) = pinning("hold", definition("a", "old"))(listing(new)).tools
    assert held.definition == {**definition("a", "old"), "execution": {"taskSupport": "required"}}
    assert (held.tags, held.samples) == ((), ())


@pytest.mark.parametrize(
    ("on_change", "offered", "how"),
    [("warn", {"a", "c"}, "offered all the same"), ("hold", {"a"}, "withheld")],
)
def test_new_and_gone_tools(on_change, offered, how):
    admit = pinning(on_change, definition("a"), definition("b"))
    given = admit(listing(tool("a"), tool("c")))
    assert texts(given).keys() == offered
    assert told(given) == [
        f"tools: not pinned, and {how}: 'c'",
        "tools: pinned, and not there any more: 'b'",
    ]


def test_a_backend_that_nobody_pinned_yet_has_only_new_tools():
    given = Pinning(Pins(), "deny", ("*",))(listing(tool("a"), tool("c")))
    assert given.tools == ()
    assert told(given) == ["tools: not pinned, and withheld: 'a', 'c'"]


def test_a_pin_of_one_server_lets_nothing_of_another_through():
    """I56: not even a tool that is equal to it."""
    admit = pinning("deny", definition("a"))
    mine = admit(listing(tool("a")))
    other = admit(listing(Tool(ToolRef("other", "a"), definition("a")), name="other"))
    assert (len(mine.tools), len(other.tools)) == (1, 0)


def test_backends_that_are_not_named_are_as_they_were():
    came = listing(tool("a", "new"), name="other")
    admit = Pinning(pins(definition("a"), backend="other"), "deny", ("git*",))
    assert admit(came) is came
    assert admit(listing(tool("a"), name="github")).tools == ()


@pytest.mark.parametrize(
    "health", [Health(Status.DOWN, "connecting"), Health(Status.DEGRADED, "x")]
)
def test_a_backend_of_which_nothing_is_known_yet_has_lost_nothing(health):
    came = listing(health=health, settled=False)
    for on_change, offered in (("warn", set()), ("hold", {"a"}), ("deny", set())):
        given = pinning(on_change, definition("a"))(came)
        assert texts(given).keys() == offered
        assert given.health == health
        assert given.sealed == (on_change != "warn")


def test_a_backend_that_goes_down_keeps_what_it_had():
    admit = pinning("hold", definition("a", "old"))
    up = admit(listing(tool("a", "new")))
    down = admit(
        replace(up, tools=listing(tool("a", "new")).tools, health=Health(Status.DOWN, "x"))
    )
    assert texts(down) == {"a": "old"}
    unknown = admit(listing(health=Health(Status.DOWN, "x")))
    again = admit(listing(health=Health(Status.DOWN, "y")))
    assert again.tools is unknown.tools


def test_a_server_without_tools_has_lost_all():
    given = pinning("hold", definition("a"))(listing())
    assert told(given) == ["tools: pinned, and not there any more: 'a'"]


def test_each_finding_is_told_once():
    heard: list[Issue] = []
    admit = pinning("warn", definition("a"), tell=heard.append)
    admit(listing(tool("a", "new")))
    admit(listing(tool("a", "new"), health=Health(Status.DEGRADED, "slow")))
    assert len(heard) == 1
    admit(listing(tool("a", "new", title="T")))
    assert len(heard) == 2


def test_findings_without_end_are_not_remembered_without_end():
    heard: list[Issue] = []
    admit = pinning("warn", definition("a"), tell=heard.append)
    for turn in range(MOST_TOLD + 50):
        admit(listing(tool("a", annotations={f"x{turn}": True})))
    assert len(heard) == MOST_TOLD


def test_backends_without_end_are_not_remembered_without_end():
    admit = Pinning(Pins(), "deny", ("*",), most=50)
    for number in range(60):
        admit(listing(name=f"b{number}"))
    assert len(admit._judged) == 10


def test_very_many_changed_tools_are_counted():
    names = [f"t{number}" for number in range(MOST + 30)]
    admit = pinning("warn", *map(definition, names))
    found = told(admit(listing(*(tool(name, "new") for name in names))))
    assert len(found) == MOST + 1
    assert found[-1].endswith("and 25 more differ too")


def test_of_very_many_changes_the_worst_are_told():
    more = {"type": "object", "properties": {f"x{n}": {"type": "string"} for n in range(9)}}
    given = pinning("warn", definition("a"))(
        listing(Tool(ToolRef("b", "a"), {**definition("a", "new"), "inputSchema": more}))
    )
    assert "; 5 more changes; it is offered" in told(given)[0]


def test_two_that_pin_alike_are_equal():
    assert pinning("hold", definition("a")) == pinning("hold", definition("a"), tell=print)
    assert pinning("hold", definition("a")) != pinning("hold", definition("a", "new"))
    assert pinning("hold", definition("a")) != pinning("deny", definition("a"))


def test_what_did_not_change_is_the_same_tool_after_another_did():
    admit = pinning("hold", definition("a", "old"), definition("c"))
    first, same = tool("a", "new"), tool("c")
    before = admit(listing(first, same)).tools
    after = admit(listing(first, same, tool("d"))).tools
    assert after is before


def test_what_moved_is_told_by_tool():
    before = pins(definition("a"), definition("b"), definition("c")).backends["b"]
    after = pins(definition("b", "new"), definition("c"), definition("d")).backends["b"]
    assert [(tool, *map(str, changes)) for tool, changes in moved(before, after)] == [
        ("a", "- the tool is gone"),
        ("b", "~ wording: description"),
        ("d", "+ new tool"),
    ]


def test_ten_thousand_pinned_tools_cost_a_publication_nothing_when_nothing_changed():
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(6)}}
    definitions = [definition(f"t{n}", inputSchema=schema) for n in range(100)]
    backends = [f"b{n}" for n in range(100)]
    admit = Pinning(
        Pins({name: {one["name"]: pin_of(one) for one in definitions} for name in backends}),
        "deny",
        ("*",),
    )
    came = [
        Listing(name, "", tuple(Tool(ToolRef(name, one["name"]), one) for one in definitions))
        for name in backends
    ]
    given = [*map(admit, came)]
    began = time.process_time()
    again = [*map(admit, came)]
    other_health = [admit(replace(one, health=Health(Status.DEGRADED, "slow"))) for one in came]
    assert time.process_time() - began < 0.01
    assert all(one is other for one, other in zip(given, again, strict=True))
    assert sum(len(one.tools) for one in other_health) == 10_000
