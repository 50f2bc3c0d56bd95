"""Makes what contains failure out of a configuration, and gives it the newest."""

import time

from gateway.backends.tending import Checking
from gateway.config import failsafe
from gateway.config.model import Config
from gateway.domain.events import Observer
from gateway.failsafe.guards import GuardsByName
from gateway.failsafe.throttle import Throttle


class Guarding:
    """`guards` of the backends, `throttle` of the callers, `checking` of MCP servers' health: one
    of each for the process. `configure` on the loop.
    """

    def __init__(self, config: Config, observe: Observer) -> None:
        self.guards = GuardsByName(failsafe.settings(config.failsafe), observe)
        self.throttle = Throttle(observe, time.monotonic)
        self.checking = Checking(failsafe.health_checks(config.failsafe))
        self._failsafe = config.failsafe

    def configure(self, config: Config) -> None:
        """What was counted stays counted; an open circuit stays open."""
        if config.failsafe != self._failsafe:
            self._failsafe = config.failsafe
            self.guards.configure(failsafe.settings(config.failsafe))
            self.checking.checks = failsafe.health_checks(config.failsafe)
