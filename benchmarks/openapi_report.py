"""The figures of one document, and the page that shows those of all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.openapi_blame import Verdict
from benchmarks.openapi_calls import Called, Fate
from benchmarks.openapi_imported import Result
from gateway.domain.issue import Severity

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
WHOSE = ("importer", "document", "prism")
ACCEPTED = (Fate.ACCEPTED, Fate.UNANSWERED)
HEAD = (
    "| document | version | operations | tools | calls | accepted | fault of prism | of the"
    " document | of the importer | JSON with structure | tokens | import | load |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)
SKIPPED = "| operations skipped | why |\n|---|---|"
WHY = "| not accepted by the fault of | why | calls |\n|---|---|---|"


@dataclass(slots=True)
class Row:
    """`fates` of calls; `faults`: whose fault those were that were not accepted."""

    name: str
    version: str
    operations: int
    failed: str = ""
    result: Result = field(default_factory=Result)
    called: int = 0
    unmade: int = 0
    hostile: int = 0
    escaped: int = 0
    structured: int = 0
    unstructured: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    faults: Counter[Verdict] = field(default_factory=Counter)

    def note(self, called: Called, verdict: Verdict | None) -> None:
        self.fates[called.fate] += 1
        if verdict:
            self.faults[verdict] += 1
        self.structured += called.structured is True
        self.unstructured += called.structured is False

    @property
    def calls(self) -> int:
        return self.fates.total()

    @property
    def accepted(self) -> int:
        return sum(self.fates[fate] for fate in ACCEPTED)

    def of(self, whose: str) -> int:
        """Calls that were not accepted by that fault."""
        return sum(times for verdict, times in self.faults.items() if verdict.whose == whose)

    @property
    def errors(self) -> int:
        return sum(issue.severity is Severity.ERROR for issue in self.result.issues)

    def line(self) -> str:
        """For whoever watches."""
        if self.failed:
            return f"{self.name:42s} FAILED {self.failed}"
        faults = ", ".join(f"{whose} {self.of(whose)}" for whose in WHOSE if self.of(whose))
        return (
            f"{self.name:42s} {self.version:6s} {self.result.tools:4d}/{self.operations:4d} tools,"
            f" {self.errors} errors, {len(self.result.name_faults)} names,"
            f" {self.accepted}/{self.calls} accepted, {self.unmade} unmade,"
            f" structure {self.structured}/{self.structured + self.unstructured},"
            f" escaped {self.escaped}/{self.hostile},"
            f" {self.result.import_seconds[1]:.1f}+{self.result.load_seconds[1]:.1f} s; {faults}"
        )

    def cells(self) -> str:
        cells = [
            *(f"`{self.name}`", self.version, self.operations, self.result.tools, self.calls),
            *(self.accepted, self.of("prism"), self.of("document"), self.of("importer")),
            f"{self.structured} of {self.structured + self.unstructured}",
            f"{self.result.tokens:,}",
            f"{self.result.import_seconds[0]:.2f} s",
            f"{self.result.load_seconds[0]:.2f} s",
        ]
        return f"| {' | '.join(str(cell) for cell in cells)} |"


def report(rows: Sequence[Row], large: str) -> str:
    """The page's measured part."""
    rejected = sum((row.faults for row in rows), Counter[Verdict]())
    skipped = Counter(note.text for row in rows for note in row.result.skipped)
    parts = [
        [_summary(rows)],
        [large],
        [HEAD, *(row.cells() for row in rows)],
        [
            WHY,
            *(f"| {whose} | {why} | {times} |" for (whose, why), times in rejected.most_common()),
        ],
        [SKIPPED, *(f"| {times} | {why} |" for why, times in skipped.most_common())],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def write(page: Path, text: str) -> None:
    """Put it between the marks of the page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def _summary(rows: Sequence[Row]) -> str:
    read = [row for row in rows if not row.failed]
    operations = sum(row.operations for row in rows)
    tools = sum(row.result.tools for row in read)
    calls, accepted = sum(row.calls for row in read), sum(row.accepted for row in read)
    unanswered = sum(row.fates[Fate.UNANSWERED] for row in read)
    prism = sum(row.of("prism") for row in read)
    aside = prism + sum(row.of("document") for row in read)
    structured = sum(row.structured for row in read)
    json_answers = structured + sum(row.unstructured for row in read)
    names = sum(len(row.result.name_faults) for row in read)
    hostile, escaped = sum(row.hostile for row in read), sum(row.escaped for row in read)
    lines = [
        ("documents imported", _share(len(read), len(rows)), "86 %"),
        ("operations imported", _share(tools, operations), "81 %"),
        ("calls that prism accepted", _share(accepted, calls), "77 %"),
        ("… to which it then could make up no answer", _share(unanswered, accepted), ""),
        ("accepted, without those that prism misreads", _share(accepted, calls - prism), ""),
        ("accepted, without contradictions of documents too", _share(accepted, calls - aside), ""),
        ("JSON answers with `structuredContent`", _share(structured, json_answers), ""),
        ("schemas that no arguments meet", str(sum(row.unmade for row in read)), ""),
        ("names over 64 characters, or twice", str(names), ""),
        ("hostile path values that left their segment", f"{escaped} of {hostile:,}", ""),
    ]
    table = ["| | capgate | FastMCP 4.1.2 |", "|---|---|---|"]
    return "\n".join(table + [f"| {' | '.join(line)} |" for line in lines])


def _share(part: int, whole: int) -> str:
    return f"{part / whole * 100:.1f} % ({part:,} of {whole:,})" if whole else ""
