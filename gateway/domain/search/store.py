"""What an index holds: each tool once, and for each term the tools that use it. Immutable.

`updated` copies the outer dictionaries and the postings that a change touches; the rest is shared
with the old store. Postings map plain numbers to plain floats: the garbage collector skips them.
"""

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
    """Tools have numbers, kept as long as they stay. `stems` are all stems in order."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    numbers: Mapping[ToolRef, int] = field(default_factory=dict)
    members: Mapping[str, frozenset[int]] = field(default_factory=dict)  # of each backend
    postings: Mapping[str, Posting] = field(default_factory=dict)
    stems: tuple[str, ...] = ()
    following: int = 0  # the next new number

    def updated(self, removed: Iterable[ToolRef], added: Iterable[Tool]) -> "Store":
        """Without `removed`, with `added`, which replace tools of the same name.

        A tool that comes back as it was is left alone: its text is not read again.
        """
        wanted = {tool.ref: tool for tool in added}
        gone = [ref for ref in set(removed) if ref in self.numbers and ref not in wanted]
        fresh = [tool for tool in wanted.values() if not self._has(tool)]
        if not gone and not fresh:
            return self
        draft = _Draft(self)
        for ref in gone:
            draft.drop(ref)
        for tool in fresh:
            draft.put(tool)
        return draft.finished()

    def _has(self, tool: Tool) -> bool:
        number = self.numbers.get(tool.ref)
        return number is not None and self.entries[number].tool == tool


class _Draft:
    """The next store while it is being made. A posting is copied when it first changes."""

    def __init__(self, before: Store) -> None:
        self._before = before
        self._entries = dict(before.entries)
        self._numbers = dict(before.numbers)
        self._touched: dict[str, Posting] = {}
        self._moved: dict[str, set[int]] = {}  # backend -> its numbers, where they change
        self._following = before.following

    def drop(self, ref: ToolRef) -> None:
        number = self._numbers.pop(ref)
        for term in self._entries.pop(number).terms:
            del self._own(term)[number]
        self._own_members(ref.backend).discard(number)

    def put(self, tool: Tool) -> None:
        """A tool that was there keeps its number, and its postings where it says the same."""
        number = self._numbers.get(tool.ref)
        if number is None:
            number = self._numbered(tool.ref)
        found = profile(tool)
        before = self._entries.get(number)
        weights = found.weights if before is None else self._changed(number, before, found.weights)
        for term, weight in weights.items():
            self._own(term)[number] = weight
        self._entries[number] = Entry(tool, tuple(found.weights), found.name)

    def finished(self) -> Store:
        return Store(
            self._entries,
            self._numbers,
            self._all_members(),
            self._postings(),
            self._stems(),
            self._following,
        )

    def _numbered(self, ref: ToolRef) -> int:
        number = self._numbers[ref] = self._following
        self._following += 1
        self._own_members(ref.backend).add(number)
        return number

    def _changed(self, number: int, before: Entry, now: Mapping[str, float]) -> Mapping[str, float]:
        """Take out the terms no longer said; what is said anew, or more or less, is returned."""
        for term in before.terms:
            if term not in now:
                del self._own(term)[number]
        old = self._before.postings
        return {t: weight for t, weight in now.items() if old.get(t, {}).get(number) != weight}

    def _own(self, term: str) -> Posting:
        posting = self._touched.get(term)
        if posting is None:
            shared = self._before.postings.get(term)
            posting = self._touched[term] = {} if shared is None else shared.copy()
        return posting

    def _own_members(self, backend: str) -> set[int]:
        if backend not in self._moved:
            self._moved[backend] = set(self._before.members.get(backend, ()))
        return self._moved[backend]

    def _all_members(self) -> dict[str, frozenset[int]]:
        members = dict(self._before.members)
        for backend, numbers in self._moved.items():
            members[backend] = frozenset(numbers)
            if not numbers:
                del members[backend]
        return members

    def _postings(self) -> dict[str, Posting]:
        postings = {**self._before.postings, **self._touched}
        for term in [term for term, posting in self._touched.items() if not posting]:
            del postings[term]
        return postings

    def _stems(self) -> tuple[str, ...]:
        before = self._before.postings
        stems = {term: posting for term, posting in self._touched.items() if is_stem(term)}
        came = [term for term, posting in stems.items() if posting and term not in before]
        left = {term for term, posting in stems.items() if not posting and term in before}
        if not came and not left:
            return self._before.stems
        return tuple(sorted([*(term for term in self._before.stems if term not in left), *came]))
