"""`session: {login: …}`: logs in once for all calls, and once more when the session has ended."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.credentials.base import Pairs, Render, Rendered
from gateway.credentials.known import Known
from gateway.credentials.oauth.single import Single
from gateway.credentials.session import TOKEN, Session
from gateway.credentials.static import with_headers, with_query
from gateway.errors import IN_VAIN, BackendUnavailable, GatewayError
from gateway.http.message import HttpRequest, HttpResponse

SECONDS = 30.0  # for the login
CAP = 1 << 20  # bytes of its answer
FRESH = 30.0  # seconds in which one session that is refused, or one login, is not tried anew
FAILED = 400  # and above: statuses of a login that let nobody in
HINT = "the operator of the gateway sees to the secrets and paths of auth.session"
VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,65536}")
IN_COOKIE = re.compile(r"[!-+\--:<-~]+")  # what cannot begin another one
WORD = re.compile(r"[A-Za-z]{1,15}|[0-9.:/-]{1,10}")  # `english`, `2026-11-21`: no session's name

_COOKIES = re.compile(r",[ \t]*(?=[A-Za-z0-9!#$%&'*+.^_`|~-]+=)")  # a date's comma is none of them
_COOKIE = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([!-+\--:<-~]*)")


class LoginRefused(BackendUnavailable):
    """It will be refused again, until somebody changes something."""

    retryable = False
    advice = IN_VAIN


class Send(Protocol):
    async def __call__(self, request: HttpRequest, *, seconds: float, cap: int) -> HttpResponse: ...


@dataclass(frozen=True, slots=True)
class Login:
    """`request` renders it anew. `read` gives the token of its answer. `lasts` seconds, or None."""

    request: Callable[[], HttpRequest]
    read: Callable[[HttpResponse], str | None]
    send: Send
    lasts: float | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What one login left us with. `until` is on the monotonic clock."""

    headers: Pairs = field(repr=False)
    query: Pairs = field(repr=False)
    until: float

    def on(self, request: HttpRequest) -> HttpRequest:
        return with_query(with_headers(request, self.headers), self.query)

    def was_on(self, sent: HttpRequest) -> bool:
        bare = HttpRequest("", "?")
        tail = with_query(bare, self.query).url[1:]
        return set(self.headers) <= set(sent.headers) and sent.url.endswith(tail)


class SessionCredential:
    """One session for all callers of the backend."""

    def __init__(
        self,
        given: Session,
        login: Login,
        render: Render,
        known: Known,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given = given
        self._login = login
        self._show = _shower(given, render)
        self._known = known
        self._clock = clock
        self._proof: Proof | None = None
        self._dropped_at = float("-inf")
        self._refused: tuple[HttpRequest, float, str] | None = None
        self._logging_in: Single[Proof] = Single()

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        proof = self._proof
        if proof is None or self._clock() >= proof.until:
            proof = await self._logging_in.run(self._log_in)
        return proof.on(request)

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        if response.status not in self._given.renew_on:
            return False
        if self._proof is None or not self._proof.was_on(sent):
            return True  # there is a newer one
        now = self._clock()
        if now - self._dropped_at < FRESH:
            return False  # so is the one that came in its place
        self._proof, self._dropped_at = None, now
        return True

    async def aclose(self) -> None:
        self._proof = None
        await self._logging_in.aclose()
        self._known.release()

    def __repr__(self) -> str:
        return "<SessionCredential>"

    async def _log_in(self) -> Proof:
        request, now = self._login.request(), self._clock()
        if self._refused is not None and self._refused[0] == request and now < self._refused[1]:
            raise LoginRefused(self._refused[2], hint=HINT)  # accounts are locked for less
        try:
            answer = await self._login.send(request, seconds=SECONDS, cap=CAP)
        except GatewayError as error:
            raise BackendUnavailable(f"the login failed: {error}", hint=error.hint) from None
        try:
            proof = self._read(answer)
        except LoginRefused as error:
            self._refused = (request, now + FRESH, str(error))
            raise
        self._refused = None
        self._proof = proof
        return proof

    def _read(self, answer: HttpResponse) -> Proof:
        """Raises LoginRefused, whose text has nothing of the answer."""
        if answer.status >= FAILED:
            raise LoginRefused(f"the login is refused: HTTP {answer.status}", hint=HINT)
        found = self._cookies(answer) if self._given.keeps_cookies else self._token(answer)
        self._known.hold(
            value for _, value in found if self._given.names_secrets or not WORD.fullmatch(value)
        )
        headers, query = self._show(dict(found))
        lasts = self._login.lasts
        return Proof(headers, query, float("inf") if lasts is None else self._clock() + lasts)

    def _token(self, answer: HttpResponse) -> Pairs:
        given = self._given
        told = self._login.read(answer)
        if told is None or not VALUE.fullmatch(told):
            place = given.token or f"header {given.token_header}"
            text = f"the login was answered with HTTP {answer.status}, but no token at {place}"
            raise LoginRefused(text, hint=HINT)
        return ((TOKEN, told),)

    def _cookies(self, answer: HttpResponse) -> Pairs:
        wanted = self._given.cookie
        found = dict(cookies(answer.headers.get("set-cookie", "")))
        if isinstance(wanted, tuple):
            found = {name: found[name] for name in wanted if name in found}
        lacking = set(wanted) - found.keys() if isinstance(wanted, tuple) else set()
        if lacking or not found:
            which = f"cookie {', '.join(sorted(lacking))}" if lacking else "cookie"
            text = f"the login was answered with HTTP {answer.status}, but no {which}"
            raise LoginRefused(text, hint=HINT)
        return tuple(found.items())


def cookies(header: str) -> Iterator[tuple[str, str]]:
    """Name and value of each cookie that `Set-Cookie` lines, joined by commas, set.

    What else is said of them counts for nothing: they go to this API alone, for as long as the
    session lives.
    """
    for one in _COOKIES.split(header):
        pair = _COOKIE.match(one.strip())
        if pair and pair[2]:
            yield pair[1], pair[2]


Shower = Callable[[Mapping[str, str]], tuple[Pairs, Pairs]]


def _shower(given: Session, render: Render) -> Shower:
    """What was found → headers and query pairs."""
    if given.keeps_cookies:
        return lambda found: ((("Cookie", _joined(found)),), ())
    if given.bearer:
        return lambda found: ((("Authorization", f"Bearer {found[TOKEN]}"),), ())
    headers = _compiled(given.header, render)
    query = _compiled(given.query, render)
    jar = _compiled(given.cookie if isinstance(given.cookie, dict) else {}, render)

    def show(found: Mapping[str, str]) -> tuple[Pairs, Pairs]:
        shown = _filled(headers, found)
        if jar:
            cookies = dict(_filled(jar, found))
            if not all(map(IN_COOKIE.fullmatch, cookies.values())):
                raise LoginRefused("the login gave a token that cannot be a cookie", hint=HINT)
            shown = (*shown, ("Cookie", _joined(cookies)))
        return shown, _filled(query, found)

    return show


def _compiled(given: Mapping[str, str], render: Render) -> dict[str, Rendered]:
    return {name: render(text, (TOKEN,)) for name, text in given.items()}


def _filled(given: Mapping[str, Rendered], found: Mapping[str, str]) -> Pairs:
    return tuple([(name, text(found)) for name, text in given.items()])


def _joined(jar: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items())
