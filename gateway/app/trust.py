"""Makes what decides who may come in, and to what, out of what the files say."""

from collections.abc import Callable

from gateway.auth.access import Access
from gateway.config.model import Config
from gateway.domain.agents import Agents
from gateway.domain.combined import combined
from gateway.domain.listing import Listing
from gateway.domain.pins import Pins
from gateway.domain.policy import NO_POLICY, Policy
from gateway.runtime.trusted import Makers, as_it_is


def makers(access: Callable[[Config], Access]) -> Makers:
    return Makers(policy, access, admit)


def policy(config: Config, agents: Agents | None) -> Policy:
    return combined(NO_POLICY, agents, config.default_agent)


def admit(config: Config, pins: Pins | None) -> Callable[[Listing], Listing]:
    return as_it_is
