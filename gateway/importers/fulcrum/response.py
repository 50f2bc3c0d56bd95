"""What a fulcrum file does with an answer → `response:`, `cache`, `timeout` and `annotations`."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.capability.file.annotations import annotations
from gateway.importers.fulcrum.document import CONFIG, PRIMARY, Path, Unconvertible
from gateway.importers.fulcrum.making import Making

TRANSFORMS = ("transform", "response_transform")  # the second is asked when the first is not there
FORMATS = {"text": "text", "xml": "xml", "binary": "binary"}
TIMEOUT = 30  # seconds, of both formats

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"([^\[\]]*)((?:\[\d*\])*)")
_VARIABLE = re.compile(r"\{\{(\w[\w.]*)\}\}")
_HINTS = {"destructive": "destructiveHint", "idempotent": "idempotentHint"}
_HINTS |= {"open_world": "openWorldHint"}


def response(making: Making, service: str) -> None:
    """Writes `response`, with what is not done to the answer any more as notes."""
    document = making.document
    found: dict[str, Any] = {}
    at: Path = (*CONFIG, "response_format")
    kind = FORMATS.get(document.text(*at).strip().lower())
    if kind is not None:
        found["as"] = kind
        making.came(("response", "as"), at)
    at = (*CONFIG, "response_path")
    select = _selected(making, service, document.text(*at).strip(), kind)
    if select:
        found["select"] = select
        making.came(("response", "select"), at)
    if document.at(*CONFIG, "response_transform") is not None:
        where = (*CONFIG, "response_transform")
        document.note(where, "response_transform is a program: the answer stays as it is")
    found |= _transformed(making)
    if found:
        making.put("response", found, CONFIG)


def _selected(making: Making, service: str, path: str, kind: str | None) -> str | None:
    steps = [step for step in path.split(".") if step]
    if service == "jsonrpc":
        return "$.result"
    if service == "graphql":
        return json_path(["data", *(steps[1:] if steps[:1] == ["data"] else steps)])
    if not steps:
        return None
    if kind == "xml":
        text = "the path begins below the root element, whose name it does not say: a list of one"
        making.document.note((*CONFIG, "response_path"), text)
        return json_path(steps).replace("$", "$.*", 1)
    return json_path(steps)


def json_path(steps: list[str]) -> str:
    """`items`, `items[]`, `items[0]` and `0` in turn, as one JSONPath."""
    made = "$"
    for step in steps:
        match = _STEP.fullmatch(step)
        name, indices = (match[1], match[2]) if match else (step, "")
        if name.isdecimal():
            made += f"[{int(name)}]"
        elif _PLAIN.fullmatch(name):
            made += f".{name}"
        elif name:
            escaped = name.replace("\\", "\\\\").replace("'", "\\'")
            made += f"['{escaped}']"
        made += indices.replace("[]", "[*]")
    return made


def _transformed(making: Making) -> dict[str, Any]:
    document = making.document
    place = next((key for key in TRANSFORMS if document.mapping(key)), TRANSFORMS[0])
    if place == TRANSFORMS[0] and document.mapping(TRANSFORMS[0]) and document.at(TRANSFORMS[1]):
        document.note((TRANSFORMS[1],), "a second transform: it is left out")
    if document.at(place, "redact"):
        raise Unconvertible(
            (place, "redact"),
            "redact takes texts out of the answer, which no capability file can",
            "remove it when callers may read the whole answer, or choose its fields with project",
        )
    found: dict[str, Any] = {}
    project = [str(path) for path in document.items(place, "project")]
    rename = document.texts(place, "rename")
    if project:
        found["map"] = _map(making, place, project, rename)
    elif rename:
        text = "rename without project: the fields keep their names"
        document.note((place, "rename"), text)
    found |= _formatted(making, place)
    return found


def _map(
    making: Making, place: str, project: list[str], rename: Mapping[str, str]
) -> dict[str, str]:
    names = {_leaf(old): new for old, new in rename.items()}
    found: dict[str, str] = {}
    for index, path in enumerate(project):
        name = _leaf(path)
        name = names.pop(name, name)
        found[name] = json_path([step for step in path.split(".") if step])
        making.came(("response", "map", name), (place, "project", index))
    for name in names:
        making.document.note((place, "rename"), f"rename of {name!r}, which project does not keep")
    return found


def _leaf(path: str) -> str:
    """The name under which a projected value stood."""
    return path.removesuffix("[]").rpartition(".")[2]


def _formatted(making: Making, place: str) -> dict[str, Any]:
    document = making.document
    kind = document.text(place, "format", "type").strip().lower()
    if kind == "flat":
        document.note((place, "format"), "format: flat is left out: objects stay nested")
    template = document.text(place, "format", "template")
    if kind != "template" or not template:
        return {}
    at: Path = (place, "format", "template")
    making.came(("response", "text"), at)
    text = _VARIABLE.sub(lambda match: f"{{{{ {_of_result(match[1])} }}}}", template)
    return {"text": text}


def _of_result(dotted: str) -> str:
    steps = [f"[{step}]" if step.isdecimal() else f".{step}" for step in dotted.split(".") if step]
    return f"result{''.join(steps)}"


def behaviour(making: Making, method: str) -> None:
    """`timeout`, `cache` and `annotations`, where they are not what they would be anyway."""
    document = making.document
    timeout = document.at(*PRIMARY, "timeout")
    if isinstance(timeout, (int, float)) and timeout != TIMEOUT:
        making.put("timeout", f"{timeout}s", (*PRIMARY, "timeout"))
    ttl = document.at("cache", "ttl")
    strategy = document.text("cache", "strategy").strip().lower()
    if isinstance(ttl, (int, float)) and ttl > 0 and strategy not in ("", "none"):
        making.put("cache", f"{ttl}s", ("cache", "ttl"))
    hints = _hints(making, method)
    if hints:
        making.put("annotations", hints, ("metadata",))


def _hints(making: Making, method: str) -> dict[str, bool]:
    metadata = making.document.mapping("metadata")
    said: dict[str, bool] = {}
    if isinstance(metadata.get("read_only"), bool):
        said["readOnlyHint"] = metadata["read_only"]
    for key, hint in _HINTS.items():
        if isinstance(metadata.get(key), bool):
            said[hint] = metadata[key]
    hints: dict[str, bool] = {}
    for hint, value in said.items():
        if annotations(method, hints).get(hint) != value:
            hints[hint] = value
    return hints
