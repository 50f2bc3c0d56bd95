"""What to tell whoever imported a document about all of it: what to choose, what to set."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from gateway.importers.openapi.choosing import Options
from gateway.importers.openapi.grouping import Group
from gateway.importers.wording import printable_line

MANY = 50  # tools
FEW = 12  # tags that are named


def advice(wanted: Options, groups: Sequence[Group], tags: Collection[str]) -> Iterator[str]:
    """`tags` are those of all operations, chosen or not."""
    tools = sum(len(each.operations) for each in groups)
    if not tools:
        yield (
            f"no operation is chosen{_tags(tags)}"
            if wanted.chooses
            else "the document has no operations"
        )
    if tools > MANY and not wanted.chooses:
        text = (
            f"{tools} tools are more than a model chooses well from: --tag, --path and --operation"
        )
        yield f"{text} take a part{_tags(tags)}"
    if tools and not any(each.credential.auth or each.credential.notes for each in groups):
        yield "the document names no credentials: add auth: if the API wants any"


def to_set(sources: Iterable[str]) -> Iterator[str]:
    """`sources`: those of secrets, `env:NAME`."""
    names = dict.fromkeys(source.removeprefix("env:") for source in sources)
    if names:
        yield f"set {', '.join(names)} where the gateway is started"


def _tags(tags: Collection[str]) -> str:
    if not tags:
        return ""
    more = f" and {len(tags) - FEW} more" if len(tags) > FEW else ""
    return f"; its tags: {', '.join(printable_line(tag)[:40] for tag in list(tags)[:FEW])}{more}"
