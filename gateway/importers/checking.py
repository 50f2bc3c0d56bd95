"""The last stage of every importer: what was made must load, wherever it will run."""

import re
from collections.abc import Mapping

from gateway.capability import load as capability
from gateway.config.load import understand
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Issue, Severity

CONFIG = "gateway.yaml"

_ASKED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)|\benv:([A-Za-z_][A-Za-z0-9_]*)")
_BASE = re.compile(r"^base_url: [\"']?\$\{(\w+)", re.MULTILINE)  # the whole URL


def capability_errors(text: str, file: str) -> tuple[Issue, ...]:
    """Why the loader refuses a capability file, at the lines of `text`; none: it does not."""
    loaded = capability.load(text.encode(), file, environ=environment(text), redactor=Redactor())
    if loaded.capability is not None:
        loaded.capability.secrets.release()
    return tuple(issue for issue in loaded.issues if issue.severity is Severity.ERROR)


def config_errors(text: str) -> tuple[Issue, ...]:
    """Why gateway.yaml could not have this in it."""
    return understand(text.encode(), CONFIG, environment(text), {}).issues


def environment(text: str) -> Mapping[str, str]:
    """One in which every variable that a text asks for is set."""
    found = {name: "unset" for pair in _ASKED.findall(text) for name in pair if name}
    return found | dict.fromkeys(_BASE.findall(text), "https://unset.example")
