"""Whether a request may go on to its backend, for the rules: hidden is what does not exist."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.domain.identity import Identity
from gateway.domain.policy import Decision, Kind, Rights
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.errors import Denied, ToolNotFound
from gateway.protocol import mcp

NAMED_BY: Mapping[str, tuple[Kind, str]] = {
    mcp.PROMPTS_GET: (Kind.PROMPT, "name"),
    mcp.RESOURCES_READ: (Kind.RESOURCE, "uri"),
    mcp.SUBSCRIBE: (Kind.RESOURCE, "uri"),
    mcp.UNSUBSCRIBE: (Kind.RESOURCE, "uri"),
}
COMPLETED: Mapping[str, tuple[Kind, str]] = {
    mcp.REF_PROMPT: (Kind.PROMPT, "name"),
    mcp.REF_RESOURCE: (Kind.RESOURCE, "uri"),
}
OF_ALL = frozenset(
    {mcp.SET_LEVEL, mcp.TASKS_LIST, mcp.TASKS_GET, mcp.TASKS_RESULT, mcp.TASKS_CANCEL}
    | {mcp.TASKS_UPDATE, mcp.SUBSCRIBE, mcp.UNSUBSCRIBE}
)  # what goes with the use of anything: tasks are their callers' own


class Subject(NamedTuple):
    """What a request is about; where `kind` is None, nothing more than what may be used anyway."""

    kind: Kind | None
    name: str


def subject(method: str, params: JsonObject) -> Subject:
    """Of a request that is no tool call."""
    if method == mcp.COMPLETE:
        ref = params.get("ref")
        if isinstance(ref, Mapping) and (known := COMPLETED.get(str(ref.get("type")))):
            return Subject(known[0], str(ref.get(known[1])))  # it may have name and URI
    found = NAMED_BY.get(method)
    if found is not None and found[1] in params:
        return Subject(found[0], str(params[found[1]]))
    return Subject(None, "") if method in OF_ALL else Subject(Kind.OTHER, method)


def judge_call(
    who: Identity, rights: Rights, backend: str, tool: str, arguments: JsonObject
) -> Decision:
    """What lets the call pass; or does not, where the tool is not to be seen. Raises Denied.

    What is denied for its arguments may be seen all the same.
    """
    decision = rights.of_call(backend, tool, arguments)
    if decision.allowed:
        return decision
    if decision.told or rights.decide(Kind.TOOL, backend, tool).visible:
        text = f"{_named(who)} may not call tool {shown(tool)} of server {shown(backend)}"
        raise Denied(text, decision.rule)
    return decision


def judge_query(who: Identity, rights: Rights, backend: str, about: Subject) -> str:
    """The rule that lets a request to a backend that may be seen pass. Raises Denied, or
    ToolNotFound for what is not to be seen.
    """
    kind, name = about
    decision = rights.backend(backend) if kind is None else rights.decide(kind, backend, name)
    if decision.allowed:
        return decision.rule
    if kind is not None and not (decision.visible or decision.told):
        hidden = ToolNotFound(f"no {kind} {shown(name)} on server {backend!r}")
        hidden.rule = decision.rule
        raise hidden
    what = f"{kind} {shown(name)} of " if kind is not None else ""
    raise Denied(f"{_named(who)} may not use {what}server {backend!r}", decision.rule)


def judge_hidden(who: Identity, rights: Rights, backend: str) -> None:
    """Raises Denied for a backend that is not to be seen, or is not there, where a rule may say
    so.
    """
    decision = rights.backend(backend)
    if decision.told and not decision.visible:
        raise Denied(f"{_named(who)} may not use server {shown(backend)}", decision.rule)


def _named(who: Identity) -> str:
    return f"agent {who.agent!r}" if who.agent else repr(who.name)
