"""Operations into files: one file has one server and one way to prove who calls."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from gateway.importers.names import LONGEST_BACKEND, snake, unique
from gateway.importers.openapi.model import Credential, Operation
from gateway.importers.openapi.request import Taken
from gateway.importers.openapi.servers import host_of

_OF_AWS = (
    "Authorization",
    *("X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Credential"),
    *("X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Algorithm"),
)
_NONE = Credential()


@dataclass(slots=True)
class Group:
    """What one file holds. `name` is its backend's."""

    name: str
    base: str
    credential: Credential
    operations: list[Operation] = field(default_factory=list)

    @property
    def taken(self) -> Taken:
        """What the file sets for all its tools."""
        auth = self.credential.auth
        headers = {*auth.get("header", ()), *self.credential.headers}
        if auth.keys() & {"bearer", "basic", "digest", "oauth2"}:
            headers.add("Authorization")
        if "aws_sigv4" in auth:
            headers |= {*_OF_AWS}
        query = {*auth.get("query", ()), *self.credential.query}
        return Taken(frozenset(name.lower() for name in headers), frozenset(query))


def group(operations: Sequence[Operation], name: str, *, by_tag: bool) -> list[Group]:
    """The largest group has the plain name, the others say what sets them apart."""
    found: dict[tuple[str, bytes, str], Group] = {}
    by_base: dict[str, list[Operation]] = {}
    for operation in operations:
        by_base.setdefault(operation.base, []).append(operation)
    for base, members in by_base.items():
        for operation, credential in _chosen(members):
            tag = snake(operation.tags[0]) if by_tag and operation.tags else ""
            key = (base, _signature(credential), tag)
            if key not in found:
                found[key] = Group(tag, base, credential)
            found[key].operations.append(operation)
            _add_scopes(found[key], operation, credential)
    _name(list(found.values()), name)
    return list(found.values())


def _chosen(operations: Sequence[Operation]) -> Iterator[tuple[Operation, Credential]]:
    """Of its alternatives, each operation takes what most others have too."""
    counts = Counter(
        _signature(each)
        for operation in operations
        for each in operation.credentials
        if _says(each)
    )
    main = _NONE
    if counts:
        wanted = counts.most_common(1)[0][0]
        main = next(
            each
            for operation in operations
            for each in operation.credentials
            if _signature(each) == wanted
        )
    for operation in operations:
        needed = [each for each in operation.credentials if _says(each)]
        if len(needed) < len(operation.credentials) or not needed:
            yield operation, main  # it needs none: it may stand with those that do
        else:
            yield operation, max(needed, key=lambda each: counts[_signature(each)])


def _says(credential: Credential) -> bool:
    return bool(credential.auth or credential.notes)


def _signature(credential: Credential) -> bytes:
    return msgspec.json.encode(
        (credential.auth, credential.headers, credential.query, credential.notes)
    )


def _add_scopes(found: Group, operation: Operation, credential: Credential) -> None:
    if "oauth2" not in credential.auth:
        return
    wanted = _signature(credential)
    scopes = [
        s for each in operation.credentials if _signature(each) == wanted for s in each.scopes
    ]
    auth: dict[str, Any] = found.credential.auth
    known = auth["oauth2"].get("scopes", [])
    joined = list(dict.fromkeys([*known, *(scope for scope in scopes if _is_plain(scope))]))
    if joined != known:
        found.credential = replace(
            credential, auth={"oauth2": {**auth["oauth2"], "scopes": joined}}
        )


def _is_plain(scope: str) -> bool:
    return re.fullmatch(r"[\x21-\x7a|}~]{1,200}", scope) is not None


def _name(groups: list[Group], name: str) -> None:
    taken: set[str] = set()
    bases = Counter(each.base for each in groups)
    for each in sorted(groups, key=lambda group: -len(group.operations)):
        parts: list[str] = [name, *([each.name] if each.name else [])]
        wanted = "_".join(parts)[:LONGEST_BACKEND].rstrip("_")
        if wanted in taken:
            wanted = "_".join([*parts, _difference(each, bases)])
        each.name = unique(wanted[:LONGEST_BACKEND].rstrip("_"), taken, LONGEST_BACKEND)


def _difference(found: Group, bases: Counter[str]) -> str:
    """A word for what sets it apart: its server, or its kind of `auth`."""
    if len(bases) > 1 and bases[found.base] == 1:
        labels = host_of(found.base).split(".")
        return snake(labels[0] if labels[0] != "api" else "_".join(labels[1:2])) or "other"
    return next(iter(found.credential.auth), "open")


class Variables:
    """The environment variables of secrets: named after the API, so that its files share them, but
    for two credentials that would have one name.
    """

    def __init__(self, api: str) -> None:
        self._api = api.upper()
        self._owners: dict[str, bytes] = {}

    def of(self, members: Group) -> dict[str, str]:
        """`secrets:` of a file."""
        credential = members.credential
        kind = next(iter(credential.auth), "")
        owner = msgspec.json.encode((kind, credential.auth if kind != "oauth2" else None))
        found: dict[str, str] = {}
        for name, end in credential.secrets.items():
            variable = end if end.startswith("AWS_") else f"{self._api}_{end}"
            if self._owners.setdefault(variable, owner) != owner:
                variable = f"{members.name.upper()}_{end}"
            found[name] = f"env:{variable}"
        return found
