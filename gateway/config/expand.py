"""What `gateway.yaml` takes from outside: `${VAR}`, `${VAR:-default}`, `env:VAR`, `file:PATH`.

A reference works in every string. What it stands for may be a secret: no message shows it.
"""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.capability.file import variables
from gateway.capability.file.yaml import Key, Parsed
from gateway.capability.file.yaml_trouble import clip
from gateway.domain.issue import Issue

UNSET = "set it where the gateway is started, or write ${NAME:-default}"
LARGEST = 64 * 1024  # bytes of a file that `file:` reads

_WHOLE = re.compile(r"(env|file):(.+)", re.DOTALL)

Place = tuple[Key, ...]


@dataclass(slots=True)
class Expanded:
    """The tree with all references resolved; where they stood; and those that could not be."""

    tree: Any = None
    places: dict[Place, str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def expand(parsed: Parsed, environ: Mapping[str, str]) -> Expanded:
    """Every string of the tree; paths of `file:` are relative to the file they stand in."""
    return _Expansion(parsed, environ).run()


class _Expansion:
    def __init__(self, parsed: Parsed, environ: Mapping[str, str]) -> None:
        self._parsed = parsed
        self._environ = environ
        self._beside = Path(parsed.file).parent
        self._found = Expanded()

    def run(self) -> Expanded:
        self._found.tree = self._value(self._parsed.tree, ())
        return self._found

    def _value(self, value: Any, path: Place) -> Any:
        if isinstance(value, dict):
            return {key: self._value(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._value(inner, (*path, index)) for index, inner in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: Place) -> str:
        whole = _WHOLE.fullmatch(text)
        if whole is None and "${" not in text:
            return text
        try:
            value = self._whole(*whole.groups()) if whole else variables.expand(text, self._environ)
        except ValueError as problem:
            hint = UNSET if isinstance(problem, variables.Unset) else None
            self._found.issues.append(self._parsed.issue(path, str(problem), hint))
            return text
        self._found.places[path] = clip(text)
        return value

    def _whole(self, kind: str, name: str) -> str:
        if kind == "file":
            return content_of(self._beside / Path(name).expanduser())
        return variables.expand(f"${{{name.strip()}}}", self._environ)


def content_of(path: Path) -> str:
    """The text of a small regular file, without newlines at its end. Raises ValueError."""
    shown = clip(str(path), 200)
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise ValueError(f"{shown} is not a regular file")
        if state.st_size > LARGEST:
            raise ValueError(f"{shown} is larger than {LARGEST >> 10} KiB")
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ValueError(f"{shown} cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{shown} is not UTF-8 text") from None
