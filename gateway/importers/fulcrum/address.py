"""The URL of a fulcrum file → `base_url`, a path and query pairs.

The rule: a caller never decides which host is called.
"""

import re
from urllib.parse import quote, unquote_plus

from gateway.importers.fulcrum.document import CONFIG, Path, Unconvertible
from gateway.importers.fulcrum.making import Making
from gateway.importers.fulcrum.words import PLACEHOLDER, Expression

_URL = re.compile(r"(https?://[^/?#]+)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_ENV = re.compile(r"\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")
_WHOLE = ("url", "uri", "path", "file")  # how the names of inputs end that have slashes in them


def address(making: Making) -> str:
    """Sets `base_url` and `query`; gives the path."""
    document = making.document
    if document.at(*CONFIG, "path_selector"):
        raise Unconvertible(
            (*CONFIG, "path_selector"),
            "an input chooses between several paths; here each path is a tool of its own",
            "write one file a path, without path_selector",
        )
    endpoint = document.text(*CONFIG, "endpoint").strip()
    base = document.text(*CONFIG, "base_url").strip()
    where: Path = (*CONFIG, "endpoint" if endpoint else "base_url")
    origin, path, query = _split(endpoint or base + document.text(*CONFIG, "path").strip(), where)
    origin = _literal_origin(making, origin, where)
    prefix = "" if endpoint else _prefix(base, path)
    making.base_url = origin + prefix
    making.origins["base_url"] = where
    at: Path = (*CONFIG, "endpoint" if endpoint else "path")
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        own = unquote_plus(name)
        making.add("query", own, making.words.value(unquote_plus(value), (*at, own)), at)
    return _path(making, path.removeprefix(prefix) or "/", at)


def _split(url: str, where: Path) -> tuple[str, str, str]:
    match = _URL.fullmatch(url)
    if match is not None:
        return match[1], match[2], match[3] or ""
    if PLACEHOLDER.match(url) and not url.startswith("{env."):
        raise Unconvertible(
            where,
            "the whole URL is an input: whoever calls the tool could fetch anything through it",
            "write the API's URL out, with inputs in its path and query",
        )
    if not url:
        raise Unconvertible(CONFIG, "there is neither a base_url nor an endpoint")
    raise Unconvertible(where, "the URL does not start with http:// or https://")


def _literal_origin(making: Making, origin: str, where: Path) -> str:
    """With the operator's variables in it as ours; an input in it refuses the file."""
    if "$" in origin:  # it would be read from the environment, and sent there
        raise Unconvertible(where, "no host name has a '$' in it")
    origin = _ENV.sub(lambda match: f"${{{match[1]}}}", origin)
    for match in PLACEHOLDER.finditer(re.sub(r"\$\{[^}]*\}", "", origin)):
        if making.words.is_static(match[1]):
            origin = origin.replace(match[0], making.words.text(match[0], where))
            continue
        raise Unconvertible(
            where,
            f"the input {match[0]} decides which host is called",
            "write the host out, one file for each",
        )
    return origin


def _prefix(base: str, path: str) -> str:
    """What of the path belongs to `base_url`: its own path, if that is literal."""
    match = _URL.fullmatch(base)
    own = match[2].rstrip("/") if match else ""
    return own if own and "{" not in own and path.startswith(f"{own}/") else ""


def _path(making: Making, path: str, at: Path) -> str:
    """Inputs in it have to be given; each is one segment."""
    parts = making.words.parts(
        path if path.startswith("/") else f"/{path}", at, static=lambda text: quote(text, safe="")
    )
    for part in parts:
        if isinstance(part, Expression) and part.argument.lower().endswith(_WHOLE):
            text = f"{part.argument} is one segment of the path: slashes in it are sent as %2F"
            making.document.note(at, text)
    return "".join(map(str, parts))
