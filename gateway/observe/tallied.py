"""Counts and histograms as lines of Prometheus' text format (0.0.4), a microsecond a line or less.

The library takes ten: with 2,000 tools the loop would stand still for a quarter of a second each
time that somebody looks.
"""

from collections.abc import Iterator
from itertools import accumulate

from gateway.observe.figures import BOUNDS, Family, Labels

LIMITS = tuple(f'le="{limit}"}} ' for limit in (*map(str, BOUNDS), "+Inf"))
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def lines(name: str, noun: str, what: str, labels: tuple[str, ...], family: Family) -> str:
    """`capgate_NAME_total` by all labels and `capgate_NOUN_seconds` by the first of them.

    The lists are copies made in one step, for the loop may count on while a thread renders.
    """
    return "\n".join(
        (
            *_totals(f"capgate_{name}_total", what, labels, family),
            *_seconds(f"capgate_{noun}_seconds", what, labels[: family.timed], family),
            "",
        )
    )


def _totals(name: str, what: str, labels: tuple[str, ...], family: Family) -> Iterator[str]:
    yield f"# HELP {name} {what}."
    yield f"# TYPE {name} counter"
    for values, tally in list(family.tallies.items()):
        yield f"{name}{{{_pairs(labels, values)}}} {tally.count}.0"


def _seconds(name: str, what: str, labels: tuple[str, ...], family: Family) -> Iterator[str]:
    yield f"# HELP {name} {what}: how long they took."
    yield f"# TYPE {name} histogram"
    for values, timing in list(family.timings.items()):
        pairs = _pairs(labels, values)
        bucket = f"{name}_bucket{{{pairs}," if pairs else f"{name}_bucket{{"
        sums = list(accumulate(timing.counts))
        for limit, count in zip(LIMITS, sums, strict=True):
            yield f"{bucket}{limit}{count}.0"
        yield f"{name}_count{{{pairs}}} {sums[-1]}.0"
        yield f"{name}_sum{{{pairs}}} {timing.seconds!r}"


def _pairs(labels: tuple[str, ...], values: Labels) -> str:
    pairs = zip(labels, values, strict=True)
    return ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in pairs)
