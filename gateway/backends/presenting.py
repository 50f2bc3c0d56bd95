"""How an MCP server is shown: its own words of itself, made fit for people, and how it fares. Pure.

The rule: a listing changes only when there is something new to know. What merely counts on (a time,
a process id) is no news.
"""

import re
from dataclasses import replace

from gateway.backends.offering import PROMPTS, RESOURCES, TEMPLATES, Offering
from gateway.backends.settings import McpSettings
from gateway.backends.supervise import Phase, State
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.text import cut, visible
from gateway.session.session import Session

LONGEST_TEXT = 16 * 1024  # characters of instructions
LONGEST_DESCRIPTION = 300  # characters of what a server says of itself
SAID = ("description", "title", "name")  # where, in an MCP Implementation

_DIGITS = re.compile(r"\d+")


def introduced(before: Listing, settings: McpSettings, session: Session) -> Listing:
    """With what the server told of itself."""
    instructions = cut(visible(session.instructions), LONGEST_TEXT)
    return replace(
        before,
        description=settings.description or _description(session),
        capabilities=session.capabilities,
        instructions=instructions,
        era=session.revision.era,
    )


def _description(session: Session) -> str:
    found = (session.server_info.get(key) for key in SAID)
    text = next((each for each in found if isinstance(each, str) and each), "")
    return cut(" ".join(visible(text).split()), LONGEST_DESCRIPTION)


def presented(before: Listing, about: Listing, offering: Offering, state: State) -> Listing:
    """`about` with what is offered and how it fares; equal to `before` when nothing is new."""
    return replace(
        about,
        tools=offering.tools,
        prompts=offering.items(PROMPTS),
        resources=offering.items(RESOURCES),
        templates=offering.items(TEMPLATES),
        health=_health(before.health, offering, state),
        settled=state.settled,
    )


def _health(before: Health, offering: Offering, state: State) -> Health:
    problem, reason = offering.problem, state.shown()
    if state.phase is Phase.UP and problem:
        return Health(Status.DEGRADED, problem, offering.issues)
    status = Status.OK if state.usable else Status.DOWN
    if before.status is status and _alike(before.reason or "", reason or ""):
        reason = before.reason
    return Health(status, reason, offering.issues)


def _alike(one: str, other: str) -> bool:
    return _DIGITS.sub("0", one) == _DIGITS.sub("0", other)
