"""As which agent a caller says it acts, in a header of its HTTP request."""

from gateway.domain.agents import LONGEST
from gateway.domain.identity import Identity
from gateway.protocol.header_values import Headers

HEADER = "x-agent-id"


def acting(caller: Identity, headers: Headers) -> Identity:
    """The caller as the agent that its X-Agent-Id names: a claim, which its rights look into. It
    holds for all of the request, whatever `agent_id` says.
    """
    named = headers.get(HEADER, "").strip()
    if not named:
        return caller
    agent = named[: LONGEST + 1]  # no agent has a longer name
    return Identity(caller.name, caller.team, caller.org, caller.grant, agent, caller.operator)
