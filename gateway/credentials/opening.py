"""A compiled `auth:` → the credential of one backend; a new kind is a line in `opened`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.credentials import static
from gateway.credentials.aws_sigv4 import AwsSigV4Credential
from gateway.credentials.base import Credential
from gateway.credentials.digest import DigestCredential
from gateway.credentials.forward import ForwardCredential
from gateway.credentials.handshake import HandshakeCredential
from gateway.credentials.hmac_signature import Chance, HmacCredential
from gateway.credentials.known import Known
from gateway.credentials.secret import Learner
from gateway.credentials.session import Session
from gateway.credentials.session_credential import Login, SessionCredential
from gateway.credentials.union import AuthPlan
from gateway.http.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from gateway.credentials.oauth.shared_token import Tokens


class SendOwn(Protocol):
    """Sends a request of the credential's own, such as to log in, as its backend's are sent.

    Pooled, and to addresses the backend may reach. No redirect is followed: it may bring a cookie.
    Raises GatewayError; no status is an error.
    """

    async def __call__(self, request: HttpRequest, *, seconds: float, cap: int) -> HttpResponse: ...


@dataclass(frozen=True, slots=True)
class Means:
    """`name` is the backend's, `origin` its API's. `tokens`: OAuth tokens, the process's one store.

    `wall` is the clock for dates and expiry; `learner` must be told each secret before it is used.
    `private`: the backend may reach addresses that are not public.
    """

    name: str
    origin: str
    send: SendOwn
    tokens: "Callable[[], Tokens]"
    learner: Learner | None = None
    wall: Callable[[], float] = time.time
    private: bool = False


def opened(plan: AuthPlan, means: Means) -> Credential:
    """Close it with the backend. Never raises: what is missing is told by its first `apply`."""
    auth, render = plan.auth, plan.render
    if auth.bearer is not None:
        return static.bearer(render(auth.bearer))
    if auth.basic is not None:
        return static.basic(auth.basic, render)
    if auth.header is not None:
        return static.Headers({name: render(text) for name, text in auth.header.items()})
    if auth.query is not None:
        return static.Query({name: render(text) for name, text in auth.query.items()})
    return _asking(plan, means)


def _asking(plan: AuthPlan, means: Means) -> Credential:
    """Those that have a conversation of their own with somebody, or sign."""
    auth, render = plan.auth, plan.render
    if auth.oauth2 is not None:
        from gateway.credentials import oauth2_credential as made  # noqa: PLC0415  100 ms to load

        asked = made.asking(auth.oauth2, render, private=means.private)
        return made.OAuth2Credential(asked, means.tokens())
    if auth.digest is not None:
        pair = auth.digest
        return DigestCredential(render(pair.username), render(pair.password))
    if auth.forward is not None:
        return ForwardCredential(auth.forward)
    if auth.hmac is not None:
        return HmacCredential(auth.hmac, render, Chance(means.wall))
    if auth.aws_sigv4 is not None:
        texts = auth.aws_sigv4.texts
        return AwsSigV4Credential({each.path[0]: render(each.text) for each in texts})
    if auth.session is not None:
        return _session(auth.session, plan, means)
    raise AssertionError(f"no credential for {auth.kind}")


def _session(given: Session, plan: AuthPlan, means: Means) -> Credential:
    beside = None if given.basic is None else static.basic(given.basic, plan.render)
    if given.handshake is not None:
        return HandshakeCredential(given.handshake, beside, means.learner)
    request, read = plan.login, plan.token
    assert request is not None  # noqa: S101  a session without a handshake has one
    log_in = request if beside is None else lambda: beside.applied(request())
    login = Login(log_in, read or _no_token, means.send, plan.lasts)
    return SessionCredential(given, login, plan.render, Known(means.learner))


def _no_token(_: HttpResponse) -> None:
    """Cookies are what is read."""
