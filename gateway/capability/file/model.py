"""The capability file, format 1, as frozen values: the shape of the YAML and nothing else.

Templates, paths and durations are still the author's text here; `compile.py` turns them into what a
call needs. The JSON Schema in `schemas/` is generated from these classes: the text below a field is
what an editor shows.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, field

from gateway import credentials
from gateway.capability.file.units import DURATION, SIZE
from gateway.credentials import session

BACKEND_NAME = r"^[a-z][a-z0-9_]{0,31}$"
TOOL_NAME = r"^[a-z][a-z0-9_]{0,47}$"
ARGUMENT_NAME = r"^[A-Za-z0-9_.-]{1,64}$"  # what the model providers accept
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110 §5.6.2
METHODS = ("get", "post", "put", "patch", "delete", "head")
BODIES = ("json", "form", "multipart", "text", "xml", "bytes", "graphql")

_METHOD = "the method is the key of the path, such as get: /items"
_ARGS = "arguments stand below args:, each by its name, such as id: {type: string, required: true}"
_KEY = 'write header: {X-Api-Key: "{{ secrets.key }}"}, or query: {key: …}'
_RETRY = "such as retry: {max: 3}"
_BODY = f"write one of {', '.join(f'{body}:' for body in BODIES)}"
_BELOW = "stands below response:"
ADVICE: dict[str, str] = {  # place → what to write there, or in place of a key of other formats
    "capability": "write capability: 1",
    "description": "what the API offers, in one line",
    "base_url": "such as base_url: https://api.example.com/v2",
    "tools": "each tool by its name, such as get_item:, and below it what it does and calls",
    "auth": 'such as auth: {bearer: "{{ secrets.token }}"}',
    "auth.api_key": _KEY,
    "auth.key": _KEY,
    "auth.token": 'write bearer: "{{ secrets.token }}"',
    "auth.type": "the kind is the key, such as bearer:",
    "retry": _RETRY,
    "openapi": "an OpenAPI document: capgate import openapi FILE makes capability files of it",
    "swagger": "an OpenAPI document: capgate import openapi FILE makes capability files of it",
    "fulcrum": "a file of mcp-gateway: capgate convert FILE OUT makes a capability file of it;"
    " or serve its folder as it is: capabilities: {directories: [{path: FOLDER, compat: fulcrum}]}",
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
    "tools.*.body": _BODY,
    "tools.*.data": _BODY,
    "tools.*.retry": _RETRY,
    "tools.*.paginate": "such as {items: $.data, cursor: {from: $.next, query: after}}",
    "tools.*.paginate.items": "a JSONPath: what to collect of each page, such as items: $.data",
    "tools.*.paginate.limit": "a page has size: {query: limit, value: 50}, all of them max_items",
    "tools.*.poll": "such as {until: body.state == 'done', then: $.result}; {} goes by Location",
    "tools.*.response.as": "pictures, sounds and any other bytes are binary, text and CSV text",
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
Text = Annotated[str, Meta(min_length=1)]
Named = Annotated[str, Meta(pattern=r"\S")]
PathTemplate = Annotated[
    str, _named("^/", "the path starts with '/'; what is before it stands in base_url")
]
StepTarget = Annotated[
    str,
    _named(
        r"^(/|\{\{)",
        "the path starts with '/'; or all of it is a URL that an earlier step was given, such as"
        ' "{{ steps.start.location }}"',
    ),
]
Source = Annotated[str, Meta(extra_json_schema={"pattern": "^(env|file|keyring):."})]
BaseUrl = Annotated[str, Meta(extra_json_schema={"pattern": _URL_PATTERN})]
Duration = Annotated[str, Meta(extra_json_schema={"pattern": DURATION})] | int | float
Size = Annotated[str, Meta(extra_json_schema={"pattern": SIZE})] | int
StatusCode = Annotated[int, Meta(ge=100, le=599)]
StatusClass = Annotated[str, _named("^[1-5]xx$", "a status is such as 404 or 4xx")]
HintName = Annotated[
    str, _one_of("title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
]
RequestPart = Annotated[str, _one_of("method", "url", "headers", *BODIES)]
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


As = Literal["auto", "json", "text", "xml", "binary", "sse", "ndjson"]


class Response(Strict, frozen=True):
    """From the answer to the result."""

    as_: As = field(name="as", default="auto")
    """How to read the body; `auto` goes by its content type."""
    select: str | None = None
    """A JSONPath: the part of the body that is the result."""
    map: dict[str, Any] | str | None = None
    """Name → JSONPath, `{path, default, decode}`, `{path, map}`, `{const}` or a map again; of each
    of a list.
    With `{header, as, default}` or `{status: true}` in it: of the answer, once."""
    limit: Annotated[int, Meta(ge=1)] | str | None = None
    """At most so many elements of a list; may be a template."""
    text: str | None = None
    """A template over `result` and `args`: the text the model reads in place of JSON."""
    max_bytes: Size | None = None
    """The largest result of this tool."""
    required: str | bool | None = None
    """The error when `select` finds nothing: a message, or true for a plain one."""
    each: str | None = None
    """Of a stream: a JSONPath, what of each event counts. It is told as progress, and kept."""
    join: str | bool | None = None
    """Of a stream: the texts become one, with this between them; true: with nothing."""


class GraphQL(Strict, frozen=True):
    """A GraphQL request; the query is literal, values go into the variables."""

    query: str
    """The operation. It may hold no template."""
    variables: dict[str, Any] = {}
    """Its variables, with templates."""


class Part(Strict, frozen=True):
    """A file in a multipart body."""

    data: str
    """A template that gives its bytes, such as `"{{ args.file | b64decode }}"`, or its text."""
    filename: str | None = None
    """Its name, a template; path parts, quotes and controls are taken out."""
    content_type: str | None = None
    """Its media type; else by the name's ending."""


