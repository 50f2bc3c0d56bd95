"""`policies:` of gateway.yaml as frozen values: who may see and call what.

The text below a field is what an editor shows.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from gateway.capability.file.model import Strict

Text = Annotated[str, Meta(min_length=1)]
Named = Annotated[str, Meta(pattern=r"\S")]
LevelName = Literal["deny", "read", "execute", "admin"]


class Condition(Strict, frozen=True):
    """What the value of an argument has to be; all that is said counts."""

    equals: Any | UnsetType = UNSET
    """This very value."""
    one_of: tuple[Any, ...] | None = None
    """One of these."""
    glob: Text | None = None
    """A text that this glob matches."""
    at_least: int | float | None = None
    """A number from here on."""
    at_most: int | float | None = None
    """A number up to here."""


class Rule(Strict, frozen=True):
    """A level for what it matches. Without `tool`, `prompt` and `resource` that is the whole
    server; with several of them, what any of them matches.
    """

    level: LevelName
    """deny, read (see it), execute (call it) or admin."""
    backend: Text | tuple[Text, ...] = "*"
    """Globs of servers, by their own names."""
    tool: Text | tuple[Text, ...] | None = None
    """Globs of tools."""
    prompt: Text | tuple[Text, ...] | None = None
    """Globs of prompts."""
    resource: Text | tuple[Text, ...] | None = None
    """Globs of resources, by URI."""
    when: dict[Named, Condition] = field(default_factory=dict)
    """Argument → what its value has to be for the rule to count; for tools alone."""


class PolicyFor(Strict, frozen=True):
    """Rules, and of whom they speak. A deny holds whoever it speaks of."""

    description: str = ""
    """What it is for."""
    keys: tuple[Text, ...] = ()
    """Globs of callers: names of API keys, `bearer`, `anonymous`, `local` (stdio), jwt:SUBJECT."""
    teams: tuple[Text, ...] = ()
    """Globs of teams."""
    orgs: tuple[Text, ...] = ()
    """Globs of organisations."""
    agents: tuple[Text, ...] = ()
    """Globs of agents: they are narrowed by it, never given more."""
    everyone: bool = False
    """It speaks of all callers."""
    default_level: LevelName | None = None
    """For what no rule of it matches; by default policies of a wider circle decide, and in the end
    it is denied."""
    rules: tuple[Rule, ...] = ()
    """In any order: a deny that matches decides, else the highest level that does."""
    allowed_backends: tuple[Text, ...] | None = None
    """Globs: all other servers are denied."""
    denied_backends: tuple[Text, ...] = ()
    """Globs of servers that are denied."""
    rate_limit: Annotated[int, Meta(ge=0)] | None = None
    """Requests a minute of each caller that it speaks of, where that is less than its key's own."""
