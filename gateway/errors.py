"""Every error a caller can meet, by whose fault it is.

Each class has a stable `code` (documented in docs/operations.md) and says whether the same call
may succeed later (`retryable`). An instance knows how far the call got (`reached`) and may carry a
`hint`: what to do next, else what its class advises. Messages are lower case, without full stop:
what happened, where, why. They never hold a secret, a URL query or a traceback. They are raised
where they are known and translated once, in `server/endpoint.py`.
"""

import contextlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Reached(StrEnum):
    """How far a call got before it failed: what decides whether repeating it is safe."""

    NOT_SENT = "not_sent"
    SENT_UNKNOWN = "sent_unknown"
    COMPLETED = "completed"


LATER = "try again later"
LOOK_FIRST = "it may have been carried out: if it changes anything, look before you repeat it"
IN_VAIN = "trying again will not help: the operator of the gateway has to mend this"


class GatewayError(Exception):
    """The root. `str(error)` is the message alone; `explain()` adds code, reach and hint."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    default_reached: ClassVar[Reached] = Reached.NOT_SENT
    advice: ClassVar[str | None] = None
    default_unwell: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str | None = None, reached: Reached | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.reached = reached or self.default_reached
        self.unwell = self.default_unwell  # whether it says that the backend fares badly
        self.counted = False  # whether a circuit breaker has heard of it: calls may share it
        self.rule = ""  # the one that refused it, where one did

    def explain(self) -> str:
        """The text a model reads: message, (code; reach) and, on its own line, what to do next."""
        text = f"{self} ({self.code}; {self.reached})"
        unknown = self.reached is Reached.SENT_UNKNOWN
        hint = self.hint or (LOOK_FIRST if unknown else self.advice)
        return f"{text}\nnext: {hint}" if hint else text


@contextlib.contextmanager
def begun() -> Iterator[None]:
    """For what goes on with a call that reached its server before: a failure to send more of it
    does not make it safe to repeat.
    """
    try:
        yield
    except GatewayError as error:
        if error.reached is Reached.NOT_SENT:
            error.reached = Reached.SENT_UNKNOWN
        raise


class CallerError(GatewayError):
    """The caller can mend it: a wrong name, wrong arguments, a missing right."""


class ToolNotFound(CallerError):
    """No such tool, or none that this caller may see: the two must read the same."""

    code = "tool_not_found"


class BackendNotFound(CallerError):
    """No such backend, or none that this caller may see."""

    code = "server_not_found"


class Unauthenticated(CallerError):
    """Who calls has not shown who it is, or in vain. What it showed is never told back."""

    code = "unauthenticated"


class Denied(CallerError):
    """The caller may see it and not do it, or its rules speak of the name alone, whether there is
    such a thing or not. `rule` is the place of the rule that decided.
    """

    code = "denied"
    advice = "it needs other rights: ask whoever runs the gateway"

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class InvalidAgent(CallerError):
    """Nobody knows as which agent it acts, or it may not act as that one."""

    code = "invalid_agent"


class FallbackAgentUnknown(InvalidAgent):
    """The agent as which callers act unasked has no rules."""

    code = "fallback_agent_not_in_rules"
    advice = IN_VAIN


class NoFallbackAgent(InvalidAgent):
    """It named no agent, and there is none as which callers act unasked."""

    code = "no_fallback_configured"


class InvalidArguments(CallerError):
    """They do not satisfy the tool's `inputSchema`, or cannot be placed safely in the request."""

    code = "invalid_arguments"


class CapabilityMissing(CallerError):
    """The tool asks its caller for something (sampling, elicitation) that it cannot do.

    `required` is shaped like MCP's ClientCapabilities: `{"sampling": {}}`.
    """

    code = "capability_missing"
    default_reached = Reached.COMPLETED  # it is the server that says so

    def __init__(self, message: str, required: Mapping[str, Any]) -> None:
        super().__init__(message, hint="call it from a client that declares the capability")
        self.required = required


