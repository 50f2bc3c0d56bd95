"""What is expected of tokens that somebody else issues, as plain values."""

from dataclasses import dataclass

from gateway.domain.identity import Level


@dataclass(frozen=True, slots=True)
class Expected:
    """`skew` is in seconds. `name`, `team`, `org` and `agents` are claims; a dot leads into an
    object. `level` and `rate_limit` (requests a minute; 0: none) are of every caller.
    """

    issuer: str
    audiences: tuple[str, ...]
    jwks_url: str | None
    algorithms: tuple[str, ...]
    skew: float
    scopes: tuple[str, ...]
    name: str
    team: str
    org: str
    agents: str
    level: Level
    rate_limit: int
