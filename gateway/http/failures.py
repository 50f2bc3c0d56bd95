"""Ways of failing that decide about what to try next, refined from the errors everyone knows."""

from gateway.errors import IN_VAIN, BackendError, BackendUnavailable, Reached, UpstreamFailed


class Unreachable(BackendUnavailable):
    """It cannot be reached, and trying again will not help. To say why each time is worth more than
    to leave it alone.
    """

    retryable = False
    default_unwell = False
    advice = IN_VAIN


class ConnectionLost(BackendError):
    """The connection broke between request and answer, or within the answer."""

    retryable = True
    default_reached = Reached.SENT_UNKNOWN
    default_unwell = True


class Refused(UpstreamFailed):
    """It answered with an HTTP status that says no (4xx), and with no error of its own to relay."""

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
