"""What looks like a credential: by the name it stands under, or by its own look.

The rule: whoever copies another's text (an importer, `record`) asks here first.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from gateway.credentials.redact import MASK, SHORTEST

_NAME = re.compile(  # of variables, headers, flags and parameters
    r"api[-_]?key|access[-_]?key|(^|[-_])auth(orization)?$|bearer|cookie|credential|pass(word|wd|phrase)?\b|private[-_]?key"
    r"|secret|session|token|(^|[-_])(key|pat|pwd?|creds?|signature)$|connection[-_]?string|dsn$",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"(_|-)?(path|file|dir|url|host|type|id|name|region|mode)$", re.IGNORECASE)
_POSITION = re.compile(  # in a list: random, and no credential
    r"(cursor|(page|next|continuation|sync)[-_]?token)$", re.IGNORECASE
)
_MEMBER = re.compile(  # of answers, whose own names (`next_page_token`) are not to be hidden
    r"(?:access|refresh|id|auth|session|bearer|csrf)[-_]?token|token|pass(?:word|wd|phrase)"
    r"|(?:client|api|app|shared)?[-_]?secret(?:[-_]?key)?|api[-_]?key|private[-_]?key"
    r"|authorization|(?:set-)?cookies?",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(sk-|sk_|pk_|rk_|ghp_|gho_|ghs_|github_pat_|glpat-|xox[a-z]-|AKIA|AIza|eyJ|hf_|npm_|pypi-|dop_v1_"
    r"|lin_api_|ntn_|secret_|shpat_|SG\.)[A-Za-z0-9_.\-]{8,}"
)
_RANDOM = re.compile(
    r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-+=]{32,}"
    r"|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9]{20,}"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # mostly an id
_WITHIN = re.compile(  # `Password=x;`, `"api_key": "x"`, `<secret>x</secret>`, `?token=x`
    r"(?<![A-Za-z])((?:[a-z]+[-_])?(?:pass(?:word|wd)|pwd|secret|token|(?:api|access|account|private)[-_]?key)"
    r"|sharedaccesskey|x-amz-signature|sig(?:nature)?)"
    r"(\\?[\"']?\s*[=:>]\s*\\?[\"']?)([^\s\"'<>&;,${}\\]{3,})",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"((?i:bearer|basic|token|apikey|api-key|bot)) +(\S.*)", re.DOTALL)
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_WHOLE = re.compile(r"(env|file):\S+")
_PAIR = re.compile(  # of YAML or JSON, on one line
    r"""([\w.-]+)(["']?\s*:\s*)"""
    r"""('[^']*'?|"[^"]*"?|(?:\$\{[^}]*\}|[^\s,\[\]{}\#'"])(?:\$\{[^}]*\}|[^,\]}\#])*)"""
)
_WORD = re.compile(r"[\w.+=-]{20,}")
_BETWEEN = re.compile(r"[/?&=#]")


def looks_secret(name: str, value: str) -> bool:
    """By its name, or by its look. References to variables are none."""
    if not value.strip() or is_reference(value):
        return False
    if _TOKEN.fullmatch(value) is None and _POSITION.search(name):
        return False
    if is_random(value) or has_password(value) or _WITHIN.search(value) or _random_url(value):
        return True
    named = _NAME.search(name) is not None and not _NO_NAME.search(name)
    return named and value.lower() not in ("true", "false", "none", "0", "1")


def is_secret_member(name: str, value: str) -> bool:
    """Stricter, for what is sent to an API or comes from it, whose names and ids are its own."""
    named = _MEMBER.fullmatch(name) is not None and value != ""
    return named or _TOKEN.fullmatch(value) is not None


def holds_secret(value: Any) -> bool:
    """Whether anything in a JSON value looks like one."""
    if isinstance(value, dict):
        return any(
            looks_secret(name, each) if isinstance(each, str) else holds_secret(each)
            for name, each in value.items()
        )
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, str) and looks_secret("", value)


def masked(value: Any, name: str = "") -> Any:
    """A JSON value of an API's answer, without the credentials of its own that it holds."""
    if isinstance(value, dict):
        return {key: masked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, name) for each in value]
    if not isinstance(value, str):
        return value
    if is_secret_member(name, value):
        return MASK
    return _WITHIN.sub(rf"\1\2{MASK}", value)


def starred(line: str) -> str:
    """A line of a YAML or JSON file as it may be shown: with a star in the place of each character
    of what looks like a credential.
    """
    shown = _PAIR.sub(_starred, line)
    return _WORD.sub(lambda at: "*" * len(at[0]) if is_random(at[0]) else at[0], shown)


def _starred(at: re.Match[str]) -> str:
    name, between, value = at.groups()
    bare = value.strip("'\" ")
    template = "{{" in bare or is_reference(bare)
    if template or len(bare) < SHORTEST or not _NAME.search(name) or _NO_NAME.search(name):
        return at[0]
    return name + between + "*" * len(value)


def scheme_and_rest(value: str) -> tuple[str, str]:
    """`Bearer x` → `Bearer ` and `x`; without a scheme the first is empty."""
    match = _SCHEME.fullmatch(value.strip())
    return (f"{match[1]} ", match[2]) if match else ("", value)


def is_random(value: str) -> bool:
    """As a generator of keys writes them."""
    if _UUID.fullmatch(value):
        return False
    return bool(_TOKEN.fullmatch(value) or _RANDOM.fullmatch(value))


def has_password(value: str) -> bool:
    """A URL with one before its host."""
    try:
        return bool(urlsplit(value).password)
    except ValueError:
        return False


def is_reference(value: str) -> bool:
    """Nothing of it is written out."""
    return not _REFERENCE.sub("", value).strip() or bool(_WHOLE.fullmatch(value))


def _random_url(value: str) -> bool:
    return "://" in value and any(map(is_random, _BETWEEN.split(value)))
