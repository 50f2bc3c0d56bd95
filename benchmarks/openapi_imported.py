"""What the importer makes of a document: its files, loaded, and what is wrong with them."""

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.openapi_documents import Document
from benchmarks.openapi_prism import TOKENS
from gateway.capability import load
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import environment
from gateway.domain.issue import Issue
from gateway.domain.naming import LONGEST
from gateway.domain.tokens import estimate_tokens
from gateway.importers.base import Imported, Note
from gateway.importers.openapi import Options, Source, import_openapi

SECRET = "a-secret-of-the-benchmark"  # noqa: S105 (made up)
TOKEN_URL = re.compile(r"(?m)^(\s*token_url: ).*$")
Parsed = Mapping[str, Any]  # a capability file


@dataclass(slots=True)
class Result:
    """`import_seconds` and `load_seconds`: CPU and wall. `files`: backend → what its file says."""

    import_seconds: tuple[float, float] = (0.0, 0.0)
    load_seconds: tuple[float, float] = (0.0, 0.0)
    files: dict[str, Parsed] = field(default_factory=dict)
    skipped: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()
    issues: list[Issue] = field(default_factory=list)
    tokens: int = 0
    name_faults: list[str] = field(default_factory=list)

    @property
    def tools(self) -> int:
        return sum(len(parsed["tools"]) for parsed in self.files.values())

    @property
    def environ(self) -> dict[str, str]:
        """Our environment and a value for every secret that the files name."""
        listed = [parsed.get("secrets", {}) for parsed in self.files.values()]
        named = [source for secrets in listed for source in secrets.values()]
        names = [str(source).removeprefix("env:") for source in named]
        return {**environment(), **dict.fromkeys(names, SECRET)}


def imported(document: Document, folder: Path, port: int) -> Result:
    """Import it, with `port` of this machine for its server, into `folder`. Raises ImportFailed."""
    found = Result()
    started = _now()
    source = Source(document.path.read_bytes(), document.path.name)
    made = import_openapi(source, Options(base_url=f"http://127.0.0.1:{port}"))
    found.import_seconds = _since(started)
    found.skipped, found.notes = made.skipped, made.notes
    _write(made, folder, port)
    _load(made, folder, found)
    found.name_faults = _name_faults(found)
    return found


def _write(made: Imported, folder: Path, port: int) -> None:
    """Tokens come from the recorder: what the document names is not to be asked."""
    folder.mkdir(exist_ok=True)
    for draft in made.drafts:
        own = rf"\g<1>http://127.0.0.1:{port}{TOKENS}"
        folder.joinpath(draft.file).write_text(TOKEN_URL.sub(own, draft.text))


def _load(made: Imported, folder: Path, found: Result) -> None:
    texts = {draft.file: folder.joinpath(draft.file).read_bytes() for draft in made.drafts}
    for file, text in texts.items():
        parsed = yaml.load(text, yaml.CSafeLoader)
        found.files[parsed.get("name", Path(file).stem)] = parsed
    environ = found.environ
    started = _now()
    loaded = [
        load.load(text, file, environ=environ, redactor=Redactor()) for file, text in texts.items()
    ]
    found.load_seconds = _since(started)
    for one in loaded:
        found.issues += one.issues
        tools = one.capability.tools.values() if one.capability else ()
        definitions = (msgspec.json.encode(tool.tool.definition) for tool in tools)
        found.tokens += sum(estimate_tokens(len(text)) for text in definitions)


def _name_faults(found: Result) -> list[str]:
    """Names that are too long beside that of their server, and names that two tools have."""
    names = [
        f"{backend}__{tool}" for backend, file in found.files.items() for tool in file["tools"]
    ]
    twice = [name for name, times in Counter(names).items() if times > 1]
    return twice + [name for name in names if len(name) > LONGEST]


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    cpu, wall = _now()
    return cpu - started[0], wall - started[1]
