"""Which file holds a backend's name when several claim it. Pure.

The file that is live keeps its name; at a cold start the first in sort order gets it (I51).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """The names under which a file's two versions go.

    `newest` is None when the content on disk cannot be served, `served` when no version is live.
    """

    newest: str | None
    served: str | None = None


@dataclass(frozen=True, slots=True)
class Award:
    """The version of `file` that gets a name: the one on disk, or the one that is live already."""

    file: str
    newest: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """`awards` by name; `refused` by file: the name its newest version claims, and who has it."""

    awards: Mapping[str, Award]
    refused: Mapping[str, tuple[str, str]]


def judge(claims: Mapping[str, Claim]) -> Verdict:
    """One file a name, at most one name a file. A file refused a new name keeps its live one."""
    wanted = {
        file: name for file, claim in claims.items() if (name := claim.newest or claim.served)
    }
    while losers := _losers(wanted, claims):
        for file in losers:
            served = claims[file].served
            if served is None or wanted[file] == served:
                del wanted[file]
            else:
                wanted[file] = served
    awards = {name: Award(file, claims[file].newest == name) for file, name in wanted.items()}
    refused = {
        file: (claim.newest, awards[claim.newest].file)
        for file, claim in claims.items()
        if claim.newest is not None and wanted.get(file) != claim.newest
    }
    return Verdict(awards, refused)


def _losers(wanted: Mapping[str, str], claims: Mapping[str, Claim]) -> list[str]:
    """Files that want a name which another one gets. Each loses at most twice, so this ends."""
    holders: dict[str, str] = {}
    live_first = sorted(wanted, key=lambda file: (claims[file].served != wanted[file], file))
    return [file for file in live_first if holders.setdefault(wanted[file], file) != file]
