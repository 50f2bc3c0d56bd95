"""Names that a person can read and every client takes: of tools, arguments and backends."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from gateway.capability.expressions.simple import parse_plain

LONGEST_TOOL = 48
LONGEST_TOGETHER = 64  # `backend__tool`, for the clients that take no more
LONGEST_BACKEND = 32
LONGEST_ARGUMENT = 64

_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_NOISE = re.compile(r"_using_(?:get|post|put|patch|delete|head)(?:_\d+)?$")
_FILLERS = frozenset({"a", "an", "the", "of", "for", "by", "with", "to", "in", "and", "from"})
_FEW = 3  # operations: in fewer no shared beginning tells anything
_ENDS = ("inc", "api", "rest", "service", "services", "openapi", "swagger", "specification", "v1")


def snake(text: str) -> str:
    """`listPets`, `pets/list-all` → `list_pets`, `pets_list_all`; empty when nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode()
    return _NO_WORD.sub("_", _CASE.sub("_", ascii_only).lower()).strip("_")


def tool_names(
    wanted: Sequence[tuple[str, str, str]], longest: int, backend: str = ""
) -> list[str]:
    """A name for each `(operationId, method, path)`, none of them twice."""
    ids = _without_noise([_NOISE.sub("", snake(given)) for given, _, _ in wanted], backend)
    repeated = Counter(ids)
    names: list[str] = []
    taken: set[str] = set()
    for (_, method, path), known in zip(wanted, ids, strict=True):
        name = known if known and repeated[known] == 1 else _by_path(method, path) or known
        name = name if name[:1].isalpha() else f"{method.lower()}_{name}".strip("_")
        names.append(unique(fit(name, longest), taken, longest))
    return names


def _without_noise(ids: list[str], backend: str) -> list[str]:
    """Without `controller`, and without the API's own name at the beginning of all of them."""
    shorter = [known.replace("_controller_", "_") for known in ids]
    ids = shorter if len(set(shorter)) == len(set(ids)) else ids
    if len(ids) < _FEW or not all(ids):
        return ids
    noise = {*backend.split("_"), *_ENDS}
    while all(known.count("_") for known in ids):
        first = {known.partition("_")[0] for known in ids}
        rest = [known.partition("_")[2] for known in ids]
        if len(first) > 1 or not first <= noise or not all(each[:1].isalpha() for each in rest):
            break
        ids = rest
    return ids


def _by_path(method: str, path: str) -> str:
    """`get_pets_by_id` of `GET /pets/{id}`."""
    steps = [step for step in path.partition("?")[0].split("/") if step]
    fixed = [snake(step) for step in steps if "{" not in step]
    last = (
        snake(steps[-1].replace("{", " ").replace("}", " ")) if steps and "{" in steps[-1] else ""
    )
    parts = [method.lower(), *filter(None, fixed), *(("by", last) if last else ())]
    query = path.partition("#")[2] or path.partition("?")[2]
    return "_".join([*parts, *filter(None, [snake(query)])])


def fit(name: str, longest: int) -> str:
    """At most `longest` characters; what is cut is told apart by a short digest."""
    if len(name) <= longest:
        return name
    parts = [part for part in dict.fromkeys(name.split("_")) if part not in _FILLERS]
    shorter = "_".join(parts)
    if len(shorter) <= longest:
        return shorter
    digest = hashlib.sha256(name.encode()).hexdigest()[:4]
    return f"{shorter[: longest - 5].rstrip('_')}_{digest}"


def unique(name: str, taken: set[str], longest: int) -> str:
    """`name`, or `name_2` and so on; it is taken then."""
    found, number = name, 1
    while found in taken:
        number += 1
        end = f"_{number}"
        found = f"{name[: longest - len(end)].rstrip('_')}{end}"
    taken.add(found)
    return found


def argument_name(wire: str) -> str:
    """A name that a template reads as `args.NAME`; case is kept: `petId`, `filter_name`."""
    ascii_only = unicodedata.normalize("NFKD", wire[:400]).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_") or "value"
    if wire.startswith("_") and f"_{name}" == wire:
        name = wire
    if name[0].isdigit():
        name = f"n{name}"
    return name[:LONGEST_ARGUMENT].rstrip("_") or "value"


def reading(name: str) -> str:
    """The expression that reads an argument."""
    return f"args.{name}" if _is_plain(f"args.{name}") else f"args['{name}']"


def _is_plain(expression: str) -> bool:
    return parse_plain(expression) is not None


def backend_name(title: str, host: str, longest: int = 24) -> str:
    """Of the title, else of the host: `petstore`, `github_v3_rest`."""
    parts = [part for part in snake(title).split("_") if part not in ("the", "a", "openapi")]
    while len(parts) > 1 and parts[-1] in _ENDS:
        parts.pop()
    name = "_".join(parts)
    if not name[:1].isalpha() or parts == ["api"]:
        labels = [
            part for part in host.split(".") if part not in ("www", "api", "com", "org", "io")
        ]
        name = snake("_".join(labels)) or "api"
    if not name[:1].isalpha():
        name = f"api_{name}"
    while len(name) > longest and "_" in name:
        name = name.rpartition("_")[0]
    return name[:longest].rstrip("_")
