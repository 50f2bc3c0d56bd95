"""`${NAME}` and `${NAME:-default}` in an operator's text, filled in from the environment."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Unset(ValueError):
    hint = "set it, or give it a default: ${NAME:-default}"


def expand(text: str, environ: Mapping[str, str]) -> str:
    """`text` with its variables filled in; an empty one takes its default, as in a shell.

    Raises Unset naming each variable without value or default, ValueError for what is no variable.
    What is filled in is not expanded again.
    """
    if "${" not in text:
        return text
    unset: list[str] = []

    def value(found: re.Match[str]) -> str:
        parts = _INSIDE.fullmatch(found.group(1))
        if parts is None:
            raise ValueError(f"{found.group()[:60]!r} is no ${{NAME}} or ${{NAME:-default}}")
        name, default = parts.groups()
        given = environ.get(name) or default
        if given is None and name not in environ:
            unset.append(name)
        return given or ""

    filled = _VARIABLE.sub(value, text)
    if unset:
        names = ", ".join(dict.fromkeys(unset))
        raise Unset(f"the environment variable {names} is not set")
    return filled
