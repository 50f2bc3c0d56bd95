"""Foreign text inside our templates: it gives exactly itself, whatever marks are in it."""

import re

_SYNTAX = re.compile(r"\{\{|\{%|\{#")


def literal(text: str) -> str:
    """Template text that gives exactly this text."""
    return _SYNTAX.sub(lambda match: f"{{{{ {quoted(match[0])} }}}}", text)


def quoted(text: str) -> str:
    """As a text in an expression."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