class Cursor(Strict, frozen=True):
    """The next page is asked for with a value that this one gives."""

    from_: str = field(name="from")
    """A JSONPath: where in the answer the next cursor stands."""
    query: str | None = None
    """The query parameter that takes it. Exactly one of query, form, json and variable."""
    form: str | None = None
    """The member of the form that takes it."""
    json: str | None = None
    """Where in the JSON body it goes, such as `start_cursor` or `page.after`."""
    variable: str | None = None
    """The GraphQL variable that takes it."""


class Counted(Strict, frozen=True):
    """Pages by their number, or by how many items come before them."""

    query: str | None = None
    """The query parameter that takes the number. Exactly one of query, form, json and variable."""
    form: str | None = None
    """The member of the form that takes it."""
    json: str | None = None
    """Where in the JSON body it goes."""
    variable: str | None = None
    """The GraphQL variable that takes it."""
    start: int | None = None
    """The first page's number: 1 of `page`, 0 of `offset`."""


class PageSize(Strict, frozen=True):
    """How many items to ask for at once."""

    value: Annotated[int, Meta(ge=1)] | str
    """The number; may be a template."""
    query: str | None = None
    """The query parameter that takes it. Exactly one of query, form, json and variable."""
    form: str | None = None
    """The member of the form that takes it."""
    json: str | None = None
    """Where in the JSON body it goes."""
    variable: str | None = None
    """The GraphQL variable that takes it."""


class Paginate(Strict, frozen=True):
    """One call, several pages. Exactly one of cursor, page, offset, next_url and link."""

    items: str
    """A JSONPath: what to collect of each page."""
    cursor: Cursor | None = None
    """Each page tells what to ask for the next with."""
    page: Counted | None = None
    """Pages have numbers."""
    offset: Counted | None = None
    """Pages begin after so many items."""
    next_url: str | None = None
    """A JSONPath: where in the answer the URL of the next page stands."""
    link: Literal[True] | None = None
    """The `Link` header names the next page (RFC 8288)."""
    size: PageSize | None = None
    """How many items to ask for at once."""
    while_: str | None = field(name="while", default=None)
    """An expression over `status`, `headers` and `body`: go on while it holds."""
    max_pages: Annotated[int, Meta(ge=1, le=1000)] = 5
    """Requests of one call at most."""
    max_items: Annotated[int, Meta(ge=1, le=100_000)] = 200
    """Items of one result at most."""


class Poll(Strict, frozen=True):
    """A long job: the request starts it, then it is asked after until it is done."""

    url: str | None = None
    """A JSONPath: the job's URL in the first answer; else its `Location` header."""
    every: Duration = "2s"
    """Between two looks; `Retry-After` goes before it."""
    max_wait: Duration = "60s"
    """For the whole job."""
    until: str | None = None
    """An expression over `status`, `headers` and `body` that says it is over; else: not 202."""
    fail_when: str | None = None
    """An expression that says it failed."""
    message: str | None = None
    """What the model reads then; a template over `args`, `status`, `headers` and `body`."""
    progress: str | None = None
    """A JSONPath: a number that tells how far it is, told to the client."""
    then: str | None = None
    """A JSONPath: the URL of the result in the last answer; else that answer is the result."""


