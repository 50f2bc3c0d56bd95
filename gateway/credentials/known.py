"""The secrets one holder has at this moment, told to whoever must know them (the redactor)."""

from collections.abc import Iterable

from gateway.credentials.secret import Learner


class Known:
    """`learner` None: nobody needs to know."""

    def __init__(self, learner: Learner | None) -> None:
        self._learner = learner
        self._values: set[str] = set()

    def hold(self, values: Iterable[str | None]) -> None:
        """These, and no longer those from before."""
        new = {value for value in values if value}
        if self._learner is not None:
            for value in new - self._values:
                self._learner.learn(value)
            for value in self._values - new:
                self._learner.forget(value)
        self._values = new

    def release(self) -> None:
        self.hold(())

    def __repr__(self) -> str:
        return f"<Known {len(self._values)} values>"
