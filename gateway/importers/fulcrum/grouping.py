"""Capability files of one tool each → files of one API each: same base URL, same credentials."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from gateway.importers.fulcrum.making import SERVER_LENGTH, TOOL_LENGTH, valid_name

Tree = Mapping[str, Any]

_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "gov", "ac"})  # below a country's domain


def merged(trees: Iterable[Tree]) -> Iterator[tuple[Tree, Sequence[Tree]]]:
    """Each file and what it was made of, in order of their first; a file alone stays as it is."""
    groups: dict[str, list[Tree]] = {}
    for tree in trees:
        groups.setdefault(_key(tree), []).append(tree)
    for group in groups.values():
        yield (_one(group) if len(group) > 1 else group[0]), group


def _key(tree: Tree) -> str:
    """Equal for trees that differ in their tools alone."""
    auth = json.dumps(tree.get("auth"), sort_keys=True)
    sources = {f"secrets.{name} ": source for name, source in tree.get("secrets", {}).items()}
    used = sorted(source for name, source in sources.items() if name in auth)
    return json.dumps([tree["base_url"], auth, used])


def _one(group: Sequence[Tree]) -> dict[str, Any]:
    tools: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for tree in group:
        secrets |= tree.get("secrets", {})
        for name, tool in tree["tools"].items():
            own = {"x-docs": tree["docs"]} if "docs" in tree else {}
            tools[unique(name, tools, TOOL_LENGTH)] = {**tool, **own}
    url = group[0]["base_url"]
    whole: dict[str, Any] = {
        "capability": 1,
        "name": _name(list(tools), url),
        "description": f"{len(tools)} tools of {_host(url)}",
        "base_url": url,
    }
    if secrets:
        whole["secrets"] = secrets
    if "auth" in group[0]:
        whole["auth"] = group[0]["auth"]
    return {**whole, "tools": tools}


def unique(name: str, taken: Iterable[str], longest: int) -> str:
    """The name, or with a number where it is taken."""
    known, found, number = set(taken), name, 2
    while found in known:
        tail = f"_{number}"
        found, number = f"{name[: longest - len(tail)]}{tail}", number + 1
    return found


def _name(tools: Sequence[str], url: str) -> str:
    """The words that all tools begin with, or the API's own name."""
    split = [name.split("_") for name in tools]
    columns = zip(*split, strict=False)
    words = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    shared = "_".join(words) if min(map(len, split)) > len(words) else ""
    if len(shared) > 1:
        return valid_name(shared, SERVER_LENGTH)
    parts = _host(url).split(".")
    if len(parts) < 2 or parts[-1].isdecimal():  # noqa: PLR2004  name and domain
        return valid_name(parts[0] if parts[0].isalpha() else "api", SERVER_LENGTH)
    own = parts[-3] if len(parts) > 2 and parts[-2] in _SECOND_LEVEL else parts[-2]  # noqa: PLR2004
    return valid_name(own, SERVER_LENGTH)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the API"