class Example(Strict, frozen=True):
    """Docs, test and mock in one: what must come of `args`."""

    args: dict[str, Any] = {}
    """Arguments as a caller gives them."""
    request: dict[RequestPart, Any] | None = None
    """The request that must go out, the credentials apart."""
    reply: dict[ReplyPart, Any] | None = None
    """What the API answers to it."""
    requests: tuple[dict[RequestPart, Any], ...] = ()
    """In the place of `request`, where a call sends several: all of them, in order."""
    replies: tuple[dict[ReplyPart, Any], ...] = ()
    """In the place of `reply`: the answers to them."""
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


class RequestSpec(Strict, frozen=True, kw_only=True):
    """One request: exactly one method with its path, and at most one body."""

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
    multipart: dict[str, Any] | None = None
    """The body as `multipart/form-data`: name → value, or a file with `data`."""
    text: str | None = None
    """The body as text. Nothing is escaped in it."""
    xml: str | None = None
    """The body as XML; values are escaped."""
    bytes: str | None = None
    """The body as bytes: a template that gives bytes, such as `"{{ args.data | b64decode }}"`."""
    graphql: GraphQL | None = None
    """The body as a GraphQL request."""


class Session(session.Session, frozen=True):
    """Either a `login`, done once and again when its session has ended, or a `handshake`."""

    login: RequestSpec | None = None
    """The request that logs in: a method with its path, and `query`, `headers` or a body."""
    expires: Duration | None = None
    """How long a session lives, such as `30m`; without it, until it is refused."""


class Auth(credentials.Auth, frozen=True):
    """Exactly one of these. Texts are templates over `secrets` and `vars`."""

    session: Session | None = None
    """A login whose token or cookies are shown from then on, or a handshake."""


class Step(RequestSpec, frozen=True, kw_only=True):
    """One of several requests of a call; what came of it is `steps.ID` to those after it."""

    id: VariableName
    """Its name."""
    get: StepTarget | None = None
    """GET this path, or the URL that an earlier step was given: `{{ steps.ID.location }}`."""
    post: StepTarget | None = None
    """POST to this path, or to the URL that an earlier step was given."""
    put: StepTarget | None = None
    """PUT to this path, or to the URL that an earlier step was given."""
    patch: StepTarget | None = None
    """PATCH this path, or the URL that an earlier step was given."""
    delete: StepTarget | None = None
    """DELETE this path, or the URL that an earlier step was given."""
    head: StepTarget | None = None
    """HEAD this path, or the URL that an earlier step was given."""
    when: str | None = None
    """An expression over `args`, `vars` and `steps`: the step is left out unless it holds."""
    response: Response | None = None
    """From the answer to what the steps after it read."""
    errors: tuple[ErrorRule, ...] = ()
    """Asked before those of the tool and the file."""
    timeout: Duration | None = None
    """Of one attempt, in place of the tool's."""


def wanted(spec: "ToolSpec | Step") -> As:
    """How its answer is to be read."""
    return spec.response.as_ if spec.response else "auto"


class ToolSpec(RequestSpec, frozen=True, kw_only=True):
    """One tool: what the model reads, the arguments, the request and the response."""

    description: Described
    """What the tool does, for the model that chooses it. One or two sentences, the effect first."""
    title: str | None = None
    """A name for people."""
    tags: tuple[str, ...] = ()
    """Words to find the tool by, beside those of the description."""
    args: dict[ArgumentName, dict[str, Any]] = {}
    """Name → JSON Schema, with `required: true` beside it. All other arguments are refused."""
    steps: Annotated[tuple[Step, ...], Meta(max_length=10)] = ()
    """In place of a method: several requests, each of which can read what came of those before."""
    paginate: Paginate | None = None
    """Fetch several pages, and give their items as one list."""
    poll: Poll | None = None
    """Wait for a job that the request starts."""
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


class Tls(Strict, frozen=True):
    """Files in PEM. Paths are from the capability file's folder."""

    ca: str | None = None
    """Whom to trust, in place of the system's authorities."""
    cert: str | None = None
    """Our certificate, with the authorities between."""
    key: str | None = None
    """Its private key; else it stands in the certificate's file."""


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
    """Name → `env:VARIABLE`, `file:PATH` or `keyring:SERVICE/NAME`. Templates of requests say
    `{{ secrets.name }}`."""
    vars: dict[VariableName, Any] = {}
    """Name → constant. Templates say `{{ vars.name }}`; `${VAR:-default}` is read at load."""
    auth: Auth | Literal["none"] | None = None
    """What proves to the API who we are."""
    tls: Tls | None = None
    """Certificates: whom to trust, and who we are. For all that this file sends."""
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
