"""Other people's words, made safe to print back."""

LONGEST = 64


def shown(name: str) -> str:
    """A caller's own word in quotes: shortened, control and non-ASCII characters escaped (I26)."""
    return ascii(name if len(name) <= LONGEST else name[: LONGEST - 3] + "...")
