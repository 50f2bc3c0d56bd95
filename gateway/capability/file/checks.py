"""What can be said of a capability file without its templates: rules over several keys, and lints.

All of it yields problems. Paths start at the top of the file; in `tool_problems`, at the tool.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.capability.file import units
from gateway.capability.file.annotations import READS, annotations, effect
from gateway.capability.file.flow_checks import flow_problems
from gateway.capability.file.model import (
    BODIES,
    METHODS,
    Cache,
    Capability,
    ErrorRule,
    RequestSpec,
    Step,
    ToolSpec,
)
from gateway.capability.file.problem import Path, Problem
from gateway.capability.file.schemas import argument_problems, output_problems
from gateway.credentials import Auth
from gateway.credentials.secret import source_problem
from gateway.domain.issue import Severity

Problems = Iterator[Problem]

WRITTEN_OUT = "a credential is written out in this file"
DECLARE = 'declare it below secrets: and write "{{ secrets.NAME }}" below auth:'

TEMPLATE = re.compile(r"\{[{%](?:(?!\{\{|\}\}|%\}).)*")  # to its end; each character is read once
EFFECTS = re.compile(  # the beginnings of words that say what a call changes
    r"\b(accept|add|append|appl|approv|archiv|assign|attach|ban|block|book|buy|cancel|chang|charg|clear"
    r"|clos|commit|complet|configur|copy|creat|deactivat|delet|deploy|destroy|disabl|dismiss|drop|edit"
    r"|empt|enabl|end|execut|expir|export|fork|generat|grant|import|insert|install|invit|join|launch|leav|lock|mak|mark"
    r"|merg|modif|mov|open|order|overwrit|pause|pay|post|print|publish|purg|push|put|queu|rebuild"
    r"|record|refund|register|reject|releas|remov|renam|reopen|replac|repl|reset|resolv|restart|restor"
    r"|resum|revok|run|save|schedul|send|set|shar|star|start|stop|store|submit|subscrib|terminat|toggl"
    r"|transfer|trigger|turn|unassign|unblock|unlock|unpublish|unstar|unsubscrib|updat|upload|upsert"
    r"|void|withdraw|writ)",
    re.IGNORECASE,
)


def file_problems(capability: Capability) -> Problems:
    """The file's own keys; `tools` apart."""
    for name, source in capability.secrets.items():
        problem = source_problem(source)
        if problem:
            yield Problem(("secrets", name), problem)
    yield from _session(capability)
    yield from _tls(capability)
    yield from _written_out(capability)
    yield from _unused_secrets(capability)
    yield from _names((), (capability.name or "",))
    yield from _names(("tools",), capability.tools)
    yield from _rules(capability.errors)
    yield from _quantities(capability)


def tool_problems(spec: ToolSpec) -> Problems:
    """One tool, by itself."""
    yield from _method(spec)
    yield from _body(spec)
    yield from _names(("args",), spec.args)
    for problem in argument_problems(spec.args):
        yield problem.below("args")
    if spec.output is not None:
        for problem in output_problems(spec.output):
            yield problem.below("output")
    yield from _rules(spec.errors)
    yield from _quantities(spec)
    yield from flow_problems(spec)
    for index, step in enumerate(spec.steps):
        yield from (found.below("steps", index) for found in _step(step))
    yield from _hints(spec.annotations)
    yield from _lints(spec)


def _step(step: Step) -> Problems:
    yield from _method(step)
    yield from _body(step)
    yield from _names((), (step.id,))
    yield from _rules(step.errors)
    yield from _read(("timeout",), step.timeout, _positive)


def _session(capability: Capability) -> Problems:
    auth = capability.auth
    if not isinstance(auth, Auth) or auth.session is None:
        return
    place = ("auth", "session")
    if auth.session.login is not None:
        for problem in (*_method(auth.session.login), *_body(auth.session.login)):
            yield problem.below(*place, "login")
    yield from _read((*place, "expires"), auth.session.expires, _positive)


def _tls(capability: Capability) -> Problems:
    tls = capability.tls
    if tls is None:
        return
    if not (tls.ca or tls.cert):
        yield Problem(("tls",), "names no certificate", "such as tls: {ca: company-ca.pem}")
    if tls.key is not None and not tls.cert:
        yield Problem(("tls", "key"), "a key without its certificate", "add cert:")
    if capability.base_url.startswith("http:"):
        yield Problem(("tls",), "the base_url is not https, so no certificate is ever looked at")


def _written_out(capability: Capability) -> Problems:
    """A credential in the file goes where the file goes; one that is a secret does not."""
    texts = capability.auth.texts if isinstance(capability.auth, Auth) else ()
    texts = tuple(each for each in texts if each.secret)
    if texts and not any("{{" in each.text for each in texts):  # a handshake has none
        yield Problem(("auth",), WRITTEN_OUT, DECLARE, Severity.WARNING)
    tools: list[tuple[Path, Mapping[str, Any]]] = [
        (("tools", name), spec.headers) for name, spec in capability.tools.items()
    ]
    for name, spec in capability.tools.items():
        tools += [(("tools", name, "steps", at), one.headers) for at, one in enumerate(spec.steps)]
    for path, headers in (((), capability.headers), *tools):
        for name, value in headers.items():
            if name.lower() == "authorization" and value and "{{" not in str(value):
                yield Problem((*path, "headers", name), WRITTEN_OUT, DECLARE, Severity.WARNING)


