"""The guards of all backends by their names: kept over reloads, until a backend is no more."""

import random
import time
from collections.abc import Callable

from gateway.domain.events import Observer
from gateway.domain.listing import OF_FILES
from gateway.failsafe.guard import Guard
from gateway.failsafe.guarded import Guarded, Surroundings
from gateway.failsafe.settings import Settings


class GuardsByName:
    """`settings` gives what holds for a backend. Clock and dice are there for tests."""

    def __init__(
        self,
        settings: Callable[[str], Settings],
        observe: Observer,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._around = Surroundings(observe, clock, rng)
        self._kept: dict[str, Guarded] = {}

    def __repr__(self) -> str:
        return f"<Guards of {len(self._kept)} backends>"

    def of(self, backend: str, transport: str, on_change: Callable[[], None]) -> Guard:
        guard = self._kept.get(backend)
        if guard is None:
            guard = self._kept[backend] = Guarded(backend, self._settings(backend), self._around)
        guard.stand_around(on_change, of_file=transport in OF_FILES)
        return guard

    def forget(self, backend: str) -> None:
        self._kept.pop(backend, None)

    def configure(self, settings: Callable[[str], Settings]) -> None:
        """From now on, for all of them."""
        self._settings = settings
        for name, guard in self._kept.items():
            guard.configure(settings(name))
