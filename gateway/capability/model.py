"""The capability file, format 1, as frozen values: the shape of the YAML and nothing else.

Templates, paths and durations are still the author's text here; `compile.py` turns them into what a call
needs. The JSON Schema in `schemas/` is generated from these classes. A key the format knows but this version
does not support yet stands in `LATER` and is refused with that reason.
"""

from typing import Any, Literal

import msgspec

from gateway.credentials import Auth

BACKEND_NAME = r"^[a-z][a-z0-9_]{0,31}$"
TOOL_NAME = r"^[a-z][a-z0-9_]{0,47}$"
METHODS = ("get", "post", "put", "patch", "delete", "head")
BODIES = ("json", "form", "text", "bytes", "graphql")

LATER: dict[str, tuple[str, ...]] = {  # place → keys of format 1 that a later version brings
    "": ("tls",),
    "auth": ("oauth2", "digest", "aws_sigv4", "hmac", "session", "forward"),
    "tools.*": ("paginate", "poll", "steps", "multipart", "xml"),
    "tools.*.response": ("each", "join"),
    "tools.*.response.as": ("binary", "xml", "sse", "ndjson"),
    "secrets": ("keyring:",),
}


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are refused; `x-*` keys are dropped before conversion."""


class Retry(Strict):
    """`max` extra attempts on the statuses `on`; no wait longer than `max_wait` (a duration such as `20s`)."""

    max: int = 2
    on: tuple[int, ...] = (429, 502, 503, 504)
    max_wait: str | int = "20s"


class Cache(Strict):
    ttl: str | int
    revalidate: bool = False


class Limits(Strict):
    """Sizes such as `40k`, `4m` or plain bytes: `max_bytes` of a result, `transfer` of a decoded response body."""

    max_bytes: str | int = "40k"
    transfer: str | int = "10m"


class ErrorRule(Strict):
    """`status` is a code, a list of codes, or a class such as `4xx`; `when` an expression over `status`, `headers`, `body`."""

    status: int | str | tuple[int | str, ...] | None = None
    when: str | None = None
    then: Literal["fail", "retry", "ok", "empty"] = "fail"
    message: str | None = None


class Response(Strict):
    as_: Literal["auto", "json", "text"] = msgspec.field(name="as", default="auto")
    select: str | None = None
    map: dict[str, Any] | str | None = None
    limit: int | str | None = None
    text: str | None = None
    max_bytes: str | int | None = None
    required: str | bool | None = None


class GraphQL(Strict):
    query: str
    variables: dict[str, Any] = {}


class Example(Strict):
    """Docs, test and mock in one. `request`/`reply`/`result`/`error`/`rejected` are what must come of `args`."""

    args: dict[str, Any] = {}
    request: dict[str, Any] | None = None
    reply: dict[str, Any] | None = None
    result: Any = msgspec.UNSET
    error: str | None = None
    rejected: Literal["args", "path", "header", "size"] | None = None


class Constraint(Strict):
    """A rule over several arguments: `check` is an expression over `args` that must hold, `message` what to say if not."""

    check: str
    message: str


class ToolSpec(Strict):
    """One tool. Exactly one of the method keys is set; at most one body key."""

    description: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    args: dict[str, dict[str, Any]] = {}
    get: str | None = None
    post: str | None = None
    put: str | None = None
    patch: str | None = None
    delete: str | None = None
    head: str | None = None
    query: dict[str, Any] | str | None = None
    headers: dict[str, Any] = {}
    json: Any = msgspec.UNSET
    form: dict[str, Any] | str | None = None
    text: str | None = None
    bytes: str | None = None
    graphql: GraphQL | None = None
    response: Response | None = None
    errors: tuple[ErrorRule, ...] = ()
    cache: Cache | str | int | None = None
    retry: Retry | None = None
    timeout: str | int | None = None
    limits: Limits | None = None
    idempotency_key: str | None = None
    annotations: dict[str, Any] = {}
    output: dict[str, Any] | None = None
    constraints: tuple[Constraint, ...] = ()
    examples: tuple[Example, ...] = ()


class Capability(Strict):
    """One file: one REST API, one backend. The plain keys from `headers` to `limits` are defaults for every tool."""

    capability: Literal[1]
    description: str
    base_url: str
    tools: dict[str, ToolSpec]
    name: str | None = None
    docs: str | None = None
    version: str | int | float | None = None
    tags: tuple[str, ...] = ()
    enabled: bool = True
    secrets: dict[str, str] = {}
    vars: dict[str, Any] = {}
    auth: Auth | Literal["none"] | None = None
    headers: dict[str, Any] = {}
    query: dict[str, Any] = {}
    timeout: str | int = "30s"
    retry: Retry | None = None
    cache: Cache | str | int | None = None
    errors: tuple[ErrorRule, ...] = ()
    limits: Limits | None = None
