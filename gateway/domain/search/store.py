"""What an index holds: each tool once, and for each term the tools that use it. Immutable.

`updated` copies the outer dictionaries and the postings that a change touches; the rest is shared with the
old store. Postings map plain numbers to plain floats, so the garbage collector never walks them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.domain.search.profile import profile
from gateway.domain.search.words import is_stem
from gateway.domain.tool import Tool, ToolRef

Posting = dict[int, float]  # number of a tool -> weight of the term in it


@dataclass(frozen=True, slots=True)
class Entry:
    """`terms` are those of the tool's profile; `name` the stems of its name."""

    tool: Tool
    terms: tuple[str, ...]
    name: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """Tools are numbered in the order they came. `members` are a backend's; `stems` are in order."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    numbers: Mapping[ToolRef, int] = field(default_factory=dict)
    members: Mapping[str, frozenset[int]] = field(default_factory=dict)
    postings: Mapping[str, Posting] = field(default_factory=dict)
    stems: tuple[str, ...] = ()
    following: int = 0

    def updated(self, removed: Iterable[ToolRef], added: Iterable[Tool]) -> "Store":
        """Without `removed`, with `added`, which replace tools of the same name.

        A tool that comes back as it was is left alone: its text is not read again.
        """
        wanted = {tool.ref: tool for tool in added}
        same = {ref for ref, tool in wanted.items() if self._has(tool)}
        touched = {*removed, *wanted} - same
        gone = sorted(self.numbers[ref] for ref in touched if ref in self.numbers)
        fresh = [tool for ref, tool in wanted.items() if ref not in same]
        if not gone and not fresh:
            return self
        draft = _Draft(self)
        for number in gone:
            draft.drop(number)
        for tool in fresh:
            draft.add(tool)
        return draft.finished()

    def _has(self, tool: Tool) -> bool:
        number = self.numbers.get(tool.ref)
        return number is not None and self.entries[number].tool == tool


class _Draft:
    """The next store while it is being made. A posting is copied when it is first touched."""

    def __init__(self, before: Store) -> None:
        self._before = before
        self._entries = dict(before.entries)
        self._numbers = dict(before.numbers)
        self._touched: dict[str, Posting] = {}
        self._left: defaultdict[str, set[int]] = defaultdict(set)
        self._came: defaultdict[str, set[int]] = defaultdict(set)
        self._following = before.following

    def drop(self, number: int) -> None:
        entry = self._entries.pop(number)
        del self._numbers[entry.tool.ref]
        for term in entry.terms:
            del self._own(term)[number]
        self._left[entry.tool.ref.backend].add(number)

    def add(self, tool: Tool) -> None:
        number, self._following = self._following, self._following + 1
        found = profile(tool)
        for term, weight in found.weights.items():
            self._own(term)[number] = weight
        self._entries[number] = Entry(tool, tuple(found.weights), found.name)
        self._numbers[tool.ref] = number
        self._came[tool.ref.backend].add(number)

    def finished(self) -> Store:
        return Store(
            self._entries,
            self._numbers,
            self._members(),
            self._postings(),
            self._stems(),
            self._following,
        )

    def _own(self, term: str) -> Posting:
        posting = self._touched.get(term)
        if posting is None:
            before = self._before.postings.get(term)
            posting = self._touched[term] = {} if before is None else before.copy()
        return posting

    def _members(self) -> dict[str, frozenset[int]]:
        members = dict(self._before.members)
        for backend in {*self._left, *self._came}:
            stayed = members.pop(backend, frozenset()) - self._left[backend]
            if now := stayed | self._came[backend]:
                members[backend] = now
        return members

    def _postings(self) -> dict[str, Posting]:
        postings = {**self._before.postings, **self._touched}
        for term in [term for term, posting in self._touched.items() if not posting]:
            del postings[term]
        return postings

    def _stems(self) -> tuple[str, ...]:
        before = self._before.postings
        changed = {
            term
            for term, posting in self._touched.items()
            if is_stem(term) and bool(posting) != (term in before)
        }
        if not changed:
            return self._before.stems
        stayed = [term for term in self._before.stems if term not in changed]
        return tuple(sorted([*stayed, *(term for term in changed if self._touched[term])]))
