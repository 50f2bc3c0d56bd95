"""What a fulcrum file takes from outside → entries of `secrets:`, each under one name."""

import re
from collections.abc import Mapping

from gateway.importers.fulcrum.document import Document, Path

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Secrets:
    """`found` is `secrets:` of the capability file; `places` are where each was asked for."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: dict[str, str] = {}
        self.places: dict[str, Path] = {}

    def of_environment(self, variable: str, path: Path) -> str:
        """The template that stands for it."""
        if not _VARIABLE.fullmatch(variable):
            return self.instead(f"{{env.{variable}}}", variable, path)
        return self._named(variable.lower(), f"env:{variable}", path)

    def instead(self, what: str, like: str, path: Path) -> str:
        """A source that has no counterpart: a variable whose name is made from `like`."""
        words = re.sub(r"[^A-Za-z0-9]+", "_", like).strip("_").upper() or "SECRET"
        variable = words if _VARIABLE.fullmatch(words) else f"SECRET_{words}"
        self._document.note(path, f"{what} is read from the variable {variable}: set it")
        return self._named(variable.lower(), f"env:{variable}", path)

    def wanted(self, variable: str, path: Path) -> str:
        """A variable that the operator has to set, and a note of the caller's says so."""
        return self._named(variable.lower(), f"env:{variable}", path)

    def _named(self, name: str, source: str, path: Path) -> str:
        unique, number = name, 2
        while self.found.get(unique, source) != source:
            unique, number = f"{name}_{number}", number + 1
        self.found[unique] = source
        self.places.setdefault(unique, path)
        return f"secrets.{unique}"

    def used_by(self, texts: str) -> Mapping[str, str]:
        """Those that a text names."""
        return {
            name: source
            for name, source in self.found.items()
            if re.search(rf"\bsecrets\.{name}\b", texts)
        }