def _unused_secrets(capability: Capability) -> Problems:
    """What is declared and never written in braces is most often meant to be, and sent nowhere."""
    if not capability.secrets:
        return
    read = " ".join(TEMPLATE.findall(msgspec.json.encode(capability).decode()))
    for name, source in capability.secrets.items():
        used = re.search(rf"\bsecrets(\.{name}\b|\[\\?['\"]{name}\\?['\"]\])", read)
        if not used and not source_problem(source):
            hint = f'write "{{{{ secrets.{name} }}}}" where it is to go, or remove it'
            message = f"the secret {name!r} is used nowhere"
            yield Problem(("secrets", name), message, hint, Severity.WARNING, at_key=True)


def method_of(spec: RequestSpec) -> str | None:
    """The method key that is set, lower case; None unless it is exactly one."""
    given = [method for method in METHODS if getattr(spec, method) is not None]
    return given[0] if len(given) == 1 else None


def _method(spec: RequestSpec) -> Problems:
    given = [method for method in METHODS if getattr(spec, method) is not None]
    if not given and not (isinstance(spec, ToolSpec) and spec.steps):
        yield Problem((), "no method", f"one of {', '.join(METHODS)}, such as get: /items")
    for extra in given[1:]:
        message = f"a second method: {given[0]!r} stands here too"
        yield Problem((extra,), message, "one tool makes one request", at_key=True)


def _body(spec: RequestSpec) -> Problems:
    given = [body for body in BODIES if getattr(spec, body) not in (None, UNSET)]
    if spec.json is None:
        given.insert(0, "json")  # a literal null is a body too
    for extra in given[1:]:
        yield Problem((extra,), f"a second body: {given[0]!r} stands here too", at_key=True)
    method = method_of(spec)
    if given and method in READS:
        hint = "put the values below 'query:', or use post"
        yield Problem((given[0],), f"a request of '{method}' has no body", hint, at_key=True)


def _names(path: tuple[str, ...], names: Iterable[str]) -> Problems:
    """A pattern's `$` lets a line end pass."""
    for name in names:
        if name.endswith("\n"):
            yield Problem((*path, name) if path else ("name",), "a name with a line end")


def _rules(rules: tuple[ErrorRule, ...]) -> Problems:
    for index, rule in enumerate(rules):
        if rule.status is None and rule.when is None:
            yield Problem(("errors", index), "a rule for nothing", "give it 'status' or 'when'")


def _quantities(spec: Capability | ToolSpec) -> Problems:
    """Durations and sizes, wherever they stand."""
    yield from _read(("timeout",), spec.timeout, _positive)
    if isinstance(spec.cache, Cache):
        yield from _read(("cache", "ttl"), spec.cache.ttl, units.seconds)
    else:
        yield from _read(("cache",), spec.cache, units.seconds)
    if spec.retry is not None:
        yield from _read(("retry", "max_wait"), spec.retry.max_wait, units.seconds)
    if spec.limits is not None:
        yield from _read(("limits", "max_bytes"), spec.limits.max_bytes, units.size)
        yield from _read(("limits", "transfer"), spec.limits.transfer, units.size)
    if isinstance(spec, ToolSpec) and spec.response is not None:
        yield from _read(("response", "max_bytes"), spec.response.max_bytes, units.size)


def _read(path: tuple[str, ...], value: Any, reader: Callable[[Any], float]) -> Problems:
    if value is None:
        return
    try:
        reader(value)
    except ValueError as error:
        yield Problem(path, str(error))


def _positive(value: Any) -> float:
    found = units.seconds(value)
    if not found:
        raise ValueError("no time at all")
    return found


def _hints(given: Mapping[str, bool | str]) -> Problems:
    for name, value in given.items():
        if isinstance(value, str) != (name == "title"):
            wanted = "text" if name == "title" else "true or false"
            yield Problem(("annotations", name), f"must be {wanted}")


def _lints(spec: ToolSpec) -> Problems:
    if not spec.description.strip():
        yield Problem(("description",), "is empty")
    method = effect(map(method_of, spec.steps)) if spec.steps else method_of(spec)
    if method is None:
        return
    told = annotations(method, spec.annotations)
    if told.get("destructiveHint") and not EFFECTS.search(spec.description):
        message = f"a tool of '{method}' whose description does not say what it changes"
        hint = "say it; or, when it only reads: annotations: {readOnlyHint: true}"
        yield Problem(("description",), message, hint, Severity.WARNING)
    if _caches(spec.cache) and not told["readOnlyHint"]:
        message = f"the answers of '{method}' are cached: a repeated call may do nothing"
        hint = "remove 'cache', or, when it only reads: annotations: {readOnlyHint: true}"
        yield Problem(("cache",), message, hint, Severity.WARNING, at_key=True)


def _caches(cache: Cache | str | float | None) -> bool:
    ttl = cache.ttl if isinstance(cache, Cache) else cache
    try:
        return ttl is not None and units.seconds(ttl) > 0
    except ValueError:
        return False
