"""Makes a result fit a number of bytes by its structure: what is left is valid JSON.

First the tail of the heaviest list goes (an object of very many keys counts as one), then the
longest texts are cut, and only then whatever else does not fit. Values are never changed in place:
parts of them belong to the capability.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice, takewhile
from typing import Any, Final, NamedTuple

import msgspec

from gateway.capability.answers.decode import reread

MANY: Final = 100  # keys that make an object a table rather than a record
ROUNDS: Final = 8  # lists inside lists that are tried
SHORTEST: Final = 24  # bytes of a text that are always left
MARK: Final = len("…[+1 234 567 890]".encode())


class Cut(NamedTuple):
    """`value` and its JSON. `returned` of `total` items are left when a list was cut."""

    value: Any
    data: bytes
    returned: int | None = None
    total: int | None = None
    texts: bool = False  # whether texts were cut too

    @property
    def meta(self) -> Mapping[str, Any]:
        if self.total is None:
            return {"truncated": True}
        return {"truncated": True, "returned": self.returned, "total": self.total}

    def notice(self, narrow: Sequence[str]) -> str:
        """What a model is told; `narrow` are the arguments that would ask for less."""
        what = [] if self.total is None else [f"{self.returned} of {self.total} items"]
        if self.texts:
            what.append("long texts cut")
        return advise("; ".join(what), narrow)


def advise(what: str, narrow: Sequence[str]) -> str:
    with_ = f" Narrow with: {', '.join(narrow)}." if narrow else ""
    return f"Truncated: {what}.{with_}"


def fit(value: Any, data: bytes, most: int) -> Cut:
    """`value`, whose JSON `data` is longer than `most` bytes, made to fit."""
    counted: tuple[int | None, int | None] = (None, None)
    for _ in range(ROUNDS):
        value, found = _shorten_lists(value, len(data) - most)
        if found is None:
            break
        counted = found if counted[0] is None else counted
        data = msgspec.json.encode(value)
        if len(data) <= most:
            return Cut(value, data, *counted)
    value = _shorten_texts(reread(data), len(data) - most)
    data = msgspec.json.encode(value)
    if len(data) > most:
        value = _prefix(value, most)
        data = msgspec.json.encode(value)
    return Cut(value, data, *counted, True)


def fit_text(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8, with a mark that tells how many characters are gone."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    kept = raw[: max(most - MARK, 0)].decode(errors="ignore")
    return kept + _mark(len(text) - len(kept))


def spaced(number: int) -> str:
    """12345 as `12 345`."""
    return f"{number:,}".replace(",", " ")


def _mark(missing: int) -> str:
    return f"…[+{spaced(missing)}]"


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))


def _shorten_lists(value: Any, excess: int) -> tuple[Any, tuple[int, int] | None]:
    """`value` without the tail of its heaviest list, and (left, before) if there is a list."""
    if isinstance(value, list):
        if len(value) > 1:
            kept = max(_fitting(value, _size(value) - excess), 1)
            return value[:kept], (kept, len(value))
        inner, counted = _shorten_lists(value[0], excess) if value else (None, None)
        return ([inner], counted) if counted else (value, None)
    if not isinstance(value, dict):
        return value, None
    if len(value) > MANY:
        kept = max(_fitting(value.items(), _size(value) - excess), 1)
        return dict(islice(value.items(), kept)), (kept, len(value))
    return _shorten_inside(value, excess)


def _shorten_inside(value: dict[str, Any], excess: int) -> tuple[Any, tuple[int, int] | None]:
    parts = {key: each for key, each in value.items() if isinstance(each, (list, dict))}
    sizes = {key: _size(each) for key, each in parts.items()}
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if sizes[key] < excess // 8:  # no list is to blame: the texts are
            break
        inner, counted = _shorten_lists(value[key], excess)
        if counted:
            return {**value, key: inner}, counted
    return value, None


def _fitting(parts: Iterable[Any], room: int) -> int:
    """How many of the first parts have together, with their brackets, at most `room` bytes."""
    used = accumulate((_size(part) + 1 for part in parts), initial=1)
    return sum(1 for _ in takewhile(lambda bytes_: bytes_ <= room, used)) - 1


def _shorten_texts(value: Any, excess: int) -> Any:
    """Cut the longest texts to one common length, so that `excess` bytes go. Changes `value`."""
    whole = [value]
    places = sorted(_texts(whole), key=lambda place: place.size, reverse=True)
    room = max(_level([place.size for place in places], excess), SHORTEST + MARK)
    for holder, key, size in places:
        if size <= room:
            break
        holder[key] = _cut(holder[key], room - MARK)
    return whole[0]


class _Place(NamedTuple):
    holder: Any
    key: Any
    size: int


def _texts(whole: list[Any]) -> Iterator[_Place]:
    rest: list[Any] = [whole]
    while rest:
        holder = rest.pop()
        for key, each in holder.items() if isinstance(holder, dict) else enumerate(holder):
            if isinstance(each, str):
                if len(each) > SHORTEST:
                    yield _Place(holder, key, _size(each))
            elif isinstance(each, (list, dict)):
                rest.append(each)


def _level(sizes: list[int], excess: int) -> int:
    """The size to which the largest must shrink so that `excess` is gone; sizes descend."""
    total = 0
    for count, size in enumerate(sizes, 1):
        total += size
        following = sizes[count] if count < len(sizes) else 0
        if total - count * following >= excess:
            return (total - excess) // count
    return 0


def _cut(text: str, room: int) -> str:
    kept = text[:room]
    while (size := _size(kept)) > room:
        kept = kept[: len(kept) * room // size]
    return kept + _mark(len(text) - len(kept))


def _prefix(value: Any, most: int) -> Any:
    """What of an object or list fits as it is; a text or number that does not fit becomes null."""
    if isinstance(value, dict):
        return dict(islice(value.items(), _fitting(value.items(), most)))
    return value[: _fitting(value, most)] if isinstance(value, list) else None
