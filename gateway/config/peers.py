"""Sections of mcp-gateway's files that are taken as they are: what of them counts here, and what is
not needed. The text below a field is what an editor shows.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from msgspec import Meta

from gateway.capability.file.model import Duration, Strict, Text
from gateway.config.policies import PolicyFor, Rule

Count = Annotated[int, Meta(ge=0)]

TOOL_POLICY = "security.tool_policy"  # the name it has among the policies
DANGEROUS = (  # denied by mcp-gateway unless its `allow` names them
    *("write_file", "delete_file", "move_file", "create_directory"),
    *("run_command", "execute_command", "shell_exec", "run_script", "eval"),
    *("drop_table", "drop_database", "truncate_table"),
    *("kill_process", "shutdown", "reboot"),
)
UNNEEDED = {  # section → why nothing follows from it
    "streaming": "answers stream when their server does, and every client's queue is bounded",
    "cache": "an answer is kept where its capability file has cache:, and nowhere else",
}


class Streaming(Strict, frozen=True):
    """mcp-gateway's; without effect."""

    enabled: bool = True
    """Without effect."""
    buffer_size: Count = 100
    """Without effect."""
    keep_alive_interval: Duration = "15s"
    """Without effect."""
    auto_subscribe: tuple[Text, ...] = ()
    """Without effect: clients subscribe to what they want to hear of."""


class ResponseCache(Strict, frozen=True):
    """mcp-gateway's; without effect."""

    enabled: bool = True
    """Without effect."""
    default_ttl: Duration = "60s"
    """Without effect."""
    max_entries: Count = 10_000
    """Without effect."""


class ToolPolicy(Strict, frozen=True):
    """mcp-gateway's rules about tools, for all callers; `policies` say more."""

    enabled: bool = True
    """Off, nothing follows from it."""
    default_action: Literal["allow", "deny"] = "allow"
    """For tools that neither list names."""
    allow: tuple[Text, ...] = ()
    """Globs of tools, by name or as server:tool."""
    deny: tuple[Text, ...] = ()
    """Globs of tools nobody may use."""
    use_default_deny: bool = True
    """Deny tools that write files, run commands or drop tables, by their usual names, too."""
    log_denied: bool = True
    """Without effect: audit has a line for each."""


class Security(Strict, frozen=True):
    """mcp-gateway's; only where it stands in the file."""

    sanitize_input: bool = True
    """Without effect: arguments are always escaped for the place where they go."""
    ssrf_protection: bool = True
    """Without effect: the rule about private addresses always holds."""
    tool_policy: ToolPolicy = ToolPolicy()
    """Rules about tools, for all callers."""


def as_policy(said: ToolPolicy) -> PolicyFor:
    """The same as one of `policies`. Raises ValueError for what cannot be said there: what it
    allows out of what it denies.
    """
    denied = [glob for glob in _denied(said) if not _covered(glob, said.allow)]
    for glob in denied:
        inside = [one for one in said.allow if one != glob and fnmatchcase(one, glob)]
        if inside:
            raise ValueError(
                f"allows {inside[0]!r}, which it denies as {glob!r}: here a deny always holds"
            )
    rules = [_rule(glob, "deny") for glob in denied]
    if said.default_action == "allow":
        return PolicyFor(everyone=True, default_level="admin", rules=tuple(rules))
    rules += [_rule(glob, "admin") for glob in said.allow]
    return PolicyFor(everyone=True, rules=tuple(rules))


def _denied(said: ToolPolicy) -> Iterator[str]:
    if said.use_default_deny:
        yield from DANGEROUS
    yield from said.deny


def _covered(glob: str, by: tuple[str, ...]) -> bool:
    return any(fnmatchcase(glob, one) for one in by)


def _rule(glob: str, level: Literal["deny", "admin"]) -> Rule:
    server, colon, tool = glob.partition(":")
    return Rule(level, backend=server, tool=tool) if colon else Rule(level, tool=glob)
