"""The tree of `gateway.yaml` as values, and all that is wrong with it, each at its line.

What is wrong with a single MCP server costs that server alone: it is left out, and told of.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import structs

from gateway.capability.file.shape import shaped
from gateway.capability.file.units import seconds, size
from gateway.capability.file.yaml import NOWHERE, Parsed, dotted, steps
from gateway.config import failsafe, policies
from gateway.config.advice import ADVICE
from gateway.config.expand import expand
from gateway.config.model import Config
from gateway.config.retype import retype
from gateway.config.servers import problems
from gateway.domain.issue import Issue

LISTS = ("backends", "aliases", "policies")  # sections that may be left empty
SHORTEST = 0.1  # seconds between two looks
IS_EMPTY, NOT_TEXT = "is empty", ", not text"  # messages that show nothing of a value


def _at_least(shortest: float, value: str | float) -> None:
    if seconds(value) < shortest:
        raise ValueError(f"{value!r} is shorter than {shortest:g} s")


UNITS: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("server", "request_timeout"): partial(_at_least, SHORTEST),
    ("server", "shutdown_timeout"): seconds,
    ("server", "max_body_size"): size,
    ("meta_mcp", "cache_ttl"): seconds,
    ("capabilities", "poll"): partial(_at_least, SHORTEST),
}

Broken = dict[str, tuple[Issue, ...]]


def checked(
    parsed: Parsed, environ: Mapping[str, str]
) -> tuple[Config | None, list[Issue], Broken]:
    """The values; what is wrong with the whole; and with single backends, which are left out."""
    ours, others = _parted(parsed.tree)
    found = expand(replace(parsed, tree=ours), environ)
    for path in found.places:
        retype(found.tree, path)
    tree = failsafe.inherited({**found.tree, **others} if others else found.tree)
    config, more = shaped(replace(parsed, tree=tree), Config, advice=ADVICE)
    more = [one for one in more if not _inherited(one, parsed)]
    more += _units(parsed, found.tree)
    from_outside = {dotted(path): text for path, text in found.places.items()}
    unresolved = {issue.path for issue in found.issues}
    more = [_hushed(one, from_outside) for one in more if one.path not in unresolved]
    broken, rest = _by_backend(tree, [*found.issues, *more])
    section = tree.get("backends") if isinstance(tree, dict) else None
    if isinstance(section, dict) and any(one.path == "backends" for one in rest):
        rest = [issue for issue in rest if issue.path != "backends"]
        broken = {**_contradicting(parsed, section), **broken}
    if broken:
        sound = {name: one for name, one in tree["backends"].items() if name not in broken}
        tree = {**tree, "backends": sound}
        config, _ = shaped(replace(parsed, tree=tree), Config, advice=ADVICE)
    if config is not None:
        config = _without_problems(config, parsed, broken, from_outside)
        rest += [_hushed(one, from_outside) for one in _of_sections(config, parsed)]
    return config, rest, broken


def _of_sections(config: Config, parsed: Parsed) -> Iterator[Issue]:
    """What no single value shows."""
    for one in policies.problems(config.policies):
        yield parsed.issue(("policies", *one.path), one.message, one.hint)
    for place, text in failsafe.problems(config.failsafe):
        yield parsed.issue(("failsafe", *place), text)


def _inherited(issue: Issue, parsed: Parsed) -> bool:
    """Whether it is about what a backend's failsafes have of those for all, where it is told."""
    inside = issue.path.startswith("failsafe.backends.")
    return inside and parsed.spot_of(steps(issue.path)) == NOWHERE


def _by_backend(tree: Any, issues: Iterable[Issue]) -> tuple[Broken, list[Issue]]:
    """Issues inside one backend's section by its name, and all others."""
    section = tree.get("backends") if isinstance(tree, dict) else None
    names = section if isinstance(section, dict) else {}
    places = {dotted(("backends", name)): name for name in names}
    broken: Broken = {}
    rest: list[Issue] = []
    for issue in issues:
        name = next(
            (name for place, name in places.items() if _is_below(issue.path, place)),
            None,
        )
        if name is None:
            rest.append(issue)
        else:
            broken[name] = (*broken.get(name, ()), issue)
    return broken, rest


def _contradicting(parsed: Parsed, backends: Mapping[str, Any]) -> Broken:
    """Backends with values that contradict each other, which is told of them all together: each is
    tried by itself.
    """
    broken: Broken = {}
    for name, one in backends.items():
        _, found = shaped(replace(parsed, tree={"backends": {name: one}}), Config, advice=ADVICE)
        if found:
            broken[name] = tuple(
                parsed.issue(("backends", name), issue.message, issue.hint) for issue in found
            )
    return broken


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def _without_problems(
    config: Config, parsed: Parsed, broken: Broken, from_outside: Mapping[str, str]
) -> Config:
    """Take out the backends whose values do not go together."""
    for name, backend in config.backends.items():
        found = [
            _hushed(
                parsed.issue(("backends", name, *one.path), one.message, one.hint), from_outside
            )
            for one in problems(backend)
        ]
        if found:
            broken[name] = tuple(found)
    sound = {name: one for name, one in config.backends.items() if name not in broken}
    return structs.replace(config, backends=sound)


def _parted(tree: Any) -> tuple[Any, Mapping[str, Any]]:
    """Our sections, and what nobody reads or knows: references in that are not followed."""
    if not isinstance(tree, dict):
        return tree, {}
    ours = {
        key: value
        for key, value in tree.items()
        if key in Config.__struct_fields__ and not (value is None and key in LISTS)
    }
    return ours, {key: value for key, value in tree.items() if key not in Config.__struct_fields__}


def _units(parsed: Parsed, tree: Any) -> Iterator[Issue]:
    """What is no text and no number is told of its shape."""
    sections = tree if isinstance(tree, dict) else {}
    for (section, key), reader in UNITS.items():
        keys = sections.get(section)
        value = keys.get(key) if isinstance(keys, dict) else None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            continue
        try:
            reader(value)
        except ValueError as error:
            yield parsed.issue((section, key), str(error))


def _hushed(issue: Issue, from_outside: Mapping[str, str]) -> Issue:
    """What a reference stands for may be a secret: it is named, never shown."""
    reference = from_outside.get(issue.path)
    if reference is None:
        return issue
    if issue.message == IS_EMPTY or issue.message.endswith(NOT_TEXT):
        return replace(issue, message=f"what {reference} stands for {issue.message}")
    return replace(issue, message=f"what {reference} stands for does not fit here", hint=None)
