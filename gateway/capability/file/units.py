"""Durations and sizes as people write them: `30s`, `1h30m`, `500ms`, 30; `40k`, `10 MB`, 4096."""

import re

DURATION = r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)\s*)+$|^[0-9]+(\.[0-9]+)?$"
SIZE = r"^\s*[0-9]+(\.[0-9]+)?\s*([kKmMgG][iI]?)?[bB]?\s*$"
LONGEST = 366 * 86_400.0  # seconds
LARGEST = 1 << 40  # bytes

_LONGEST_TEXT = 40
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)\s*")
_DURATION = re.compile(DURATION)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kmg])(i?))?b?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_POWERS = {None: 0, "k": 1, "m": 2, "g": 3}


def seconds(value: str | float) -> float:
    """A duration in seconds; a bare number counts them. Raises ValueError with the reason."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT or not _DURATION.search(value):
            raise ValueError(
                f"{value[:_LONGEST_TEXT]!r} is no duration such as 30s, 5m, 1h30m, 500ms"
            )
        parts = _PART.findall(value)
        found = sum(float(n) * _SECONDS[unit] for n, unit in parts) if parts else float(value)
    else:
        found = float(value)
    if not 0 <= found <= LONGEST:
        raise ValueError(f"{value!r} is not between 0 and 366 days")
    return found


def size(value: str | int) -> int:
    """A size in bytes: `k` is 1,000 and `Ki` is 1,024. Raises ValueError with the reason."""
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip().lower()) if len(value) <= _LONGEST_TEXT else None
        if match is None:
            raise ValueError(f"{value[:_LONGEST_TEXT]!r} is no size such as 40k, 4m, 10 MB, 1 MiB")
        number, power, binary = match.groups()
        found = round(float(number) * float(1024 if binary else 1000) ** _POWERS[power])
    else:
        found = value
    if not 1 <= found <= LARGEST:
        raise ValueError(f"{value!r} is not between 1 byte and 1 TiB")
    return found
