"""Whether the keys of `response:` go together: what is read as text or bytes has no parts."""

from typing import Final

from gateway.capability.answers.mapping import Late, Selection
from gateway.capability.answers.xml_lists import torn
from gateway.capability.expressions.place import Place
from gateway.capability.file.model import As, Response, ToolSpec

STREAMS: Final[frozenset[As]] = frozenset({"sse", "ndjson"})


def check_reading(
    spec: ToolSpec | None, given: Response, selection: Selection, place: Place
) -> None:
    """Faults are reported to `place`, which stands at `response`. `spec` None: of a step."""
    if given.as_ in {"text", "binary"} and not selection.whole:
        hint = f"remove 'as: {given.as_}'"
        place.at("as").fault(f"{given.as_} has nothing to select or map", hint)
    if given.as_ == "binary" and (given.text is not None or (spec and spec.output is not None)):
        place.at("as").fault("bytes have no 'text' and no 'output'", "remove one of them")
    if given.as_ == "xml" and spec is not None:
        for name in torn(spec):
            text = f"{name!r} is a list, as one path takes elements out of it; another takes a name"
            place.warn(text, f"such as {name}[0] for the first, or {name}[*] for all of them")
    _check_one_answer(spec, given, selection, place.at("map"))
    if streams(given):
        _check_stream(spec, given, place)
        return
    for key in ("each", "join"):
        if getattr(given, key) is not None:
            place.at(key).fault(f"{key!r} is of a stream", "as: sse, or as: ndjson")


def _check_one_answer(
    spec: ToolSpec | None, given: Response, selection: Selection, place: Place
) -> None:
    """A header and the status are of one answer: the one whose body the result is made of."""
    if spec is None or not isinstance(selection.map, Late):
        return
    what = "a header or the status is of one answer, and"
    if spec.steps:
        hint = "put it into the response of the step, and read it as $.ID.name here"
        place.fault(f"{what} here are several steps", hint)
    elif spec.paginate is not None:
        place.fault(f"{what} here is one for each page", "make it a tool of its own")
    elif streams(given):
        place.fault(f"{what} a stream is a list of events", "make it a tool of its own")


def streams(given: Response | None) -> bool:
    return given is not None and given.as_ in STREAMS


def _check_stream(spec: ToolSpec | None, given: Response, place: Place) -> None:
    if spec is None:
        place.at("as").fault("a step has no stream", "make it a tool of its own")
        return
    for key in ("paginate", "poll", "steps"):
        if getattr(spec, key):
            place.at("as").fault(f"a stream, and {key!r} too", "make them two tools")
    if spec.cache:
        place.at("as").fault("a stream cannot be kept", "remove 'cache'")
    if given.join not in (None, False) and (given.select is not None or given.map is not None):
        place.at("join").fault("joined texts have nothing to select or map", "use 'each'")
