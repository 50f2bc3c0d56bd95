"""The capability file, format 1, as frozen values: the shape of the YAML and nothing else.

Templates, paths and durations are still the author's text here; `compile.py` turns them into what a
call needs. The JSON Schema in `schemas/` is generated from these classes: the text below a field is
what an editor shows. A key the format knows but this version does not support yet stands in `LATER`
and is refused with that reason.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, field

from gateway.capability.units import DURATION, SIZE
from gateway.credentials import Auth

BACKEND_NAME = r"^[a-z][a-z0-9_]{0,31}$"
TOOL_NAME = r"^[a-z][a-z0-9_]{0,47}$"
ARGUMENT_NAME = r"^[A-Za-z0-9_.-]{1,64}$"  # what the model providers accept
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110 §5.6.2
METHODS = ("get", "post", "put", "patch", "delete", "head")
BODIES = ("json", "form", "text", "bytes", "graphql")

LATER: dict[str, tuple[str, ...]] = {  # place → keys of format 1 that a later version brings
    "": ("tls",),
    "auth": ("oauth2", "digest", "aws_sigv4", "hmac", "session", "forward"),
    "tools.*": ("paginate", "poll", "steps", "multipart", "xml"),
    "tools.*.response": ("each", "join"),
    "tools.*.response.as": ("binary", "xml", "sse", "ndjson"),
    "tools.*.examples.*": ("requests", "replies"),
    "secrets": ("keyring:",),
}

_METHOD = "the method is the key of the path, such as get: /items"
_ARGS = "arguments stand below args:, each by its name, such as id: {type: string, required: true}"
_RETRY = "such as retry: {max: 3}"
_BELOW = "stands below response:"
ADVICE: dict[str, str] = {  # place → what to write there, or in place of a key of other formats
    "capability": "write capability: 1",
    "description": "what the API offers, in one line",
    "base_url": "such as base_url: https://api.example.com/v2",
    "tools": "each tool by its name, such as get_item:, and below it what it does and calls",
    "auth": 'such as auth: {bearer: "{{ secrets.token }}"}',
    "auth.api_key": 'write header: {X-Api-Key: "{{ secrets.key }}"}, or query: {key: …}',
    "auth.token": 'write bearer: "{{ secrets.token }}"',
    "auth.type": "the kind is the key, such as bearer:",
    "retry": _RETRY,
    "openapi": "an OpenAPI document: write a capability file with the calls of it that you need",
    "swagger": "an OpenAPI document: write a capability file with the calls of it that you need",
    "fulcrum": "a file of another format: write a capability file in its place",
    "tools.*.name": "the name of a tool is its key below tools:",
    "tools.*.description": "what the tool does, for the model that chooses it",
    "tools.*.method": _METHOD,
    "tools.*.path": _METHOD,
    "tools.*.url": _METHOD,
    "tools.*.endpoint": _METHOD,
    "tools.*.args": _ARGS,
    "tools.*.args.*": "such as {type: string, required: true}",
    "tools.*.arguments": _ARGS,
    "tools.*.inputs": _ARGS,
    "tools.*.inputSchema": _ARGS,
    "tools.*.parameters": _ARGS,
    "tools.*.params": "for ?name=value write query:; what a caller may give stands below args:",
    "tools.*.required": "write required: true beside each argument that must be given",
    "tools.*.body": "write one of json:, form:, text:, bytes:, graphql:",
    "tools.*.data": "write one of json:, form:, text:, bytes:, graphql:",
    "tools.*.retry": _RETRY,
    "tools.*.response": "such as response: {select: $.items}",
    "tools.*.select": _BELOW,
    "tools.*.map": _BELOW,
    "tools.*.limit": _BELOW,
    "tools.*.examples.*.request": "such as request: {url: https://api.example.com/items/1}",
    "tools.*.examples.*.reply": "such as reply: {json: {id: 1}}",
}

_VARIABLE = r"\$\{[^}\s]*\}"
_URL_PATTERN = rf"^(https?://|{_VARIABLE})([^?#@{{}}\s]|{_VARIABLE})*$"


def _named(pattern: str, hint: str) -> Meta:
    return Meta(pattern=pattern, extra={"hint": hint})


def _one_of(*names: str) -> Meta:
    return Meta(pattern=f"^({'|'.join(names)})$", extra={"one_of": names})


BackendName = Annotated[
    str, _named(BACKEND_NAME, "a-z, 0-9 and '_', a letter first, at most 32 characters")
]
ToolName = Annotated[
    str, _named(TOOL_NAME, "a-z, 0-9 and '_', a letter first, at most 48 characters")
]
ArgumentName = Annotated[
    str, _named(ARGUMENT_NAME, "letters, digits, '_', '.' and '-', at most 64 characters")
]
VariableName = Annotated[str, _named(VARIABLE_NAME, "letters, digits and '_', no digit first")]
HeaderName = Annotated[str, _named(HEADER_NAME, "a header name has no space and no colon")]
Described = Annotated[str, Meta(min_length=1, max_length=1024)]
PathTemplate = Annotated[
    str, _named("^/", "the path starts with '/'; what is before it stands in base_url")
]
Source = Annotated[str, Meta(extra_json_schema={"pattern": "^(env|file):."})]
BaseUrl = Annotated[str, Meta(extra_json_schema={"pattern": _URL_PATTERN})]
Duration = Annotated[str, Meta(extra_json_schema={"pattern": DURATION})] | int | float
Size = Annotated[str, Meta(extra_json_schema={"pattern": SIZE})] | int
StatusCode = Annotated[int, Meta(ge=100, le=599)]
StatusClass = Annotated[str, _named("^[1-5]xx$", "a status is such as 404 or 4xx")]
HintName = Annotated[
    str, _one_of("title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
]
RequestPart = Annotated[
    str, _one_of("method", "url", "headers", "json", "form", "text", "bytes", "graphql")
]
ReplyPart = Annotated[str, _one_of("status", "headers", "json", "text", "base64")]


class Strict(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are refused; `x-*` keys are dropped before conversion."""


