"""Who calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. `name` is what audit, metrics and per-caller caches key on; never a credential."""

    name: str


ANONYMOUS = Identity("anonymous")
