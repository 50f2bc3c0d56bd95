"""What an operator's policies say: rules, and of whom they speak. Plain values."""

from dataclasses import dataclass

from gateway.domain.conditions import Condition
from gateway.domain.identity import Level


@dataclass(frozen=True, slots=True)
class Rule:
    """A level for what it matches; every text is a glob.

    `tools`, `prompts` and `resources` None, all three: everything of these backends. A tool's glob
    with a colon may also match `backend:tool`. With conditions (`when`, all of them have to hold)
    it speaks of tools alone. `place` is where it stands: `policies.readers.rules[2]`.
    """

    place: str
    level: Level
    backends: tuple[str, ...] = ("*",)
    tools: tuple[str, ...] | None = None
    prompts: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    when: tuple[Condition, ...] = ()

    @property
    def of_all(self) -> bool:
        return self.tools is None and self.prompts is None and self.resources is None


@dataclass(frozen=True, slots=True)
class Assigned:
    """One policy: whoever one of its globs fits is spoken of. `default` is the level of what no
    rule of it matches; None: others decide. `place` is where it stands: `policies.readers`.
    """

    place: str
    keys: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    everyone: bool = False
    default: Level | None = None
    rules: tuple[Rule, ...] = ()
    allowed_backends: tuple[str, ...] | None = None
    denied_backends: tuple[str, ...] = ()
    rate_limit: int | None = None
