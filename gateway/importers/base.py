"""What every importer gives: capability files as text for review, what was left out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reviewer should know. `where` is a place in the foreign document, such as
    `GET /pets/{id}`; empty for all of it.
    """

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One capability file: the name to give it (`petstore.yaml`), its text, its tools' names.

    `tokens`: about what each tool's definition costs a model, where the importer knows.
    """

    file: str
    text: str
    tools: tuple[str, ...]
    tokens: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Imported:
    """`skipped` cannot be expressed, each for its own reason; `notes` came over otherwise than the
    document says. Neither ever costs another operation.
    """

    drafts: tuple[Draft, ...]
    notes: tuple[Note, ...] = ()
    skipped: tuple[Note, ...] = ()


class ImportFailed(Exception):
    """The document as a whole cannot be read; the text says where and why."""


class Inexpressible(Exception):
    """No tool can do this one request; the text says why."""
