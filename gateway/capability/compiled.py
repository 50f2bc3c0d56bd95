"""What a capability file comes to: what a call needs, decided at load. The REST backend's contract.

Nothing here connects, waits or counts. A secret's value is looked up when a request is made, so a
rotated one is used at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.capability.file.model import Example, Tls
from gateway.credentials.redact import Redactor
from gateway.credentials.secret import Secrets
from gateway.credentials.union import AuthPlan
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, Tool, ToolResult
from gateway.errors import ToolNotFound, UpstreamFailed
from gateway.http.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from gateway.capability.flow import Run


@dataclass(frozen=True, slots=True)
class Plan:
    """How a tool's requests are carried out. Times in seconds, sizes in bytes.

    `timeout` is of one attempt. `retries` is how many attempts may follow the first, on the
    statuses `retry_on` and with no wait beyond `max_wait`; only if `idempotent`, else only while
    nothing was sent. `cache_ttl` is None when answers are not kept.
    """

    timeout: float
    retries: int
    retry_on: frozenset[int]
    max_wait: float
    idempotent: bool
    cache_ttl: float | None
    revalidate: bool
    transfer: int


@dataclass(frozen=True, slots=True)
class TryAgain:
    """An error rule said `then: retry`: try again where the plan allows, else raise `error`."""

    error: UpstreamFailed


@dataclass(frozen=True, slots=True)
class Oversize:
    """Bytes beyond the result cap, in the place of a result: whoever called keeps them as a file,
    and links to it.
    """

    name: str
    type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompiledTool:
    """One tool, in the order of a call.

    `prepare(given)` checks and completes the arguments; raises InvalidArguments. `request(args)`
    renders them, without the credential; raises InvalidArguments, or BackendUnavailable for a
    missing secret. `read(args, response)` gives the result; raises UpstreamFailed or BadResponse.
    Where there is a `run`, the call is a flow of several requests or a stream, and that is all of
    it: `request` is its first one then, and `read` is not asked. `examples` are for mocks and
    documentation.
    """

    tool: Tool
    plan: Plan
    prepare: Callable[[JsonObject], dict[str, Any]]
    request: Callable[[JsonObject], HttpRequest]
    read: Callable[[JsonObject, HttpResponse], ToolResult | TryAgain | Oversize]
    examples: tuple[Example, ...] = ()
    run: "Run | None" = None


@dataclass(frozen=True, slots=True)
class CompiledCapability:
    """One file. `digest` is the sha256 of its bytes; `origin` is such as `https://api.example.com`.

    `auth` is what the credential is opened with. `inbound` are the headers of a caller,
    in lower case, that it reads. The paths of `tls` are absolute. `redactor` knows the secrets.
    """

    name: str
    description: str
    file: str
    digest: str
    origin: str
    tools: Mapping[str, CompiledTool]
    issues: tuple[Issue, ...]
    secrets: Secrets
    auth: AuthPlan | None = None
    inbound: tuple[str, ...] = ()
    tls: Tls | None = None
    redactor: Redactor = field(default_factory=Redactor)

    def find(self, name: str) -> CompiledTool:
        """The tool of that name; raises ToolNotFound."""
        found = self.tools.get(name)
        if found is None:
            raise ToolNotFound(f"no tool {shown(name)} on server {self.name!r}")
        return found

    def listing(self, transport: str, health: Health) -> Listing:
        """As a backend offers it."""
        tools = tuple(compiled.tool for compiled in self.tools.values())
        return Listing(self.name, self.description, tools, health, transport)

    def health(self) -> Health:
        """Degraded while a secret is missing: that is looked up anew each time."""
        missing = self.secrets.missing()
        if missing:
            reason = f"missing secret {', '.join(missing)}"
            return Health(Status.DEGRADED, reason, self.issues)
        return Health(Status.OK, None, self.issues)
