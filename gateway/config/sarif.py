"""Issues as SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from gateway.domain.issue import Issue, Severity
from gateway.version import __version__

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.DEGRADED: "note"}
RULES = {
    Severity.ERROR: "The file is refused, or an example fails",
    Severity.WARNING: "The file loads, but see to it",
    Severity.DEGRADED: "The file loads; its calls fail until something outside is mended",
}


def sarif(issues: Iterable[Issue]) -> dict[str, Any]:
    """A log of one run; paths stay as they were given, so run it where they are meant."""
    rules = [{"id": f"capgate/{rule}", "shortDescription": {"text": RULES[rule]}} for rule in RULES]
    driver = {"name": "capgate", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(issue) for issue in issues],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(issue: Issue) -> dict[str, Any]:
    text = f"{issue.message} ({issue.hint})" if issue.hint else issue.message
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": quote(PurePath(issue.file).as_posix())}}
    }
    if issue.line:
        region = {"startLine": issue.line}
        if issue.column:
            region["startColumn"] = issue.column
        place["physicalLocation"]["region"] = region
    if issue.path:
        place["logicalLocations"] = [{"fullyQualifiedName": issue.path}]
    return {
        "ruleId": f"capgate/{issue.severity}",
        "level": LEVELS[issue.severity],
        "message": {"text": text},
        "locations": [place],
    }