class StateRejected(CallerError):
    """The `requestState` of a retried request is not one we gave, or not any more, or not to it."""

    code = "state_rejected"
    advice = "send the request anew, without requestState and inputResponses"


class Unsupported(CallerError):
    """The server behind has nothing of the kind that was asked for."""

    code = "unsupported"


class ClientRefused(CallerError):
    """Asked by a server (elicitation, sampling, roots), the client answered with an error.

    `number`, `said` and `data` are those of its JSON-RPC error.
    """

    code = "client_refused"
    default_reached = Reached.SENT_UNKNOWN

    def __init__(self, number: int, said: str, data: Any = None) -> None:
        super().__init__(f"the client refused what the server asked of it: {said}")
        self.number = number
        self.said = said
        self.data = data


class ClientGone(CallerError):
    """Asked by a server, the client can no longer answer, or did not in time."""

    code = "client_gone"
    default_reached = Reached.SENT_UNKNOWN


class Rejected(GatewayError):
    """We refuse for now: to protect ourselves or a backend."""

    retryable = True
    advice = "try again in a moment"


class Busy(Rejected):
    """Too many calls wait already."""

    code = "busy"


class RateLimited(Rejected):
    """More requests than were agreed upon; `after` is when there is room again, in seconds."""

    code = "rate_limited"

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message, hint=f"try again in {after:.1f} s")
        self.after = after


class CircuitOpen(Rejected):
    """The backend has failed too often; `after` is when it is tried again, in seconds."""

    code = "circuit_open"

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message, hint=f"try again in {after:.0f} s, or use another server")
        self.after = after


class AccessUnavailable(Rejected):
    """Who calls cannot be found out just now; nobody is let in unasked."""

    code = "access_unavailable"


class AuditUnavailable(Rejected):
    """What is done cannot be written down, and nothing may be done unwritten."""

    code = "audit_unavailable"


class Draining(Rejected):
    """The gateway is shutting down."""

    code = "draining"


class BackendError(GatewayError):
    """The backend failed us."""

    code = "backend_error"
    default_reached = Reached.COMPLETED
    after: float | None = None  # seconds in which it wants to be asked again, where it said so


class BackendUnavailable(BackendError):
    """It cannot be reached, or lacks what it needs (a missing secret) to be called at all."""

    code = "backend_unavailable"
    retryable = True
    advice = LATER
    default_reached = Reached.NOT_SENT
    default_unwell = True


class Unequipped(BackendUnavailable):
    """We lack what it takes to call it, such as a secret. That says nothing of how it fares."""

    default_unwell = False


class AuthorizationNeeded(BackendUnavailable):
    """A person has to let us in first, by opening `url` in a browser on the gateway's machine."""

    code = "authorization_needed"
    default_unwell = False

    def __init__(self, message: str, url: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint or f"the operator of the gateway opens {url}")
        self.url = url


class DeadlineExceeded(BackendError):
    """It did not answer in time."""

    code = "timeout"
    retryable = True
    advice = LATER
    default_reached = Reached.SENT_UNKNOWN
    default_unwell = True


class BadResponse(BackendError):
    """It answered with something unreadable, too large, or of an unexpected shape."""

    code = "bad_response"
    advice = IN_VAIN


class OutputMismatch(BadResponse):
    """It answered in another shape than the tool's `outputSchema` promises."""

    code = "output_mismatch"


class UpstreamFailed(BackendError):
    """It answered with an error of its own, such as HTTP 422."""

    code = "upstream_error"


class RemoteError(UpstreamFailed):
    """An MCP server answered with a JSON-RPC error: `number`, its own words `said`, and `data`."""

    def __init__(self, number: int, said: str, data: Any = None) -> None:
        super().__init__(f"the server answered with error {number}: {said}")
        self.number = number
        self.said = said
        self.data = data


class SessionLost(BackendUnavailable):
    """The server no longer knows our session: it has to be opened anew."""


class ConfigError(GatewayError):
    """The operator's files are wrong; the text holds one issue a paragraph."""

    code = "config_error"
