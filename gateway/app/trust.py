"""Makes what decides who may come in, and to what, out of what the files say."""

import logging
from collections.abc import Callable

from gateway.auth.access import Access
from gateway.config.model import Config
from gateway.config.policies import compiled
from gateway.domain.agents import Agents
from gateway.domain.combined import combined
from gateway.domain.issue import Issue
from gateway.domain.listing import Listing
from gateway.domain.pinning import Pinning
from gateway.domain.pins import Pins
from gateway.domain.policies import Policies
from gateway.domain.policy import Policy
from gateway.runtime.trusted import Makers, as_it_is

log = logging.getLogger(__name__)

Admit = Callable[[Listing], Listing]


def makers(access: Callable[[Config], Access]) -> Makers:
    return Makers(policy, access, admitting())


def policy(config: Config, agents: Agents | None) -> Policy:
    return combined(Policies(compiled(config.policies)), agents, config.default_agent)


def admitting() -> Callable[[Config, Pins | None], Admit]:
    """Makes what holds tools to their pins: the very one as before, as long as it would do the
    same, for it remembers what it has judged.
    """
    last: Admit = as_it_is

    def admit(config: Config, pins: Pins | None) -> Admit:
        nonlocal last
        made: Admit = as_it_is
        if pins is not None:
            made = Pinning(pins, config.lock.on_change, config.lock.backends, _differs)
        if made != last:
            last = made
        return last

    return admit


def _differs(issue: Issue) -> None:
    facts = {"backend": issue.file, "what": issue.path, "problem": issue.message}
    log.warning("definition_differs", extra=facts)
