"""Policies in figures: `python -m benchmarks.policy [TOOLS] [RULES]` (5,000 tools, 100 rules).

What an identity costs whose sight is worked out for the first time, and what a call costs. All
times are CPU times of the thread: steadier than the clock on a shared machine.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from benchmarks.catalogue import catalogue
from gateway.domain.catalog import Catalog
from gateway.domain.conditions import Condition
from gateway.domain.identity import Grant, Identity, Level
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.policies import Policies
from gateway.domain.policy import Kind
from gateway.domain.rules import Assigned, Rule
from gateway.domain.tool import Tool
from gateway.protocol.eras import MODERN
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.listing import Listings
from gateway.server.surface import BackendSurface

TURNS = 20
CALLS = 200_000
POLICIES = 5


def some_rules(tools: Sequence[Tool], many: int, hard: float) -> tuple[Rule, ...]:
    """Half for all backends, half for one; `hard`: the share of globs with stars everywhere."""
    random_ = random.Random(5)
    found = []
    for number in range(many):
        ref = random_.choice(tools).ref
        first, _, last = ref.name.partition("_")
        easy = random_.choice((ref.name, f"{first}_*", f"*_{last}", f"{first}*{last[-2:]}"))
        glob = f"*{ref.name[2:5]}*{ref.name[-2:-1]}?" if random_.random() < hard else easy
        level = random_.choice((Level.EXECUTE, Level.EXECUTE, Level.READ, Level.DENY))
        backend = "*" if number % 2 else ref.backend
        found.append(Rule(f"rules[{number}]", level, (backend,), tools=(glob,)))
    return tuple(found)


def some_policies(rules: Sequence[Rule]) -> Policies:
    share = len(rules) // POLICIES
    said = [
        Assigned(f"policies.p{n}", everyone=True, rules=tuple(rules[n * share : (n + 1) * share]))
        for n in range(POLICIES)
    ]
    return Policies((*said, Assigned("policies.rest", everyone=True, default=Level.READ)))


def some_catalogue(tools: Sequence[Tool]) -> Catalog:
    by_backend: dict[str, list[Tool]] = {}
    for tool in tools:
        by_backend.setdefault(tool.ref.backend, []).append(tool)
    return Catalog(Listing(name, name, tuple(its)) for name, its in by_backend.items())


def spent(work: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1000


def told(what: str, figures: Sequence[float], unit: str = "ms") -> None:
    middle, worst = statistics.median(figures), max(figures)
    print(f"{what:58s} {middle:8.3f} {unit} p50 {worst:8.3f} max")


def sights(title: str, tools: Sequence[Tool], rules: Sequence[Rule]) -> None:
    catalog = some_catalogue(tools)
    policies = some_policies(rules)
    took = spent(lambda: policies.expect(tool.ref.name for tool in tools))
    made = Snapshot(catalog=catalog, policy=policies)

    def all_seen(snapshot: Snapshot, who: Identity) -> int:
        view = View(snapshot, lambda _: None, who)
        return sum(len(listing.tools) for listing in view.backends.values())

    print(f"{title}: {len(tools)} tools, {len(catalog.backends)} servers, {len(rules)} rules")
    told("  at each reload, in a thread: which rules match which name", [took])
    people = [Identity(f"k{n}", grant=Grant(denied_tools=("x_*",))) for n in range(TURNS)]
    told("  all that a new caller sees", [spent(partial(all_seen, made, one)) for one in people])
    told("  the same again", [spent(partial(all_seen, made, one)) for one in people])
    name = next(iter(catalog.backends))
    ill = replace(catalog.backends[name], health=Health(Status.DOWN, "ill"))
    after = Snapshot(
        catalog=Catalog([*(o for o in catalog.backends.values() if o.name != name), ill]),
        policy=policies,
    )
    after.follow(made)
    told("  the same, in the next snapshot", [spent(partial(all_seen, after, p)) for p in people])
    all_tools = [Tool(tool.ref._replace(backend="one"), tool.definition) for tool in tools]
    unique = {tool.ref.name: tool for tool in all_tools}
    alone = Snapshot(catalog=Catalog([Listing("one", "", tuple(unique.values()))]), policy=policies)
    lists, surface = Listings(), BackendSurface("one")

    def listed(who: Identity) -> object:
        return lists.answer("tools/list", surface, View(alone, lambda _: None, who), MODERN, None)

    listed(Identity("first"))
    what = f"  tools/list of {len(unique)} tools of one server, new caller"
    told(what, [spent(partial(listed, one)) for one in people])
    told("  the same again", [spent(partial(listed, one)) for one in people])


def calls(tools: Sequence[Tool], rules: Sequence[Rule]) -> None:
    plain = some_policies(rules).of(Identity("a"))
    ref = tools[7].ref
    when = (Condition("n", at_most=5), Condition("branch", equals="main"))
    rule = Rule("r", Level.EXECUTE, tools=("*",), when=when)
    ruled = Policies([Assigned("p", everyone=True, rules=(*rules, rule))]).of(Identity("a"))
    arguments = {"n": 3, "branch": "main"}
    for what, rights in (("without conditions", plain), ("with two conditions", ruled)):
        rights.of_call(*ref, arguments)
        started = time.thread_time()
        for _ in range(CALLS):
            rights.of_call(*ref, arguments)
        each = (time.thread_time() - started) / CALLS * 1e6
        print(f"{f'decision of a call, {what}':58s} {each:8.3f} us")
    started = time.thread_time()
    for tool in tools:
        plain.decide(Kind.TOOL, *tool.ref)
    each = (time.thread_time() - started) / len(tools) * 1e6
    print(f"{'decision of a name that was not asked for yet':58s} {each:8.3f} us")


def main() -> None:
    many, rules = (int(word) for word in (*sys.argv[1:], *("5000", "100")[len(sys.argv) - 1 :]))
    tools = catalogue(many)
    easy = some_rules(tools, rules, 0.1)
    told("policies made of the file", [spent(lambda: some_policies(easy)) for _ in range(5)])
    sights("globs as people write them", tools, easy)
    sights("globs of stars", tools, some_rules(tools, rules, 1.0))
    calls(tools, easy)


if __name__ == "__main__":
    main()
