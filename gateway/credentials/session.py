"""`session:` of a capability file: a login whose token or cookies are shown, or a handshake."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.credentials.base import Text
from gateway.credentials.static import Basic

TOKEN = "token"  # noqa: S105  the name that templates read it by
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # of a cookie: RFC 6265 section 4.1.1

StatusCode = Annotated[int, Meta(ge=300, le=599)]


class Handshake(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The API refuses the first request, and says in a header what to send from then on."""

    status: StatusCode
    """The status of that refusal, such as 409."""
    header: str
    """The header that has the value, and takes it."""


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Either a `login`, done once and again when its session has ended, or a `handshake`."""

    login: Any = None
    """The request that logs in: a method with its path, and `query`, `headers` or a body."""
    token: str | None = None
    """A JSONPath: where in the login's answer the token stands."""
    token_header: str | None = None
    """The header of the login's answer that has the token."""
    cookie: bool | tuple[str, ...] | dict[str, str] | None = None
    """true, or a list of names: cookies of the login's answer that are sent back; this is what
    happens without `token`. Or name → a template over `token`."""
    header: dict[str, str] = {}
    """Name → a template over `token`; without it the token is sent as `Authorization: Bearer …`."""
    query: dict[str, str] = {}
    """Name → a template over `token`, in the place of a header."""
    expires: str | int | float | None = None
    """How long a session lives, such as `30m`; without it, until it is refused."""
    renew_on: tuple[StatusCode, ...] = (401,)
    """The statuses that say that it has ended."""
    handshake: Handshake | None = None
    """In the place of a login."""
    basic: Basic | None = None
    """User and password as `Authorization: Basic …`: for the login, or beside the handshake."""

    def __post_init__(self) -> None:
        if (self.login is None) == (self.handshake is None):
            raise ValueError("session needs either login or handshake")
        if self.handshake is not None:
            self._check_handshake()
        else:
            self._check_login()

    def _check_login(self) -> None:
        given = [name for name in ("token", "token_header") if getattr(self, name) is not None]
        if self.keeps_cookies and self.cookie is not None:
            given.append("cookie")
        if len(given) > 1:
            raise ValueError(f"session takes one of {' and '.join(given)}")
        if self.keeps_cookies and (self.header or self.query):
            raise ValueError("header and query send a token: session needs token or token_header")
        if isinstance(self.cookie, dict) and not given:
            raise ValueError("cookie sends a token: session needs token or token_header")
        self._check_cookies()

    def _check_cookies(self) -> None:
        if self.cookie is False:
            raise ValueError("cookie is true, a list of names, or left out")
        for name in self.cookie if isinstance(self.cookie, tuple | dict) else ():
            if not NAME.fullmatch(name):
                raise ValueError("a cookie's name has no space and none of ,;=")

    def _check_handshake(self) -> None:
        for name in ("token", "token_header", "cookie", "header", "query", "expires"):
            if getattr(self, name):
                raise ValueError(f"handshake takes no {name}")

    @property
    def keeps_cookies(self) -> bool:
        """Cookies of the login's answer are what is shown; else it is a token."""
        if isinstance(self.cookie, dict) or self.handshake is not None:
            return False
        return self.cookie is not None or (self.token is None and self.token_header is None)

    @property
    def names_secrets(self) -> bool:
        """What is shown is a secret; of whatever cookies come, some say a language or a date, and
        a word that is taken for a secret is blotted out everywhere.
        """
        return not self.keeps_cookies or isinstance(self.cookie, tuple)

    @property
    def bearer(self) -> bool:
        """The token goes where tokens go unless somebody says otherwise."""
        elsewhere = self.header or self.query or self.cookie or self.handshake
        return not elsewhere and not self.keeps_cookies

    @property
    def header_names(self) -> tuple[str, ...]:
        own = ["Authorization"] if self.bearer else []
        if self.handshake is not None:
            own = [self.handshake.header, *(["Authorization"] if self.basic else [])]
        if self.keeps_cookies or isinstance(self.cookie, dict):
            own.append("Cookie")
        return (*own, *self.header)

    @property
    def query_names(self) -> tuple[str, ...]:
        return tuple(self.query)

    @property
    def texts(self) -> tuple[Text, ...]:
        cookies = self.cookie if isinstance(self.cookie, dict) else {}
        shown = {"header": self.header, "query": self.query, "cookie": cookies}
        basic = () if self.basic is None else self.basic.texts
        return (
            *(one._replace(path=("basic", *one.path)) for one in basic),
            *(
                Text((place, name), text, (TOKEN,))
                for place, given in shown.items()
                for name, text in given.items()
            ),
        )
