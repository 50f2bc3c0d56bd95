"""Shows an OAuth token to a REST API; has another one before it ends, and when it is refused."""

from collections.abc import Callable, Mapping

from yarl import URL

from gateway.credentials.base import Render, Rendered
from gateway.credentials.oauth.shared_token import SharedToken, Tokens, Wanted
from gateway.credentials.oauth2 import TEXTS, OAuth2
from gateway.credentials.static import with_headers
from gateway.errors import BackendUnavailable
from gateway.http.addresses import names_private
from gateway.http.message import HttpRequest, HttpResponse

REFUSED = 401
BEARER = "Bearer "


class OAuth2Credential:
    """`wanted` tells what to ask for at this moment: secrets rotate."""

    def __init__(self, wanted: Callable[[], Wanted], tokens: Tokens) -> None:
        self._wanted = wanted
        self._tokens = tokens
        self._held: tuple[Wanted, SharedToken] | None = None
        self._closed = False

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        token = await (await self._shared()).get()
        return with_headers(request, (("Authorization", BEARER + token.access),))

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        if response.status != REFUSED or self._held is None:
            return False
        return self._held[1].refused(dict(sent.headers)["Authorization"].removeprefix(BEARER))

    async def aclose(self) -> None:
        held, self._held, self._closed = self._held, None, True
        if held is not None:
            await self._tokens.leave(held[1])

    async def _shared(self) -> SharedToken:
        if self._closed:  # nobody would give it back
            raise BackendUnavailable("authorization was closed before it was asked for")
        wanted, held = self._wanted(), self._held
        if held is not None and held[0] == wanted:
            return held[1]
        shared = self._tokens.take(wanted)
        self._held = wanted, shared
        if held is not None:
            await self._tokens.leave(held[1])
        return shared

    def __repr__(self) -> str:
        return "<OAuth2Credential>"


def asking(given: OAuth2, render: Render, *, private: bool) -> Callable[[], Wanted]:
    """What to ask for, with the secrets of the moment it is called at.

    The server may be at an address that is not public if the backend may (`private`), or if its URL
    names one.
    """
    url = render(given.token_url)()
    near = private or names_private(URL(url).host or "")
    texts = {name: text for name in TEXTS if (text := getattr(given, name)) is not None}
    rendered = {name: render(text) for name, text in texts.items()}
    scopes = [render(text) for text in given.scopes]
    params = [(name, render(text)) for name, text in given.params.items()]

    def wanted() -> Wanted:
        return Wanted(
            grant=given.grant,
            token_url=url,
            scopes=tuple([text() for text in scopes]),
            params=tuple([(name, text()) for name, text in params]),
            auth_method=given.auth_method,
            private=near,
            **_filled(rendered),
        )

    return wanted


def _filled(rendered: Mapping[str, Rendered]) -> dict[str, str]:
    return {name: text() for name, text in rendered.items()}
