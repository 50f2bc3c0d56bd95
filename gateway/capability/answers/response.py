"""HttpResponse -> ToolResult, in the order of §6: rules, decode, select, limit, map, output,
redact, size cap, content blocks.

A body that nobody asked to change passes through unread: checked, without blanks, as the API wrote
it. An error never carries `structuredContent`: errors are raised, results are successes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from gateway.capability import media_types
from gateway.capability.answers import binary, decode, truncate
from gateway.capability.answers.decode import Answer
from gateway.capability.answers.head import Head
from gateway.capability.answers.mapping import Selection
from gateway.capability.answers.output import Output
from gateway.capability.answers.rules import Rules
from gateway.capability.answers.scrub import scrubbed
from gateway.capability.compiled import Oversize, TryAgain
from gateway.capability.expressions.template import Template
from gateway.capability.file.model import As
from gateway.credentials.redact import Redactor
from gateway.domain.client import NOTHING
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BadResponse, OutputMismatch
from gateway.http.message import HttpResponse

EMPTY: Final = frozenset({204, 205})
BLANKS: Final = b" \t\r\n"
QUOTE: Final = ord('"')
MOST_TOLD: Final = 200  # characters of a body that is not what it says
MOST_TYPE: Final = 60  # characters of a media type
REPEATS: Final = "the answer repeats a secret of this gateway"


@dataclass(frozen=True, slots=True)
class ResponseMap:
    """`read` gives a result, or the wish to try again. Raises UpstreamFailed and BadResponse.

    `who` is the tool in messages. `optional` are the arguments that could narrow a result.
    """

    who: str
    rules: Rules
    redactor: Redactor
    as_: As
    selection: Selection
    text: Template | None
    output: Output | None
    max_bytes: int
    optional: tuple[str, ...]
    constants: Mapping[str, Any]  # `vars` of the file
    lists: frozenset[str] = frozenset()  # names of XML that are lists

    @property
    def needs_json(self) -> bool:
        """Text that happens to be JSON is read as JSON, and other text is an error."""
        return not self.selection.whole or self.output is not None

    def read(self, args: JsonObject, response: HttpResponse) -> ToolResult | TryAgain | Oversize:
        answer = Answer(response, self.as_, self.lists)
        outcome = self.rules.judge(args, answer)
        if isinstance(outcome, TryAgain):
            return outcome
        if outcome == "empty":
            return self._result(self.selection.empty, args)
        if self.as_ == "text":
            return self._text(answer.text(), args)
        if answer.status in EMPTY or not answer.body.strip(BLANKS):
            return self._selected({}, args, answer)
        if answer.kind == "xml":
            return self._xml(answer, args)
        if answer.kind == "json" or self.needs_json:
            return self._json(answer, args)
        return self._other(answer, args)

    def body(self, args: JsonObject, response: HttpResponse) -> Any | TryAgain:
        """The answer judged and decoded, and no more: for a page, a step or a look at a job.

        Nothing is `{}`. Raises UpstreamFailed and BadResponse.
        """
        answer = Answer(response, self.as_, self.lists)
        outcome = self.rules.judge(args, answer)
        if isinstance(outcome, TryAgain):
            return outcome
        if outcome == "empty" or answer.status in EMPTY or not answer.body.strip(BLANKS):
            return {}
        if answer.kind == "text":
            return answer.text()
        try:
            return self._value(answer)
        except ValueError as error:
            raise self._unreadable(answer, str(error)) from None

    def part(self, args: JsonObject, response: HttpResponse) -> Any | TryAgain:
        """What a step's answer comes to for those after it. Raises UpstreamFailed, BadResponse."""
        body = self.body(args, response)
        if isinstance(body, TryAgain) or self.selection.whole:
            return body
        return self.selection.apply(body, {"args": args, "vars": self.constants}, response)

    def asked(self, args: JsonObject) -> int | None:
        """How many elements of a list that is the whole body can be in the result at most."""
        if self.selection.path is not None or self.selection.limit is None:
            return None
        return self.selection.most({"args": args, "vars": self.constants})

    def finish(self, value: Any, args: JsonObject, meta: JsonObject = NOTHING) -> ToolResult:
        """The result of a flow: `value` selected, mapped and cut to size. `meta` joins its own."""
        result = self._selected(value, args)
        return replace(result, meta={**(result.meta or {}), **meta}) if meta else result

    def _json(self, answer: Answer, args: JsonObject) -> ToolResult:
        try:
            if self.text is None and not self.needs_json:
                tight = decode.compact(answer.utf8())
                if tight and self._passes(tight):
                    return ToolResult(({"type": "text", "text": tight.decode()},), tight)
            body = self._value(answer)
        except ValueError as error:
            raise self._unreadable(answer, str(error)) from None
        return self._selected(body, args, answer)

    def _xml(self, answer: Answer, args: JsonObject) -> ToolResult:
        """What only says that it is XML may be text all the same."""
        try:
            body = self._value(answer)
        except ValueError as error:
            if self.as_ == "xml" or self.needs_json:
                raise self._unreadable(answer, str(error)) from None
            return self._text(answer.text(), args)
        return self._selected(body, args, answer)

    def _value(self, answer: Answer) -> Any:
        """Its value; a body that nobody looks at may be unreadable."""
        return {} if self.selection.bodiless else answer.value()

    def _passes(self, data: bytes) -> bool:
        """JSON that may go out as it is; a lone text goes without its quotes."""
        fits = len(data) <= self.max_bytes and data[0] != QUOTE
        return fits and self.redactor.data(data) is data

    def _unreadable(self, answer: Answer, reason: str) -> BadResponse:
        told = self._shown(answer.text(), MOST_TOLD)
        type_ = self._type(answer) or "something"
        kind = "XML" if answer.kind == "xml" else "JSON"
        text = f"{self.who} answered with {type_} that cannot be read as {kind} ({reason}): {told}"
        return BadResponse(self.redactor.text(text))

    def _type(self, answer: Answer) -> str:
        """The media type as the API spells it."""
        return self._shown(answer.headers.get("content-type", "").partition(";")[0], MOST_TYPE)

    def _shown(self, text: str, most: int) -> str:
        """Redacted before it is cut: half a secret would not be found."""
        return decode.snippet(self.redactor.text(text), most)

    def _selected(self, body: Any, args: JsonObject, head: Head | None = None) -> ToolResult:
        if not self.selection.whole:
            body = self.selection.apply(body, {"args": args, "vars": self.constants}, head)
        return self._result(body, args)

    def _result(self, value: Any, args: JsonObject) -> ToolResult:
        """`value` promised, redacted and cut, with its text."""
        if self.output is not None:
            value = self._fitted(value, self.output)
        data = msgspec.json.encode(value)
        if self.redactor.data(data) is not data:
            value, data = scrubbed(value, self.redactor)
        if len(data) <= self.max_bytes:
            return self._told(value, data, args)
        cut, unused = truncate.fit(value, data, self.max_bytes), self._unused(args)
        if self.output is not None and not self.output.allows(cut.value):
            text = f"{self.who} answered with {len(data)} bytes, more than {self.max_bytes}"
            hint = f"narrow it with {', '.join(unused)}" if unused else None
            raise BadResponse(text, hint=hint)
        told = self._told(cut.value, cut.data, args)
        return ToolResult((told.content[0], _text(cut.notice(unused))), cut.data, meta=cut.meta)

    def _fitted(self, value: Any, output: Output) -> Any:
        try:
            return output.fitted(value)
        except OutputMismatch as error:
            data = msgspec.json.encode(value)
            if self.redactor.data(data) is data:
                raise
            hidden = OutputMismatch(self.redactor.text(str(error)))
        output.fitted(scrubbed(value, self.redactor)[0])  # half a secret must not be quoted either
        raise hidden

    def _told(self, value: Any, data: bytes | None, args: JsonObject) -> ToolResult:
        """What the model reads: the author's text, a lone text as it is, else JSON."""
        said = None
        if self.text is not None:
            said = self.text.text({"args": args, "vars": self.constants, "result": value})
        if isinstance(said, str):
            return self._cut(self.redactor.text(said), data, args)
        text = value if isinstance(value, str) or data is None else data.decode()
        return ToolResult((_text(text),), data)

    def _cut(self, text: str, data: bytes | None, args: JsonObject) -> ToolResult:
        """`text` as it is, or what fits of it and a word about that."""
        short = truncate.fit_text(text, self.max_bytes)
        if short is text:
            return ToolResult((_text(text),), data)
        what = f"{truncate.spaced(len(text))} characters in all"
        notice = truncate.advise(what, self._unused(args))
        return ToolResult((_text(short), _text(notice)), data, meta={"truncated": True})

    def _other(self, answer: Answer, args: JsonObject) -> ToolResult | Oversize:
        """Text, or a block of bytes."""
        if answer.kind == "text":
            return self._text(answer.text(), args)
        type_ = media_types.of_bytes(answer.media.type, answer.body)
        if self.as_ == "auto" and answer.kind == "other":
            text = decode.sniff(answer.body)
            if text is not None:
                return self._text(text, args)
        if self.redactor.data(answer.body) is not answer.body:
            raise BadResponse(REPEATS)
        told = self._shown(type_, MOST_TYPE)
        said = answer.headers.get("content-type", "")
        if self.redactor.text(said) is not said:  # small letters hide it
            told = media_types.BINARY
        if len(answer.body) > self.max_bytes:
            name = binary.name_of(answer.headers, self.who.rpartition(".")[2], type_)
            return Oversize(self.redactor.text(name), told, answer.body)
        uri = f"capability://{self.who.replace('.', '/')}"
        return ToolResult((binary.block(told, answer.body, uri),))

    def _text(self, text: str, args: JsonObject) -> ToolResult:
        if self.output is not None:
            return self._result(text, args)
        text = self.redactor.text(text)
        if self.text is not None:
            return self._told(text, None, args)
        return self._cut(text, None, args)

    def _unused(self, args: JsonObject) -> list[str]:
        return [name for name in self.optional if name not in args]


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}
