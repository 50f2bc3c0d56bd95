"""`capgate explain`: may this key see and call that tool, and which rule says so?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from gateway.cli.call_arguments import one_object
from gateway.cli.common import QUIET, config_options, echo_json, json_option, read_config, with_view
from gateway.config.clients import LEVELS, identities
from gateway.config.model import Config
from gateway.config.policies import compiled
from gateway.config.unmet_globs import is_known
from gateway.domain.identity import ANONYMOUS, LOCAL, Grant, Identity, Level
from gateway.domain.names import did_you_mean
from gateway.domain.policies import Policies
from gateway.domain.policy import Decision, Kind, Rights
from gateway.domain.rules import Rule
from gateway.domain.tool import JsonObject, ToolRef
from gateway.errors import InvalidAgent
from gateway.runtime.view import View

JWT = "jwt:"


@dataclass(frozen=True, slots=True)
class Asked:
    """`tool` None: the server as a whole. `arguments` None: whatever they are."""

    who: Identity
    agent: str | None
    server: str
    tool: str | None
    arguments: JsonObject | None

    def __str__(self) -> str:
        return self.server if self.tool is None else f"{self.server}:{self.tool}"


@dataclass(frozen=True, slots=True)
class Explained:
    """`others` are further rules that match; `notes` what there is to know beside."""

    decision: Decision
    visible: bool
    others: Sequence[Rule]
    notes: Sequence[str]


@click.command("explain")
@click.argument("key")
@click.argument("tool", metavar="SERVER[:TOOL]")
@click.option("--agent", help="Acting as this agent.")
@click.option("--team", help="Of this team: for KEY jwt:SUBJECT.")
@click.option("--org", help="Of this organisation: for KEY jwt:SUBJECT.")
@click.option("--args", "given", help="The arguments of the call, as one JSON object.")
@config_options
@json_option
def command(  # noqa: PLR0913 (one parameter an option)
    key: str,
    tool: str,
    *,
    agent: str | None,
    team: str | None,
    org: str | None,
    given: str | None,
    config: str | None,
    capabilities: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say whether a key may call a tool, and why.

    KEY is the name of a key in auth.api_keys, bearer, anonymous, local
    (stdio) or jwt:SUBJECT. Exits with 1 when it may not.
    """
    configured = read_config(config, QUIET, capabilities)
    who = _identity(configured.config, key, team, org)
    server, _, name = tool.partition(":")
    arguments = None if given is None else one_object(given)
    asked = Asked(who, agent, server, name or None, arguments)
    policies = Policies(compiled(configured.config.policies))

    async def explain(view: View) -> Explained:
        return _explained(view, replace(asked, server=view.name_of(server)), policies)

    found = with_view(configured, explain, server)
    found = replace(found, notes=(*found.notes, *_never(configured.config, who)))
    if as_json:
        echo_json(_as_json(asked, found))
    else:
        _show(asked, found)
    if not found.decision.allowed:
        raise SystemExit(1)


def _identity(config: Config, key: str, team: str | None, org: str | None) -> Identity:
    known = {who.name: who for _, who in identities(config.auth, "")}
    known |= {one.name: one for one in (ANONYMOUS, LOCAL)}
    jwt = config.auth.jwt
    if key.startswith(JWT) and jwt is not None:
        return Identity(key, team, org, Grant(level=LEVELS[jwt.level]))
    if key not in known:
        near = did_you_mean(key, known) or f"there are {', '.join(known)}"
        raise click.ClickException(f"no key is called {key!r}: {near}")
    return known[key]


def _never(config: Config, who: Identity) -> Iterator[str]:
    """Whether nobody calls by that name."""
    if who == ANONYMOUS and config.auth.enabled:
        yield "auth.enabled asks everybody for a key: nobody comes in as anonymous"
    elif who not in (ANONYMOUS, LOCAL) and not config.auth.enabled:
        yield "nobody is asked for a key (auth.enabled): over HTTP everybody is anonymous"


def _explained(view: View, asked: Asked, policies: Policies) -> Explained:
    policy = view.snapshot.policy
    try:
        who = policy.acting(asked.who, asked.agent) if policy.agents else asked.who
    except InvalidAgent as error:
        return Explained(Decision(Level.DENY), visible=False, others=(), notes=(str(error),))
    rights = policy.of(who)
    decision, visible = _decided(rights, asked)
    matching = policies.matching(who, asked.server, asked.tool)
    others = [rule for rule in matching if rule.place != decision.rule]
    return Explained(decision, visible, others, tuple(_notes(view, asked, matching)))


def _decided(rights: Rights, asked: Asked) -> tuple[Decision, bool]:
    """What is decided, and whether it may be seen."""
    if asked.tool is None:
        decision = rights.backend(asked.server)
        return decision, decision.visible
    seen = rights.decide(Kind.TOOL, asked.server, asked.tool)
    if asked.arguments is None:
        return seen, seen.visible
    return rights.of_call(asked.server, asked.tool, asked.arguments), seen.visible


def _notes(view: View, asked: Asked, matching: Sequence[Rule]) -> Iterator[str]:
    if asked.arguments is None and any(rule.when for rule in matching):
        yield "conditions on arguments are left out: say --args"
    if asked.server not in view.backends:
        near = did_you_mean(asked.server, view.backends)
        yield f"no server {asked.server!r} is on offer{f': {near}' if near else ''}"
    elif asked.tool is None or view.find(ToolRef(asked.server, asked.tool)) is not None:
        return
    elif not is_known(view.backends[asked.server]):
        yield "the server is down: what it offers is not known"
    else:
        names = [tool.ref.name for tool in view.tools(asked.server)]
        near = did_you_mean(asked.tool, names)
        yield f"the server offers no tool {asked.tool!r}{f': {near}' if near else ''}"


def _verdict(found: Explained) -> str:
    if found.decision.allowed:
        return "may call"
    return "may see, and not call," if found.visible else "may neither see nor call"


def _show(asked: Asked, found: Explained) -> None:
    acting = f" as agent {asked.agent}" if asked.agent is not None else ""
    colour = "green" if found.decision.allowed else "red"
    click.secho(f"{asked.who.name}{acting} {_verdict(found)} {asked}", fg=colour)
    if found.decision.rule:
        click.echo(f"  decided by    {found.decision.rule}")
    for rule in found.others:
        when = ", on conditions" if rule.when else ""
        click.echo(f"  matches too   {rule.place} ({rule.level.name.lower()}{when})")
    for note in found.notes:
        click.echo(f"  note          {note}")


def _as_json(asked: Asked, found: Explained) -> Mapping[str, Any]:
    return {
        "key": asked.who.name,
        "agent": asked.agent,
        "server": asked.server,
        "tool": asked.tool,
        "sees": found.visible,
        "calls": found.decision.allowed,
        "level": found.decision.level.name.lower(),
        "rule": found.decision.rule,
        "matches_too": [
            {"rule": rule.place, "level": rule.level.name.lower(), "conditions": bool(rule.when)}
            for rule in found.others
        ],
        "notes": list(found.notes),
    }
