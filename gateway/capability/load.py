"""The bytes of a capability file -> its compiled tools, or everything that is wrong with it.

Pure: nothing is read but the bytes, the environment that is given, and the files of `secrets:`. It
never raises, whatever the bytes. `examples/` runs the examples, when somebody validates.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import structs

from gateway.capability.compile import Compiled, Compiler
from gateway.capability.compiled import CompiledCapability
from gateway.capability.expressions.place import Key
from gateway.capability.file.conform import conform
from gateway.capability.file.model import Capability, Tls
from gateway.capability.file.yaml import Parsed, parse
from gateway.capability.login import with_login
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import Secrets
from gateway.domain.issue import Issue, Severity
from gateway.domain.names import did_you_mean

Overrides = Mapping[str, Mapping[str, Any]]  # backend -> `vars` of its file -> value


@dataclass(frozen=True, slots=True)
class Loaded:
    """`capability` is None when an issue is an error, or when the file says `enabled: false`.

    `parsed`, `secrets` (their names and sources) and `tools` are for who looks closer, such as
    `examples.check`.
    """

    capability: CompiledCapability | None
    issues: tuple[Issue, ...]
    parsed: Parsed
    secrets: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, Compiled] = field(default_factory=dict)


def load(
    data: bytes,
    file: str,
    *,
    environ: Mapping[str, str],
    redactor: Redactor,
    vars_override: Overrides | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Loaded:
    """`redactor` learns the secrets; `vars_override` replaces values of `vars`."""
    parsed = parse(data, file)
    spec, issues = conform(parsed, file, environ)
    if spec is None:
        return Loaded(None, tuple(issues), parsed)

    report = _Report(parsed, issues)
    spec = _overridden(spec, (vars_override or {}).get(spec.name or "", {}), report)
    secrets = Secrets(spec.secrets, environ, clock, redactor)
    compiler = Compiler(spec, secrets, redactor, report)
    tools = {name: compiler.tool(name) for name in spec.tools}
    auth = with_login(spec, compiler.shared)
    report.forget()
    issues.sort(key=lambda issue: (issue.line, issue.column))
    refused = any(issue.severity is Severity.ERROR for issue in issues)
    if refused or not spec.enabled:
        secrets.release()
        return Loaded(None, tuple(issues), parsed, spec.secrets, {} if refused else tools)
    capability = CompiledCapability(
        name=compiler.backend,
        description=spec.description,
        file=file,
        digest=sha256(data).hexdigest(),
        origin="/".join(compiler.shared.base.split("/", 3)[:3]),
        tools={name: compiled.tool for name, compiled in tools.items()},
        issues=tuple(issues),
        secrets=secrets,
        auth=auth,
        inbound=compiler.shared.inbound,
        tls=spec.tls and _beside(spec.tls, file),
        redactor=redactor,
    )
    return Loaded(capability, tuple(issues), parsed, spec.secrets, tools)


class _Report:
    """Notes what is found at a path of the file, while it is compiled.

    Templates keep it for as long as they serve. The places of a file take as much memory as all it
    is compiled to, so they are let go at the end.
    """

    def __init__(self, parsed: Parsed, issues: list[Issue]) -> None:
        self._parsed: Parsed | None = parsed
        self._issues = issues

    def __call__(
        self,
        path: tuple[Key, ...],
        message: str,
        hint: str | None = None,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        if self._parsed is not None:
            self._issues.append(self._parsed.issue(path, message, hint, severity=severity))

    def forget(self) -> None:
        self._parsed = None
        self._issues = []


def _beside(tls: Tls, file: str) -> Tls:
    """Its paths, which begin at the file's folder, made absolute."""
    folder = Path(file).absolute().parent
    given = structs.asdict(tls).items()
    found = {name: str(folder / Path(path).expanduser()) for name, path in given if path}
    return structs.replace(tls, **found)


def _overridden(spec: Capability, given: Mapping[str, Any], report: _Report) -> Capability:
    for name in given:
        if name not in spec.vars:
            message = f"the configuration sets vars.{name}, which this file does not have"
            report(("vars",), message, did_you_mean(name, spec.vars), severity=Severity.WARNING)
    known = {name: value for name, value in given.items() if name in spec.vars}
    return structs.replace(spec, vars={**spec.vars, **known}) if known else spec
