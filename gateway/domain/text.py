"""Words for people: others' made safe to print back, and numbers of things."""

LONGEST = 64


def shown(name: str) -> str:
    """A caller's own word in quotes: shortened, control and non-ASCII characters escaped (I26)."""
    return ascii(name if len(name) <= LONGEST else name[: LONGEST - 3] + "...")


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
