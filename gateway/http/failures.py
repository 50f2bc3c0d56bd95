"""Two ways of failing that decide about trying again, refined from the errors everyone knows."""

from gateway.errors import IN_VAIN, BackendError, BackendUnavailable, Reached


class Unreachable(BackendUnavailable):
    """It cannot be reached, and trying again will not help."""

    retryable = False
    advice = IN_VAIN


class ConnectionLost(BackendError):
    """The connection broke between request and answer, or within the answer."""

    retryable = True
    default_reached = Reached.SENT_UNKNOWN
