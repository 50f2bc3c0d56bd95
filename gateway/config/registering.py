"""An MCP server's settings as a program gives them → `Backend`, or every reason why not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.capability.file.model import Strict
from gateway.capability.file.shape import shaped
from gateway.capability.file.yaml import Parsed
from gateway.config.advice import ADVICE
from gateway.config.backends import Backend, ServerName
from gateway.config.expand import expand
from gateway.config.retype import retype
from gateway.config.servers import problems, relative_to
from gateway.domain.issue import Issue


class _Section(Strict, frozen=True):
    backends: dict[ServerName, Backend]


def server(
    name: str, settings: Mapping[str, Any] | Backend, environ: Mapping[str, str]
) -> tuple[Backend | None, tuple[Issue, ...]]:
    """`settings` are as below `backends:`, references included; paths are seen from where the
    process runs. A `Backend` has its values already.
    """
    given = {} if isinstance(settings, Backend) else dict(settings)
    parsed = Parsed("<registered>", {"backends": {name: given}}, ())
    found = expand(parsed, environ)
    for path in found.places:
        retype(found.tree, path)
    section, issues = shaped(replace(parsed, tree=found.tree), _Section, advice=ADVICE)
    issues = [*found.issues, *issues]
    if section is None or issues:
        return None, tuple(issues)
    backend = settings if isinstance(settings, Backend) else section.backends[name]
    wrong = tuple(
        parsed.issue(("backends", name, *one.path), one.message, one.hint)
        for one in problems(backend)
    )
    return (None, wrong) if wrong else (relative_to(backend, Path()), ())