class Retry(Strict, frozen=True):
    """When to try a call again. It is tried again only where that is safe."""

    max: Annotated[int, Meta(ge=0, le=10)] = 2
    """Attempts beyond the first; 0 turns retries off."""
    on: tuple[StatusCode, ...] = (429, 502, 503, 504)
    """The statuses that are worth another attempt."""
    max_wait: Duration = "20s"
    """No single wait is longer; a longer `Retry-After` fails the call at once."""


class Cache(Strict, frozen=True):
    """How long an answer may be given again."""

    ttl: Duration
    """How long it counts as fresh, such as `5m`."""
    revalidate: bool = False
    """Then ask with its ETag or date whether it still holds, in place of fetching it anew."""


class Limits(Strict, frozen=True):
    """Sizes, such as `40k`, `4m` or a number of bytes."""

    max_bytes: Size = "40k"
    """The largest result; a larger one is cut where its structure allows."""
    transfer: Size = "10m"
    """The largest response body, decompressed; a larger one is an error."""


class ErrorRule(Strict, frozen=True):
    """What an answer means. The first rule that matches decides."""

    status: StatusCode | StatusClass | tuple[StatusCode | StatusClass, ...] | None = None
    """A code, a class such as `4xx`, or a list of them."""
    when: str | None = None
    """An expression over `status`, `headers` and `body`, such as `body.ok == false`."""
    then: Literal["fail", "retry", "ok", "empty"] = "fail"
    """`fail`, with the message; `retry`; `ok`: no error after all; `empty`: a result of nothing."""
    message: str | None = None
    """What the model reads; a template over `args`, `status`, `headers` and `body`."""


class Response(Strict, frozen=True):
    """From the answer to the result."""

    as_: Literal["auto", "json", "text"] = field(name="as", default="auto")
    """How to read the body; `auto` goes by its content type."""
    select: str | None = None
    """A JSONPath: the part of the body that is the result."""
    map: dict[str, Any] | str | None = None
    """Name → JSONPath, `{path, default}`, `{const}` or a map again; of each element of a list."""
    limit: Annotated[int, Meta(ge=1)] | str | None = None
    """At most so many elements of a list; may be a template."""
    text: str | None = None
    """A template over `result` and `args`: the text the model reads in place of JSON."""
    max_bytes: Size | None = None
    """The largest result of this tool."""
    required: str | bool | None = None
    """The error when `select` finds nothing: a message, or true for a plain one."""


class GraphQL(Strict, frozen=True):
    """A GraphQL request; the query is literal, values go into the variables."""

    query: str
    """The operation. It may hold no template."""
    variables: dict[str, Any] = {}
    """Its variables, with templates."""


class Example(Strict, frozen=True):
    """Docs, test and mock in one: what must come of `args`."""

    args: dict[str, Any] = {}
    """Arguments as a caller gives them."""
    request: dict[RequestPart, Any] | None = None
    """The request that must go out, the credentials apart."""
    reply: dict[ReplyPart, Any] | None = None
    """What the API answers to it."""
    result: Any = UNSET
    """The result that must come of the reply."""
    error: str | None = None
    """The error message that must come of the reply."""
    rejected: Literal["args", "path", "header", "size"] | None = None
    """The arguments must be refused, because of this; nothing is sent."""


