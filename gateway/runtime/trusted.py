"""Whom the files let in, and to what: the newest good version of each counts, all else is told.

A file of rules that was named must be there and be right at the start; one that breaks later leaves
its last good version in force. Nothing is ever looser because a file could not be read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from gateway.auth.access import OPEN, Access
from gateway.capability.file.yaml_trouble import MAX_BYTES
from gateway.config import agent_rules, lock_file
from gateway.config.folder import Place
from gateway.config.model import Config
from gateway.domain.agents import Agents
from gateway.domain.catalog import Catalog
from gateway.domain.events import Observer
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing
from gateway.domain.pins import Pins
from gateway.domain.policy import NO_POLICY, Policy
from gateway.errors import ConfigError
from gateway.runtime.configured import Configured
from gateway.runtime.followed import Followed, reading

T = TypeVar("T")

NAMED = "agent_rules of gateway.yaml names it, or GATEWAY_RULES: write it, or name it no more"

Read = Callable[
    [bytes, str], tuple[T | None, tuple[Issue, ...]]
]  # content and file → value, issues


class Kept(Generic[T]):
    """The newest good value of a file that is followed; None while there was none."""

    def __init__(
        self, read: Read[T], *, required: bool, observe: Observer, most: int = MAX_BYTES
    ) -> None:
        self.value: T | None = None
        self.issues: tuple[Issue, ...] = ()
        self._read = read
        self._required = required
        self._most = most
        self._observe = observe
        self._followed: Followed | None = None

    @property
    def places(self) -> set[Place]:
        return self._followed.places if self._followed else set()

    def refresh(self, file: str | None, *, cold: bool = False) -> bool:
        """Look, and read what changed. True: the file is being written; look again soon."""
        if file is None:
            self._followed, self.value, self.issues = None, None, ()
            return False
        if self._followed is None or self._followed.file != file:
            self._followed, cold = self._follow(file), True
        again, content = self._followed.refresh(cold=cold)
        if isinstance(content, Issue):
            hint = content.hint or (NAMED if self._required else None)
            issue = replace(content, severity=Severity.ERROR, hint=hint)
            self._told(file, (issue,), counts=False)
        elif content == b"" and not self._followed.there:
            self.value, self.issues = None, ()
        elif content is not None:
            value, issues = self._read(content, file)
            if value is not None:
                self.value = value
            self._told(file, issues, counts=value is not None)
        return again

    def _follow(self, file: str) -> Followed:
        return Followed(file, required=self._required, most=self._most)

    def _told(self, file: str, issues: tuple[Issue, ...], *, counts: bool) -> None:
        self.issues = issues
        self._observe(reading(file, issues, counts=counts))


@dataclass(frozen=True, slots=True)
class Makers:
    """How what the files say becomes what decides: each is made anew only when what it is made of
    has changed.
    """

    policy: Callable[[Config, Agents | None], Policy]
    access: Callable[[Config], Access]
    admit: Callable[[Config, Pins | None], Callable[[Listing], Listing]]


class Trusted:
    """`refresh` (in a thread: it blocks for a moment) after `configured` was refreshed."""

    def __init__(self, configured: Configured, makers: Makers, observe: Observer) -> None:
        self._configured = configured
        self._makers = makers
        self._rules: Kept[Agents] = Kept(agent_rules.understand, required=True, observe=observe)
        self._pins: Kept[Pins] = Kept(
            lock_file.understand, required=False, observe=observe, most=lock_file.MOST_BYTES
        )
        self._made_of: tuple[object, ...] = ()
        self.policy: Policy = NO_POLICY
        self.access: Access = OPEN
        self.admit: Callable[[Listing], Listing] = as_it_is

    @property
    def places(self) -> set[Place]:
        return self._rules.places | self._pins.places

    @property
    def issues(self) -> tuple[Issue, ...]:
        return (*self._rules.issues, *self._pins.issues)

    def refresh(self, *, cold: bool = False) -> bool:
        """Look, and read what changed. True: one is being written; look again soon. Raises
        ConfigError at the start, where rules that are asked for or pins that are to be held to
        cannot be read.
        """
        config = self._configured.config
        again = self._rules.refresh(config.agent_rules, cold=cold)
        again |= self._refresh_pins(config, cold=cold)
        rules, pins = self._rules.value, self._pins.value
        if config.agent_rules is not None and rules is None:
            self._only_later(config.agent_rules)
            return again
        parts = (config.auth, config.policies, config.default_agent, rules, config.lock, pins)
        if parts != self._made_of:
            self.policy = self._makers.policy(config, rules)
            self.access = self._makers.access(config)
            self.admit = self._makers.admit(config, pins)
            self._made_of = parts
        return again

    def _only_later(self, file: str) -> None:
        """Rules that were never read: nobody is served before, and whoever is served when they are
        first asked for stays under what was in force.
        """
        if not self._made_of:
            reasons = self._rules.issues or (Issue(file, "is being written just now"),)
            raise ConfigError("\n".join(map(str, reasons)))

    def _refresh_pins(self, config: Config, *, cold: bool) -> bool:
        lock, kept = config.lock, self._pins
        again = kept.refresh(lock.file if lock.enabled else None, cold=cold)
        if cold and lock.on_change != "warn" and kept.value is None and (again or kept.issues):
            reasons = kept.issues or (Issue(lock.file, "is being written just now"),)
            raise ConfigError("\n".join(map(str, reasons)))
        return again

    def unmet(self, catalog: Catalog) -> Iterator[Issue]:
        """What can only be said of all that is on offer: rules about what is not there."""
        rules, file = self._rules.value, self._configured.config.agent_rules
        if rules is not None and file is not None:
            yield from agent_rules.unmet(rules, file, catalog)
            default, named_by = self._configured.config.default_agent, self._configured.file
            found = agent_rules.fallback(rules, default, named_by)
            yield from map(self._configured.placed, found)
        lock = self._configured.config.lock
        if lock.enabled and not self._pins.issues:
            pins, names = self._pins.value, [*catalog.backends]
            yield from lock_file.unmet(pins, lock.file, lock.on_change, names)


def as_it_is(listing: Listing) -> Listing:
    return listing
