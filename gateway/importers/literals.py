"""Credentials that are written out in a foreign configuration → variables the operator sets.

The rule: nothing here is ever shown; a note has the variable's name alone.
"""

import re
from urllib.parse import parse_qsl, quote, urlsplit

_SECRET_NAME = re.compile(
    r"api[-_]?key|access[-_]?key|(^|[-_])auth(orization)?$|bearer|cookie|credential|pass(word|wd|phrase)?\b|private[-_]?key"
    r"|secret|session|token|(^|[-_])(key|pat|pwd)$|connection[-_]?string|dsn$",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(r"(_|-)?(path|file|dir|url|host|type|id|name|region|mode)$", re.IGNORECASE)
_TOKEN = re.compile(
    r"(sk-|sk_|pk_|rk_|ghp_|gho_|ghs_|github_pat_|glpat-|xox[a-z]-|AKIA|AIza|eyJ|hf_|npm_|pypi-|dop_v1_"
    r"|lin_api_|ntn_|secret_|shpat_|SG\.)[A-Za-z0-9_.\-]{8,}"
)
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-+=]{32,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # mostly an id
_SCHEME = re.compile(r"((?i:bearer|basic|token|apikey|api-key|bot)) +(\S.*)", re.DOTALL)
_FLAG = re.compile(r"(--?[A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_WHOLE = re.compile(r"(env|file):\S+")


def looks_secret(name: str, value: str) -> bool:
    """By its name, or by its look."""
    if not value.strip() or _is_reference(value):
        return False
    if _random(value) or _has_password(value):
        return True
    named = _SECRET_NAME.search(name) is not None and not _NOT_SECRET.search(name)
    return named and value.lower() not in ("true", "false", "none", "0", "1")


def scheme_and_rest(value: str) -> tuple[str, str]:
    """`Bearer x` → `Bearer ` and `x`; without a scheme the first is empty."""
    match = _SCHEME.fullmatch(value.strip())
    return (f"{match[1]} ", match[2]) if match else ("", value)


class Variables:
    """Gives each credential a variable. `asked` are their names, for a note."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(self._values)

    def named(self, wanted: str, value: str, owner: str) -> str:
        """A reference to it. One value under one name is asked for once."""
        for name in (variable(wanted), variable(f"{owner}_{wanted}")):
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
        if not looks_secret(name, rest) and not (scheme and not _is_reference(rest)):
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
                made.append(f"{match[1]}={self.in_pair(f'{owner}{match[1]}', match[2], owner)}")
            elif match:
                made.append(word)
            elif "://" in word:
                made.append(self.in_url(word, owner))
            else:
                made.append(self._word(word, flag, owner))
            flag = match[1] if match and match[2] is None else ""
        return made

    def in_url(self, url: str, owner: str) -> str:
        """In the query, and segments of the path that look like one."""
        if _has_password(url):
            return self.named(f"{owner}_url", url, owner)
        head, mark, query = url.partition("?")
        for name, value in parse_qsl(query):
            if looks_secret(name, value):
                reference = self.named(f"{owner}_{name}", value, owner)
                for shown in {value, quote(value, safe=""), quote(value)}:
                    query = query.replace(f"={shown}", f"={reference}")
        segments = head.split("/")
        for index, segment in enumerate(segments[3:], 3):
            if _random(segment):
                segments[index] = self.named(f"{owner}_url_token", segment, owner)
        return f"{'/'.join(segments)}{mark}{query}"

    def _word(self, word: str, flag: str, owner: str) -> str:
        name, mark, value = word.partition("=")  # docker run -e NAME=value
        if mark and re.fullmatch(r"\w+", name):
            return f"{name}={self.in_pair(name, value, owner)}"
        if ": " in word:  # --header "Authorization: Bearer x"
            header, _, rest = word.partition(": ")
            return f"{header}: {self.in_header(header, rest, owner)}"
        return self.in_pair(f"{owner}{flag}", word, owner)


def variable(text: str) -> str:
    """The nearest name of an environment variable."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper() or "SECRET"
    return name if not name[0].isdecimal() else f"_{name}"


def _random(value: str) -> bool:
    if _UUID.fullmatch(value):
        return False
    return bool(_TOKEN.fullmatch(value) or _RANDOM.fullmatch(value))


def _has_password(value: str) -> bool:
    try:
        return bool(urlsplit(value).password)
    except ValueError:
        return False


def _is_reference(value: str) -> bool:
    """Nothing of it is written out."""
    return not _REFERENCE.sub("", value).strip() or bool(_WHOLE.fullmatch(value))
