"""Credentials that are written out in a foreign configuration → variables the operator sets.

The rule: nothing here is ever shown; a note has the variable's name alone.
"""

import re
from urllib.parse import parse_qsl, quote

from gateway.credentials.looks import (
    has_password,
    is_random,
    is_reference,
    looks_secret,
    scheme_and_rest,
)

_FLAG = re.compile(r"(--?[A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
_PAIR = re.compile(r"\w+=")
_HEADER = re.compile(r"([A-Za-z0-9-]+):(\s*)(\S.*)", re.DOTALL)


class Variables:
    """Gives each credential a variable. `asked` are their names, for a note."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(self._values)

    def named(self, wanted: str, value: str, owner: str) -> str:
        """A reference to it. One value under one name is asked for once."""
        own = variable(owner)
        plain = variable(wanted)
        for name in (plain, plain if plain.startswith(f"{own}_") else f"{own}_{plain}"):
            if self._values.setdefault(name, value) == value:
                return f"${{{name}}}"
        number = 2
        while self._values.setdefault(f"{variable(wanted)}_{number}", value) != value:
            number += 1
        return f"${{{variable(wanted)}_{number}}}"

    def in_pair(self, name: str, value: str, owner: str) -> str:
        """The value of a variable, or what it is replaced with."""
        return self.named(name, value, owner) if looks_secret(name, value) else value

    def in_header(self, name: str, value: str, owner: str) -> str:
        """A scheme stays."""
        scheme, rest = scheme_and_rest(value)
        if not looks_secret(name, rest) and not (scheme and not is_reference(rest)):
            return value
        wanted = f"{owner}_token" if name.lower() == "authorization" else f"{owner}_{name}"
        return f"{scheme}{self.named(wanted, rest, owner)}"

    def in_arguments(self, words: list[str], owner: str) -> list[str]:
        """`--token x` and `--token=x`; the credential may be a word by itself too."""
        made: list[str] = []
        flag = ""
        for word in words:
            match = _FLAG.fullmatch(word)
            if match and match[2] is not None:
                made.append(f"{match[1]}={self._word(match[2], match[1], owner)}")
            elif match:
                made.append(word)
            elif "://" in word and not _PAIR.match(word):
                made.append(self.in_url(word, owner))
            else:
                made.append(self._word(word, flag, owner))
            flag = match[1] if match and match[2] is None else ""
        return made

    def in_url(self, url: str, owner: str) -> str:
        """In the query, and segments of the path that look like one."""
        if has_password(url):
            return self.named(f"{owner}_url", url, owner)
        head, mark, query = url.partition("?")
        for name, value in parse_qsl(query):
            if looks_secret(name, value):
                reference = self.named(f"{owner}_{name}", value, owner)
                for shown in {value, quote(value, safe=""), quote(value)}:
                    query = query.replace(f"={shown}", f"={reference}")
        segments = head.split("/")
        for index, segment in enumerate(segments[3:], 3):
            if is_random(segment):
                segments[index] = self.named(f"{owner}_url_token", segment, owner)
        return f"{'/'.join(segments)}{mark}{query}"

    def _word(self, word: str, flag: str, owner: str) -> str:
        """What stands behind `flag`, or by itself."""
        if looks_secret(flag, "x"):
            return self.in_pair(f"{owner}{flag}", word, owner)
        name, mark, value = word.partition("=")  # docker run -e NAME=value
        if mark and re.fullmatch(r"\w+", name):
            return f"{name}={self.in_pair(name, value, owner)}"
        header = _HEADER.fullmatch(word)  # --header "Authorization: Bearer x"
        if header:
            return f"{header[1]}:{header[2]}{self.in_header(header[1], header[3], owner)}"
        return self.in_pair(f"{owner}{flag}", word, owner)


def variable(text: str) -> str:
    """The nearest name of an environment variable."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper() or "SECRET"
    return name if not name[0].isdecimal() else f"_{name}"
