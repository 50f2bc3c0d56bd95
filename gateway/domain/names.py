"""Nearest names: what the caller or author probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 256
SHORTEST_PART = 3  # characters; shorter ones are inside everything


def nearest(wrong: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` of `known` that look like `wrong`, best first; case does not count."""
    if len(wrong) > LONGEST:
        return []
    by_folded = {name.casefold(): name for name in known}
    folded = wrong.casefold()
    close = get_close_matches(folded, by_folded, n=limit, cutoff=0.6)
    part = folded if len(folded) >= SHORTEST_PART else None
    inside = [name for name in by_folded if part and part in name and name not in close]
    return [by_folded[name] for name in (*close, *inside)][:limit]


def did_you_mean(wrong: str, known: Iterable[str]) -> str | None:
    """A hint such as "did you mean 'city' or 'cities'?", or None when nothing is near."""
    found = nearest(wrong, known)
    return f"did you mean {' or '.join(map(repr, found))}?" if found else None
