"""A parsed file → a checked `Capability`, variables filled in, and every problem at its line."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import PurePath
from typing import Any

import msgspec
from msgspec import structs

from gateway.capability.file import base_url, checks
from gateway.capability.file.example_urls import home, moved
from gateway.capability.file.model import ADVICE, BACKEND_NAME, Capability, ToolSpec
from gateway.capability.file.problem import MOST, Path, Problem
from gateway.capability.file.shape import examined
from gateway.capability.file.variables import expand
from gateway.capability.file.yaml import Parsed
from gateway.capability.file.yaml_trouble import clip
from gateway.domain.issue import Issue, Severity

FOREIGN = ("fulcrum", "openapi", "swagger")  # how files of other formats begin


def conform(
    parsed: Parsed, file: str, environ: Mapping[str, str]
) -> tuple[Capability | None, list[Issue]]:
    """The capability, with `name` always set and `base_url` literal, or None; and all the findings.

    A capability may come with warnings; with an error it does not come. `environ` is read only for
    the `${NAME}` in `base_url` and `vars`.
    """
    if parsed.issues:
        return None, list(parsed.issues)
    other = _of_another_format(parsed)
    if other is not None:
        return None, [other]
    capability, issues, tree = examined(parsed, Capability, ADVICE)
    problems: list[Problem] = []
    if capability is None:
        found = _sound_parts(tree, environ)
    else:
        capability = _named(capability, file, problems)
        capability = _filled(capability, environ, problems)
        found = chain(checks.file_problems(capability), _of_tools(capability.tools))
    problems += _first_errors(found)
    issues += [_issue(parsed, problem) for problem in problems]
    issues.sort(key=lambda issue: (issue.line, issue.column))
    refused = any(issue.severity is Severity.ERROR for issue in issues)
    return None if refused else capability, _most(issues, file)


def _of_another_format(parsed: Parsed) -> Issue | None:
    """One word is enough: none of its keys is ours."""
    tree = parsed.tree if isinstance(parsed.tree, dict) else {}
    name = next((name for name in FOREIGN if name in tree), None)
    if name is None or "capability" in tree:
        return None
    message = f"unknown key {name!r}: the file is of another format"
    return parsed.issue((name,), message, ADVICE[name], at_key=True)


def _of_tools(tools: Mapping[str, ToolSpec]) -> Iterator[Problem]:
    for name, spec in tools.items():
        for found in checks.tool_problems(spec):
            yield found.below("tools", name)


def _sound_parts(tree: Any, environ: Mapping[str, str]) -> Iterator[Problem]:
    """In a file that is refused already, what is wrong with parts of the right shape."""
    whole = tree if isinstance(tree, dict) else {}
    if isinstance(whole.get("base_url"), str):
        problems: list[Problem] = []
        _literal(whole["base_url"], environ, problems)
        yield from problems
    tools = whole.get("tools")
    for name, spec in tools.items() if isinstance(tools, dict) else ():
        try:
            yield from _of_tools({name: msgspec.convert(spec, ToolSpec)})
        except msgspec.ValidationError:
            continue


def _named(capability: Capability, file: str, problems: list[Problem]) -> Capability:
    """Without `name:` the file's own name counts."""
    if capability.name is not None:
        return capability
    stem = PurePath(file).stem
    if not re.fullmatch(BACKEND_NAME, stem):
        message = f"the file's name, {clip(stem)!r}, cannot be the backend's name"
        problems.append(Problem((), message, "add 'name:': a-z, 0-9 and '_', a letter first"))
    return structs.replace(capability, name=stem)


def _filled(
    capability: Capability, environ: Mapping[str, str], problems: list[Problem]
) -> Capability:
    """`base_url` made literal, and `vars`, from the environment."""
    url = _literal(capability.base_url, environ, problems)
    given = {
        name: _deep(value, ("vars", name), environ, problems)
        for name, value in capability.vars.items()
    }
    tools = capability.tools
    told = home(capability.base_url)
    if told is not None and told != url:
        tools = moved(tools, told, url)
    return structs.replace(capability, base_url=url, vars=given, tools=tools)


def _literal(url: str, environ: Mapping[str, str], problems: list[Problem]) -> str:
    try:
        return base_url.literal(expand(url, environ))
    except ValueError as error:
        problems.append(Problem(("base_url",), str(error), getattr(error, "hint", None)))
        return url


def _deep(value: Any, path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    """A value of `vars` with the variables in all its texts filled in."""
    if isinstance(value, dict):
        return {key: _deep(one, (*path, key), environ, problems) for key, one in value.items()}
    if isinstance(value, list):
        return [_deep(one, (*path, i), environ, problems) for i, one in enumerate(value)]
    if isinstance(value, str):
        try:
            return expand(value, environ)
        except ValueError as error:
            problems.append(Problem(path, str(error), getattr(error, "hint", None)))
    return value


def _issue(parsed: Parsed, found: Problem) -> Issue:
    return parsed.issue(
        found.path, found.message, found.hint, severity=found.severity, at_key=found.at_key
    )


def _first_errors(found: Iterator[Problem]) -> Iterator[Problem]:
    """Little more than `MOST` of them, with the warnings between."""
    errors = 0
    for problem in found:
        errors += problem.severity is Severity.ERROR
        yield problem
        if errors > MOST:
            return


def _most(issues: list[Issue], file: str) -> list[Issue]:
    """At most `MOST` errors and as many warnings: however many those are, they refuse nothing."""
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    others = [issue for issue in issues if issue.severity is not Severity.ERROR]
    shown = sorted([*errors[:MOST], *others[:MOST]], key=lambda issue: (issue.line, issue.column))
    if len(shown) == len(issues):
        return issues
    worst = Severity.ERROR if len(errors) > MOST else Severity.WARNING
    text = f"more than {MOST} problems; the rest is not shown"
    return [*shown, Issue(file, text, severity=worst)]
