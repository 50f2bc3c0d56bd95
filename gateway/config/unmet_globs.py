"""Globs in rules of `gateway.yaml` that nothing on offer fits: most often misspelled ones. Pure.

A glob of tools that denies may fit none: it is there for the day when one comes. Without any mark
of a glob it was meant for a tool that is there.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from gateway.capability.file.yaml import Key
from gateway.config.auth import Auth
from gateway.config.model import Config
from gateway.config.peers import TOOL_POLICY
from gateway.config.policies import PolicyFor
from gateway.domain.catalog import Catalog
from gateway.domain.globs import ANY, Globs, any_of, glob, normal
from gateway.domain.listing import Listing, Status
from gateway.domain.names import did_you_mean

MOST_TOLD = 20  # of a kind
FOREIGN = frozenset("{}|^$()\\")  # marks of other systems' patterns
HOW = "* is any characters, ? one, [ab] one of these; several globs stand in a list"

Path = tuple[Key, ...]


class Remark(NamedTuple):
    """A warning about the value at `path`."""

    path: Path
    message: str
    hint: str | None = None


class Named(NamedTuple):
    """Globs of servers below `path`, and of their tools where it says any."""

    path: Path
    key: str
    servers: tuple[str, ...]
    key_of_tools: str = ""
    tools: tuple[str, ...] = ()
    denies: bool = False


def remarks(config: Config, catalog: Catalog) -> Iterator[Remark]:
    named = [*_of_keys(config.auth), *_of_policies(config)]
    offer = _Offer(catalog, [pattern for one in named for pattern in one.tools])
    yield from islice(_no_server(named, config, offer), MOST_TOLD)
    yield from islice(_no_tool(named, offer), MOST_TOLD)


def is_known(listing: Listing) -> bool:
    """Whether it is known what the server offers; one that was never reached may have the tool."""
    return bool(listing.tools) or listing.health.status is not Status.DOWN


class _Offer:
    """Which servers a glob fits, and which of them have tools that one fits."""

    def __init__(self, catalog: Catalog, patterns: Iterable[str]) -> None:
        self.backends = catalog.backends
        distinct = list(dict.fromkeys(patterns))
        self._bits = {pattern: 1 << index for index, pattern in enumerate(distinct)}
        self._plain = Globs(self._bits.items())
        self._whole = Globs(one for one in self._bits.items() if ":" in one[0])
        self._servers: dict[str, Sequence[str]] = {}
        self._fitting = {name: self._of(one) for name, one in self.backends.items()}

    def servers(self, patterns: Sequence[str]) -> set[str]:
        """By their names; of none, all."""
        if not patterns:
            return set(self.backends)
        return {name for pattern in patterns for name in self.fitting(pattern)}

    def fitting(self, pattern: str) -> Sequence[str]:
        found = self._servers.get(pattern)
        if found is None:
            fits = any_of([pattern])
            found = self._servers[pattern] = [name for name in self.backends if fits(name)]
        return found

    def may_have(self, server: str, pattern: str) -> bool:
        """Whether one of its tools fits, or it is not known what it has."""
        return bool(self._fitting[server] & self._bits[pattern]) or not is_known(
            self.backends[server]
        )

    def _of(self, listing: Listing) -> int:
        """Which of the globs of tools fit one of its tools."""
        found = 0
        for tool in listing.tools if self._bits else ():
            found |= self._plain.fitting(normal(tool.ref.name) or "")
            found |= self._whole.fitting(normal(str(tool.ref)) or "")
        return found


def _of_keys(auth: Auth) -> Iterator[Named]:
    for index, one in enumerate(auth.api_keys):
        path: Path = ("auth", "api_keys", index)
        yield Named(path, "backends", one.backends, "allowed_tools", one.allowed_tools)
        yield Named(path, "", (), "denied_tools", one.denied_tools, denies=True)


def _of_policies(config: Config) -> Iterator[Named]:
    for name, policy in written(config):
        path: Path = ("policies", name)
        yield Named(path, "allowed_backends", policy.allowed_backends or ())
        yield Named(path, "denied_backends", policy.denied_backends)
        for index, rule in enumerate(policy.rules):
            servers, tools = _several(rule.backend), _several(rule.tool)
            denies = rule.level == "deny"
            yield Named((*path, "rules", index), "backend", servers, "tool", tools, denies)


def written(config: Config) -> Iterator[tuple[str, PolicyFor]]:
    """Without what mcp-gateway's defaults make: those are about whatever may come."""
    return ((name, one) for name, one in config.policies.items() if name != TOOL_POLICY)


def _several(said: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said or ()


def _no_server(named: Iterable[Named], config: Config, offer: _Offer) -> Iterator[Remark]:
    for one in named:
        for pattern in one.servers:
            if pattern == ANY or offer.fitting(pattern):
                continue
            text = f"no server's own name fits {pattern!r}"
            if glob(pattern).exact:
                text = f"no server has the name {pattern!r} of its own"
            own = config.aliases.get(pattern)
            hint = _near(pattern, offer.backends) if own is None else f"write {own}"
            yield Remark((*one.path, one.key), text, hint)


def _no_tool(named: Iterable[Named], offer: _Offer) -> Iterator[Remark]:
    for one in named:
        servers = offer.servers(one.servers) if one.tools else set()
        if not servers:
            continue
        for pattern in one.tools:
            if one.denies and not glob(pattern).exact:
                continue
            if not any(offer.may_have(name, pattern) for name in servers):
                text = f"no tool fits {pattern!r}"
                yield Remark(
                    (*one.path, one.key_of_tools), text, _near_tool(pattern, servers, offer)
                )


def _near_tool(pattern: str, servers: set[str], offer: _Offer) -> str | None:
    server, colon, tool = pattern.partition(":")
    if colon and server not in offer.backends:
        return _near(server, offer.backends)
    names = [each.ref.name for name in sorted(servers) for each in offer.backends[name].tools]
    return _near(tool if colon else pattern, names)


def _near(pattern: str, names: Iterable[str]) -> str | None:
    return HOW if FOREIGN.intersection(pattern) else did_you_mean(pattern, names)
