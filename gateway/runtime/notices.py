"""What MCP servers say to all their clients, from the backends to the fronts that pass it on."""

from collections.abc import Callable

from gateway.domain.events import Notice

Hear = Callable[[Notice], None]  # must not block, must not raise


class Notices:
    """One for the process; every backend publishes, every front subscribes."""

    def __init__(self) -> None:
        self._listeners: list[Hear] = []

    def publish(self, notice: Notice) -> None:
        for hear in tuple(self._listeners):
            hear(notice)

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Be told of every notice; call what is returned to stop."""
        self._listeners.append(hear)
        return lambda: self._listeners.remove(hear)
