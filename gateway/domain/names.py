"""Nearest names: what the caller or author probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest
from itertools import pairwise

LONGEST = 256
COMPARED = 64  # names looked at closely, at 20 µs each: there may be ten thousand
SHORTEST_PART = 3  # characters; shorter ones are inside everything


def nearest(wrong: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` of `known` that look like `wrong`, best first; case does not count."""
    if len(wrong) > LONGEST:
        return []
    by_folded = {name.casefold(): name for name in known}
    folded = wrong.casefold()
    close = get_close_matches(folded, _likeliest(folded, by_folded), n=limit, cutoff=0.6)
    part = folded if len(folded) >= SHORTEST_PART else None
    inside = [name for name in by_folded if part and part in name and name not in close]
    return [by_folded[name] for name in (*close, *inside)][:limit]


def _likeliest(wrong: str, names: Iterable[str]) -> list[str]:
    """The names that share most pairs of neighbouring letters with `wrong`, for their length."""
    pairs = set(pairwise(wrong))

    def share(name: str) -> float:
        return len(pairs.intersection(pairwise(name))) / (len(name) + len(wrong) + 1)

    found = list(names)
    return found if len(found) <= COMPARED else nlargest(COMPARED, found, share)


def did_you_mean(wrong: str, known: Iterable[str]) -> str | None:
    """A hint such as "did you mean 'city' or 'cities'?", or None when nothing is near."""
    found = nearest(wrong, known)
    return f"did you mean {' or '.join(map(repr, found))}?" if found else None
