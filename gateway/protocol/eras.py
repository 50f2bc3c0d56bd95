"""What differs between the revisions of MCP, as data. No other module compares version strings.

A revision is *modern* when each request carries its version and capabilities (2026-07-28 and
later), *legacy* when an `initialize` handshake settles them. Source: the revisions' changelogs and
schemas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Revision:
    """The facts of one revision that change what we read or write."""

    version: str
    modern: bool = False
    batches: bool = False  # JSON-RPC arrays may arrive
    primes: bool = False  # a stream opens with an empty event that carries an id (SEP-1699)
    any_json: bool = False  # structuredContent and outputSchema are not bound to objects
    caching: bool = False  # list results carry ttlMs and cacheScope
    task_support: bool = False  # a Tool may carry `execution`
    unreadable: frozenset[str] = frozenset()  # types of content blocks that it does not know
    resource_missing: int = -32002  # the error code of resources/read for an unknown URI

    @property
    def era(self) -> str:
        """The label of metrics and logs."""
        return "modern" if self.modern else "legacy"

    def __str__(self) -> str:
        return self.version


MODERN = Revision(
    "2026-07-28",
    modern=True,
    any_json=True,
    caching=True,
    resource_missing=-32602,
)
LATEST_LEGACY = Revision("2025-11-25", primes=True, task_support=True)

REVISIONS: Mapping[str, Revision] = MappingProxyType(
    {
        revision.version: revision
        for revision in (
            MODERN,
            LATEST_LEGACY,
            Revision("2025-06-18"),
            Revision("2025-03-26", batches=True, unreadable=frozenset({"resource_link"})),
            Revision("2024-11-05", unreadable=frozenset({"resource_link", "audio"})),
        )
    }
)

SUPPORTED = tuple(REVISIONS)  # newest first


def modern(version: object) -> Revision | None:
    """The modern revision of that name, or None."""
    found = REVISIONS.get(version) if isinstance(version, str) else None
    return found if found and found.modern else None


def legacy(version: object) -> Revision | None:
    """The legacy revision of that name, or None."""
    found = REVISIONS.get(version) if isinstance(version, str) else None
    return found if found and not found.modern else None


def negotiate(requested: object) -> Revision:
    """What `initialize` answers: the requested legacy revision when we know it, else the newest
    one.
    """
    return legacy(requested) or LATEST_LEGACY
