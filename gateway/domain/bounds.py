"""What a key itself, or the fences of a policy, keep a caller from, whatever rules say. Pure."""

from collections.abc import Sequence

from gateway.domain.globs import Globs, any_of, normal
from gateway.domain.identity import Grant, Level
from gateway.domain.policy import Decision, Kind

NO_NAME = Decision(Level.DENY, "longer than any name")


class ToolGlobs:
    """Globs of tools, by name or, with a colon, as `backend:tool` too; a bit each."""

    def __init__(self, patterns: Sequence[str]) -> None:
        globs = [(pattern, 1 << index) for index, pattern in enumerate(patterns)]
        qualified = [one for one in globs if ":" in one[0]]
        self._named = Globs(globs)
        self._qualified = Globs(qualified) if qualified else None

    def fitting(self, backend: str, name: str) -> int | None:
        """`name` is normal. None: the two together are no name."""
        bits = self._named.fitting(name)
        if self._qualified is None:
            return bits
        whole = normal(f"{backend}:{name}")
        return None if whole is None else bits | self._qualified.fitting(whole)


class Bounds:
    """What the key itself says of names; `place` is where it stands."""

    def __init__(self, grant: Grant, place: str) -> None:
        self.level = grant.level
        self.of_level = f"{place}.level"
        self._backends = None if grant.backends is None else any_of(grant.backends)
        self._of_backends = Decision(Level.DENY, f"{place}.backends")
        self._allowed = None if grant.allowed_tools is None else ToolGlobs(grant.allowed_tools)
        self._of_allowed = Decision(Level.DENY, f"{place}.allowed_tools")
        self._denied = ToolGlobs(grant.denied_tools)
        self._place = place
        self.of_tools = bool(grant.denied_tools) or self._allowed is not None
        self.none = self._backends is None and not self.of_tools

    def of_backend(self, name: str) -> Decision | None:
        """Why it may do nothing there."""
        if self._backends is not None and not self._backends(name):
            return self._of_backends
        return None

    def of_name(self, kind: Kind, backend: str, name: str) -> Decision | None:
        """Why it may not do that. A key for certain tools is for nothing else."""
        if kind is not Kind.TOOL:
            return None if self._allowed is None else self._of_allowed
        known = normal(name)
        if known is None:
            return NO_NAME
        bits = self._denied.fitting(backend, known)
        if bits is None:
            return NO_NAME
        if bits:
            index = (bits & -bits).bit_length() - 1
            return Decision(Level.DENY, f"{self._place}.denied_tools[{index}]")
        if self._allowed is not None and not self._allowed.fitting(backend, known):
            return self._of_allowed
        return None

    @property
    def tools_alone(self) -> bool:
        return self._allowed is not None


class Fence:
    """`allowed_backends` or `denied_backends` of one policy."""

    def __init__(self, place: str, globs: Sequence[str], *, allowed: bool) -> None:
        self._place = place
        self._globs = Globs((one, 1 << index) for index, one in enumerate(globs))
        self._allowed = allowed

    def refuses(self, backend: str) -> Decision | None:
        known = normal(backend)
        bits = 0 if known is None else self._globs.fitting(known)
        if self._allowed:
            return None if bits else Decision(Level.DENY, self._place)
        if known is not None and not bits:
            return None
        index = (bits & -bits).bit_length() - 1 if bits else 0
        return Decision(Level.DENY, f"{self._place}[{index}]")
