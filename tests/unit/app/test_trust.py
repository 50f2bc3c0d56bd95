"""What decides, made of what the files say: pins for the backends that `lock.backends` names."""

from gateway.app.trust import admitting
from gateway.config.model import Config
from gateway.config.observing import Lock
from gateway.domain.listing import Listing
from gateway.domain.pins import Pins
from gateway.domain.tool import Tool, ToolRef


def listing(name: str) -> Listing:
    definition = {"name": "t", "inputSchema": {"type": "object"}}
    return Listing(name, "", (Tool(ToolRef(name, "t"), definition),))


def test_only_backends_that_the_lock_names_are_held_to_pins() -> None:
    lock = Lock(on_change="deny", backends=("pinned*",))
    admit = admitting()(Config(lock=lock), Pins())
    free = listing("free")
    assert admit(free) is free
    assert admit(listing("pinned_one")).tools == ()


def test_what_would_do_the_same_is_the_very_same() -> None:
    made = admitting()
    first = made(Config(lock=Lock(on_change="deny")), Pins())
    assert made(Config(lock=Lock(on_change="deny")), Pins()) is first
    assert made(Config(lock=Lock(on_change="warn")), Pins()) is not first
