"""Rules of `gateway.yaml` by which somebody is kept from everything, or that are about nobody who
calls: most often that was not meant. Pure.
"""

from collections.abc import Iterator
from itertools import islice

from gateway.config.clients import identity_of
from gateway.config.model import Config
from gateway.config.policies import compiled
from gateway.config.unmet_globs import MOST_TOLD, Path, Remark, written
from gateway.domain.catalog import Catalog
from gateway.domain.globs import any_of
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.names import did_you_mean
from gateway.domain.policies import Policies

JWT = "jwt:"
NO_RULES = "nobody acts as an agent: agent_rules names no file"


def remarks(config: Config, catalog: Catalog) -> Iterator[Remark]:
    for found in (_no_caller(config), _no_agent(config), _nothing_left(config, catalog)):
        yield from islice(found, MOST_TOLD)


def _no_caller(config: Config) -> Iterator[Remark]:
    """Keys, teams and organisations of nobody, where it is known who may call."""
    auth = config.auth
    if not auth.enabled:
        return
    keys = auth.api_keys
    names = [*(one.name for one in keys), *(["bearer"] if auth.bearer_token else []), "local"]
    teams = [one.team for one in keys if one.team is not None]
    orgs = [one.org for one in keys if one.org is not None]
    for name, policy in written(config):
        for key, noun, globs, there in (
            ("keys", "caller", policy.keys, names),
            ("teams", "team of a key", policy.teams, teams),
            ("orgs", "organisation of a key", policy.orgs, orgs),
        ):
            for pattern in globs:
                foreign = auth.jwt is not None and (key != "keys" or pattern.startswith(JWT))
                if not foreign and not any(map(any_of([pattern]), there)):
                    text = f"no {noun} fits {pattern!r}"
                    yield Remark(("policies", name, key), text, did_you_mean(pattern, there))


def _no_agent(config: Config) -> Iterator[Remark]:
    if config.agent_rules is None:
        if config.default_agent is not None:
            yield Remark(("default_agent",), NO_RULES)
        for name, policy in written(config):
            if policy.agents:
                yield Remark(("policies", name, "agents"), NO_RULES)
        return
    for index, one in enumerate(config.auth.api_keys if config.auth.enabled else ()):
        if not one.agents:
            text = f"agents have rules, and {one.name!r} may act as none: it can call nothing"
            yield Remark(("auth", "api_keys", index), text, "agents: [...] lists them, or globs")


def _nothing_left(config: Config, catalog: Catalog) -> Iterator[Remark]:
    """Callers who may use no server that is there."""
    policies = Policies(compiled(config.policies))
    for path, who, told in _callers(config):
        decided = [policies.of(who).backend(name) for name in catalog.backends]
        if decided and not any(one.visible for one in decided):
            rule = decided[0].rule
            yield Remark(path, f"{told} may use nothing that is on offer ({rule})", _way_out(rule))


def _callers(config: Config) -> Iterator[tuple[Path, Identity, str]]:
    if config.auth.enabled:
        for index, one in enumerate(config.auth.api_keys):
            yield ("auth", "api_keys", index), identity_of(one), repr(one.name)
    elif config.policies:
        told = "nobody is asked who calls (auth.enabled): everybody is 'anonymous' over HTTP, and"
        yield ("policies",), ANONYMOUS, told


def _way_out(rule: str) -> str | None:
    if rule.startswith("policies:"):
        return (
            "a rule with level: execute, or default_level: execute, in a policy that speaks of it"
        )
    return None