class Constraint(Strict, frozen=True):
    """A rule over several arguments."""

    check: str
    """An expression over `args` that must hold."""
    message: str
    """What to say when it does not."""


class ToolSpec(Strict, frozen=True):
    """One tool: what the model reads, the arguments, the request and the response."""

    description: Described
    """What the tool does, for the model that chooses it. One or two sentences, the effect first."""
    title: str | None = None
    """A name for people."""
    tags: tuple[str, ...] = ()
    """Words to find the tool by, beside those of the description."""
    args: dict[ArgumentName, dict[str, Any]] = {}
    """Name → JSON Schema, with `required: true` beside it. All other arguments are refused."""
    get: PathTemplate | None = None
    """GET this path, such as `/repos/{{ args.owner }}`."""
    post: PathTemplate | None = None
    """POST to this path."""
    put: PathTemplate | None = None
    """PUT to this path."""
    patch: PathTemplate | None = None
    """PATCH this path."""
    delete: PathTemplate | None = None
    """DELETE this path."""
    head: PathTemplate | None = None
    """HEAD this path."""
    query: dict[str, Any] | str | None = None
    """Name → value. `"...": "{{ rest }}"` adds the arguments named nowhere else."""
    headers: dict[HeaderName, Any] = {}
    """Name → value, beside those of the file."""
    json: Any = UNSET
    """The JSON body. One `{{ … }}` alone keeps its type; what is not given is left out."""
    form: dict[str, Any] | str | None = None
    """The body as a form."""
    text: str | None = None
    """The body as text. Nothing is escaped in it."""
    bytes: str | None = None
    """The body as bytes: a template that gives bytes, such as `"{{ args.data | b64decode }}"`."""
    graphql: GraphQL | None = None
    """The body as a GraphQL request."""
    response: Response | None = None
    """From the answer to the result; without it the whole body is the result."""
    errors: tuple[ErrorRule, ...] = ()
    """Asked before the rules of the file."""
    cache: Cache | Duration | None = None
    """How long an answer may be given again, such as `5m`; 0 turns the file's off."""
    retry: Retry | None = None
    """In place of the file's."""
    timeout: Duration | None = None
    """Of one attempt, in place of the file's."""
    limits: Limits | None = None
    """In place of the file's."""
    idempotency_key: HeaderName | None = None
    """A header that carries one key for all attempts of a call, which makes it safe to repeat."""
    annotations: dict[HintName, bool | str] = {}
    """What the method tells wrongly: a POST that only reads has `readOnlyHint: true`."""
    output: dict[str, Any] | None = None
    """The JSON Schema of the result, after `map`."""
    constraints: tuple[Constraint, ...] = ()
    """Rules over several arguments."""
    examples: tuple[Example, ...] = ()
    """Run by `capgate validate`, served by `--mock`."""


class Capability(Strict, frozen=True):
    """One file: one REST API, one backend. `headers` to `limits` are defaults for every tool."""

    capability: Literal[1]
    """The version of the format."""
    description: Described
    """What the API offers, in one line."""
    base_url: BaseUrl
    """Origin and prefix, such as `https://api.example.com/v2`; it may read `${VAR:-default}`."""
    tools: Annotated[dict[ToolName, ToolSpec], Meta(min_length=1)]
    """Name → tool."""
    name: BackendName | None = None
    """The backend's name; the file's own when absent."""
    docs: str | None = None
    """Where the API is documented: for people who read the file."""
    version: str | int | float | None = None
    """Of this file or of the API, as you like: for people who read the file."""
    tags: tuple[str, ...] = ()
    """Words to find every tool of the file by."""
    enabled: bool = True
    """false keeps the file and serves nothing of it."""
    secrets: dict[VariableName, Source] = {}
    """Name → `env:VARIABLE` or `file:PATH`. Templates of requests say `{{ secrets.name }}`."""
    vars: dict[VariableName, Any] = {}
    """Name → constant. Templates say `{{ vars.name }}`; `${VAR:-default}` is read at load."""
    auth: Auth | Literal["none"] | None = None
    """What proves to the API who we are."""
    headers: dict[HeaderName, Any] = {}
    """Sent with every request."""
    query: dict[str, Any] = {}
    """Sent with every request."""
    timeout: Duration = "30s"
    """Of one attempt."""
    retry: Retry | None = None
    """When to try again."""
    cache: Cache | Duration | None = None
    """How long the answers of GET and HEAD may be given again."""
    errors: tuple[ErrorRule, ...] = ()
    """What the API's answers mean."""
    limits: Limits | None = None
    """Of results and response bodies."""
