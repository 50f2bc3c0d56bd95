"""What an importer needs of an operation, whichever version of OpenAPI it comes from.

Schemas and examples are still the document's nodes, references and all.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

PLACES = ("path", "query", "header", "cookie")
Place = Literal["path", "query", "header", "cookie"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`as_json`: its value is a JSON text. `examples` are in the document's order."""

    name: str
    place: Place
    required: bool
    schema: Any
    style: str
    explode: bool
    as_json: bool = False
    description: str = ""
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Media:
    """One content type of a request; `encoding` is said of each property."""

    kind: str
    schema: Any
    encoding: dict[str, Any] = field(default_factory=dict)
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    required: bool
    media: tuple[Media, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Of the answers that are successes: content types, whether they are files, JSON examples."""

    kinds: tuple[str, ...] = ()
    is_file: bool = False
    status: int = 200
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """How one requirement is met: `auth`, and file-wide headers and query beside it.

    `secrets`: name → what the environment variable is called after the API's name.
    """

    auth: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`where` is `GET /pets/{id}`. `credentials`: any one will do; empty: none is needed.

    `base` is the address of its server, as `servers.py` gives it.
    """

    where: str
    method: str
    path: str
    id: str
    summary: str
    description: str
    tags: tuple[str, ...]
    deprecated: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: Answers
    credentials: tuple[Credential, ...]
    base: str
