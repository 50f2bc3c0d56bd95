"""Whether a URI may come from a URI template, told in time linear in its length.

It decides whose resource a URI is, never what its variables are; the server reads it again. Source:
RFC 6570; `{name}` (level 1) stands for at least one character without `/`, `?` and `#`, as in the
MCP SDKs, and what follows an expression of a higher level only has to end alike.
"""

import re
from dataclasses import dataclass

_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_SIMPLE = re.compile(r"[A-Za-z0-9_.%]+(?::[0-9]{1,4})?")
_END = re.compile(r"[/?#]")


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """`head`, then a variable before each of `middle`; what is left ends in `tail`.

    `open`: an expression of a higher level stands before `tail`. `plain`: no expression at all.
    """

    head: str
    middle: tuple[str, ...]
    tail: str
    open: bool
    plain: bool

    def matches(self, uri: str) -> bool:
        if self.plain:
            return uri == self.head
        if not self.resembles(uri):
            return False
        at = len(self.head)
        for literal in self.middle:
            start = at + 1
            found = uri.find(literal, start)
            if found < 0 or _END.search(uri, at, found):
                return False
            at = found + len(literal)
        last = len(uri) - len(self.tail)
        return last >= at if self.open else last > at and not _END.search(uri, at, last)

    def resembles(self, uri: str) -> bool:
        """Whether it begins and ends as the template does."""
        return uri.startswith(self.head) and uri.endswith(self.tail)


def parse(text: str) -> UriTemplate:
    """Any text is a template: braces that make no expression stand for themselves."""
    parts = _EXPRESSION.split(text)  # literal, expression, literal, …
    literals, expressions = parts[::2], parts[1::2]
    simple = 0
    while simple < len(expressions) and _SIMPLE.fullmatch(expressions[simple]):
        simple += 1
    if not expressions:
        return UriTemplate(text, (), "", open=False, plain=True)
    if simple == len(expressions):
        return UriTemplate(literals[0], tuple(literals[1:-1]), literals[-1], False, False)
    return UriTemplate(literals[0], tuple(literals[1 : simple + 1]), literals[-1], True, False)
