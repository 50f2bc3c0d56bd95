"""Who calls, and what whoever gave it its key lets it do."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """What one may do: each level includes those below it.

    `READ` sees definitions, `EXECUTE` calls and reads through them, `ADMIN` also sees how the
    gateway fares.
    """

    DENY = 0
    READ = 1
    EXECUTE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key itself says, beside all policies: none of them can give more.

    `backends`, `allowed_tools`, `denied_tools` and `agents` are globs; None: no bound. A tool's
    glob is compared with its name or, where it has a colon, with `backend:tool`. `rate_limit` is in
    requests a minute; 0: none.
    """

    level: Level = Level.EXECUTE
    backends: tuple[str, ...] | None = None
    allowed_tools: tuple[str, ...] | None = None
    denied_tools: tuple[str, ...] = ()
    agents: tuple[str, ...] | None = None
    rate_limit: int = 0


ANYTHING = Grant()
EVERYTHING = Grant(level=Level.ADMIN)


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. `name` is what audit, metrics and per-caller caches key on; never a credential.

    `agent` is as whom it acts, where agents have rules. `operator`: whoever runs the process,
    of whom no policy and no rule speaks.
    """

    name: str
    team: str | None = None
    org: str | None = None
    grant: Grant = ANYTHING
    agent: str | None = None
    operator: bool = False

    @property
    def owner(self) -> str:
        """Whose what it leaves unfinished is: tasks and parked calls. What one agent of a caller
        may use, another may not.
        """
        return self.name if self.agent is None else f"{self.name}\0{self.agent}"

    def __hash__(self) -> int:  # asked on the path of each call
        return hash((self.name, self.agent))


ANONYMOUS = Identity("anonymous")  # over HTTP, where nobody is asked who calls
LOCAL = Identity("local", grant=EVERYTHING)  # the client of a gateway on its stdin and stdout
OPERATOR = Identity("operator", grant=EVERYTHING, operator=True)
PROGRAM = Identity("program", grant=EVERYTHING, operator=True)  # it embeds the gateway
