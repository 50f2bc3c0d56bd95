"""A Postman collection (v2.0 and v2.1) → its requests in order, each with what it inherits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.importers.base import ImportFailed

DEEPEST = 40  # folders in folders


@dataclass(frozen=True, slots=True)
class Pair:
    """A query parameter, a header, a field of a form, or a path variable."""

    key: str
    value: str
    description: str = ""
    enabled: bool = True
    kind: str = "text"
    source: str = ""  # of a file


@dataclass(frozen=True, slots=True)
class Request:
    """`auth` is None where nothing is shown; its first is the kind."""

    where: str
    name: str
    folders: tuple[str, ...]
    description: str
    method: str
    url: str
    query: tuple[Pair, ...]
    path_variables: tuple[Pair, ...]
    headers: tuple[Pair, ...]
    body: Mapping[str, Any]
    auth: tuple[str, Mapping[str, str]] | None
    responses: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class Collection:
    """`variables`: name → value, and whether it is a secret. `scripts`: how many there are."""

    title: str
    description: str
    variables: dict[str, tuple[str, bool]]
    requests: list[Request] = field(default_factory=list)
    scripts: int = 0


def read(data: bytes, file: str) -> Collection:
    """Raises ImportFailed when it is no such collection."""
    try:
        tree = json.loads(data)
    except UnicodeDecodeError:
        raise ImportFailed(f"{file} is no JSON: it is not UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}:{error.colno}"
        raise ImportFailed(f"{place}: not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise ImportFailed(f"{file} is nested too deep") from None
    if isinstance(tree, dict) and isinstance(tree.get("collection"), dict):
        tree = tree["collection"]
    if not isinstance(tree, dict) or not isinstance(tree.get("item"), list):
        hint = " (export it as Collection v2.1)" if _is_old(tree) else ""
        raise ImportFailed(f"{file} is no Postman collection v2.0 or v2.1{hint}")
    info = mapping(tree.get("info"))
    collection = Collection(
        text(info.get("name")),
        text(info.get("description")),
        {
            text(each.get("key") or each.get("id")): (
                text(each.get("value")),
                each.get("type") == "secret",
            )
            for each in mappings(tree.get("variable"))
            if not each.get("disabled")
        },
    )
    _walk(collection, tree, (), None)
    return collection


def _is_old(tree: Any) -> bool:
    return isinstance(tree, dict) and isinstance(tree.get("requests"), list)


def _walk(
    collection: Collection, node: Mapping[str, Any], folders: tuple[str, ...], inherited: Any
) -> None:
    own = _auth(node["auth"]) if node.get("auth") is not None else inherited
    collection.scripts += len(mappings(node.get("event")))
    if len(folders) > DEEPEST:
        raise ImportFailed(f"folders are more than {DEEPEST} deep")
    for item in mappings(node.get("item")):
        name = text(item.get("name")) or "request"
        if isinstance(item.get("item"), list):
            _walk(collection, item, (*folders, name), own)
        elif item.get("request"):
            collection.scripts += len(mappings(item.get("event")))
            collection.requests.append(_request(item, name, folders, own))


def _request(
    item: Mapping[str, Any], name: str, folders: tuple[str, ...], inherited: Any
) -> Request:
    given = item["request"] if isinstance(item["request"], dict) else {"url": item["request"]}
    url = given.get("url")
    parts = mapping(url)
    raw = _raw(parts) if parts else text(url)
    address, _, query = raw.partition("#")[0].partition("?")
    pairs = tuple(_pairs(parts.get("query"))) if "query" in parts else tuple(_of_query(query))
    auth = _auth(given["auth"]) if given.get("auth") is not None else inherited
    return Request(
        where=" / ".join((*folders, name)),
        name=name,
        folders=folders,
        description=text(given.get("description")) or text(item.get("description")),
        method=(text(given.get("method")) or "GET").lower(),
        url=address.strip(),
        query=pairs,
        path_variables=tuple(_pairs(parts.get("variable"))),
        headers=tuple(_headers(given.get("header"))),
        body=mapping(given.get("body")),
        auth=auth,
        responses=tuple(mappings(item.get("response"))),
    )


def _raw(url: Mapping[str, Any]) -> str:
    if isinstance(url.get("raw"), str) and url["raw"]:
        return str(url["raw"])
    host, path = url.get("host"), url.get("path")
    authority = ".".join(map(text, host)) if isinstance(host, list) else text(host)
    port = f":{text(url['port'])}" if url.get("port") else ""
    steps = [text(mapping(step).get("value")) or text(step) for step in path or ()]
    whole = "/".join(steps) if isinstance(path, list) else text(path).lstrip("/")
    scheme = f"{text(url['protocol'])}://" if url.get("protocol") else ""
    return f"{scheme}{authority}{port}/{whole}"


def _auth(given: Any) -> tuple[str, Mapping[str, str]] | None:
    """v2.0 has a mapping there, v2.1 a list of pairs."""
    kind = text(mapping(given).get("type"))
    if kind in ("", "noauth"):
        return None
    values = given.get(kind)
    if isinstance(values, list):
        values = {text(each.get("key")): each.get("value") for each in mappings(values)}
    return kind, {key: text(value) for key, value in mapping(values).items()}


def _headers(given: Any) -> Iterator[Pair]:
    if isinstance(given, str):
        for line in given.splitlines():
            name, mark, value = line.partition(":")
            if mark:
                yield Pair(name.strip(), value.strip())
    yield from _pairs(given)


def pairs(given: Any) -> Iterator[Pair]:
    """Those with a name."""
    yield from _pairs(given)


def _pairs(given: Any) -> Iterator[Pair]:
    for each in mappings(given):
        key = text(each.get("key") or each.get("id"))
        if key:
            source = each.get("src")
            yield Pair(
                key,
                text(each.get("value")),
                text(each.get("description")),
                not each.get("disabled"),
                text(each.get("type")) or "text",
                text(source[0] if isinstance(source, list) and source else source),
            )


def _of_query(query: str) -> Iterator[Pair]:
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name:
            yield Pair(name, value)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Of a text, a number, or a description with its content."""
    if isinstance(value, dict):
        value = value.get("content")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""
