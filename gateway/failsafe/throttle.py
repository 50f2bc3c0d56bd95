"""How often each caller may ask: requests a minute, of each by itself.

The rule: a bucket that is full again is as good as none, so only those of callers who ask right now
are kept. Nobody's requests count for anybody else.
"""

from collections.abc import Callable

from gateway.domain.events import Limited, Observer
from gateway.domain.identity import Identity
from gateway.errors import RateLimited
from gateway.failsafe.bucket import Bucket

MOST_KEPT = 10_000  # callers
MINUTE = 60.0


class Throttle:
    """Called with whoever asks, once a request; `limit` is what others leave it beside its own, in
    requests a minute, 0: they say nothing. Those of a whole minute may come at once. Raises
    RateLimited.
    """

    def __init__(self, observe: Observer, clock: Callable[[], float]) -> None:
        self._observe = observe
        self._clock = clock
        self._kept: dict[str, tuple[int, Bucket]] = {}

    def __repr__(self) -> str:
        return f"<Throttle of {len(self._kept)} callers>"

    def __call__(self, who: Identity, limit: int = 0) -> None:
        own = who.grant.rate_limit
        if own:
            limit = min(own, limit or own)
        if limit <= 0 or who.operator:
            return
        now = self._clock()
        wait = self._bucket(who.name, limit, now).take(now)
        if wait > 0.0:
            self._observe(Limited("key", who.name))
            text = f"{who.name!r} asks too often: {limit} requests a minute are agreed upon"
            raise RateLimited(text, wait)

    def _bucket(self, name: str, limit: int, now: float) -> Bucket:
        found = self._kept.get(name)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._tidy(now)
            bucket = Bucket(limit / MINUTE, limit)
        elif found[0] == limit:
            return found[1]
        else:
            bucket = found[1]
            bucket.resize(limit / MINUTE, limit)
        self._kept[name] = limit, bucket
        return bucket

    def _tidy(self, now: float) -> None:
        """Forget who has not asked for long; if all have, those who came first."""
        kept = {name: one for name, one in self._kept.items() if not one[1].idle(now)}
        excess = len(kept) - MOST_KEPT // 2
        for name in [*kept][: max(0, excess)]:
            del kept[name]
        self._kept = kept
