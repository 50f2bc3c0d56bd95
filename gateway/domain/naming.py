"""The names under which one list shows what many backends offer: unique, stable and at most
`LONGEST` characters; and the URIs that say whose a resource is.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LONGEST = 64  # characters of a name: what clients and model providers take
MARK = 8  # hexadecimal digits that tell alike names apart
SCHEME = "capgate://"


class Owned(NamedTuple):
    """Something of a backend, in the backend's own words: a name, a URI, the id of a task."""

    backend: str
    name: str


def merged_names(items: Iterable[Owned]) -> Mapping[Owned, str]:
    """A name for each, no two alike: `backend__name` where that is short and nobody else's.

    Any other ends in digits made of both its parts: all that would share a name get them, so that
    none depends on who else came first. No server can take another's name by choosing its own.
    """
    wanted = {item: f"{item.backend}__{item.name}" for item in items}
    times = Counter(wanted.values())
    found = {
        item: name for item, name in wanted.items() if times[name] == 1 and len(name) <= LONGEST
    }
    taken = set(found.values())
    for item in sorted(wanted.keys() - found.keys()):
        found[item] = next(name for name in marked(item, wanted[item]) if name not in taken)
        taken.add(found[item])
    return found


def marked(item: Owned, name: str) -> Iterable[str]:
    """`name` with the digits of `item`; endlessly others after the first."""
    for turn in itertools.count():
        said = f"{turn}\0{item.backend}\0{item.name}".encode(errors="surrogatepass")
        mark = hashlib.blake2b(said, digest_size=MARK // 2).hexdigest()
        yield f"{name[: LONGEST - MARK - 1]}_{mark}"


def namespaced(backend: str, uri: str) -> str:
    """The URI, or URI template, that says whose it is. Nothing in `uri` is encoded, so that a
    template still expands to what its server expects.
    """
    return f"{SCHEME}{backend}/{uri}"


def owner_named(uri: str) -> Owned | None:
    """What `namespaced` was given, if `uri` is of its making."""
    if not uri.startswith(SCHEME):
        return None
    backend, slash, own = uri[len(SCHEME) :].partition("/")
    return Owned(backend, own) if slash else None
