"""A fulcrum file loaded as it is, in memory: what is said about it stands at its own lines."""

import re
from collections.abc import Mapping
from dataclasses import replace

from gateway.capability.load import Loaded, Overrides
from gateway.capability.load import load as load_capability
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Issue
from gateway.importers.fulcrum.converting import Converted, convert
from gateway.importers.fulcrum.document import PRIMARY
from gateway.importers.writing import capability_text

_LAST = re.compile(r"(\.[^.\[\]]+|\[[^\[\]]*\])$")


def load(
    data: bytes,
    file: str,
    *,
    environ: Mapping[str, str],
    redactor: Redactor,
    vars_override: Overrides | None = None,
) -> Loaded:
    """As `capability.load.load`; never raises, whatever the bytes."""
    converted = convert(data, file)
    if converted.server is not None:
        return Loaded(None, (_belongs_elsewhere(converted),), converted.parsed)
    if converted.tree is None:
        return Loaded(None, converted.issues, converted.parsed)
    text = capability_text(converted.tree).encode()
    loaded = load_capability(
        text, file, environ=environ, redactor=redactor, vars_override=vars_override
    )
    found = [*converted.issues, *(in_its_words(issue, converted) for issue in loaded.issues)]
    issues = tuple(sorted(found, key=lambda issue: (issue.line, issue.column)))
    capability = loaded.capability
    if capability is not None:
        capability = replace(capability, issues=issues)
    return replace(loaded, capability=capability, issues=issues, parsed=converted.parsed)


def in_its_words(issue: Issue, converted: Converted) -> Issue:
    """An issue of the capability file, at the place that it came from."""
    place = issue.path
    while place and place not in converted.origins:
        shorter = _LAST.sub("", place)
        place = shorter if shorter != place else ""
    path = converted.origins.get(place, ())
    return converted.parsed.issue(path, issue.message, issue.hint, severity=issue.severity)


def _belongs_elsewhere(converted: Converted) -> Issue:
    name, _ = converted.server or ("", {})
    message = f"{name!r} is an MCP server, which no folder of capability files starts"
    hint = "it belongs below backends: of gateway.yaml; capgate convert writes its entry"
    return converted.parsed.issue((*PRIMARY, "service"), message, hint)
