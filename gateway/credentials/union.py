"""`auth:` of a capability file: the union of all kinds. A new kind is a field, and what it sets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.credentials import static
from gateway.credentials.aws_sigv4 import AwsSigV4
from gateway.credentials.base import Render, Text
from gateway.credentials.digest import Digest
from gateway.credentials.forward import Forward
from gateway.credentials.hmac_signature import Hmac
from gateway.credentials.oauth2 import OAuth2
from gateway.credentials.session import Session
from gateway.http.message import HttpRequest, HttpResponse


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one of these. Texts are templates over `secrets` and `vars`."""

    bearer: str | None = None
    """A token, sent as `Authorization: Bearer …`."""
    basic: static.Basic | None = None
    """User and password, sent as `Authorization: Basic …`."""
    header: dict[str, str] | None = None
    """Header name → value, such as `X-Api-Key`."""
    query: dict[str, str] | None = None
    """Query name → value."""
    digest: Digest | None = None
    """User and password, proven without being sent (RFC 7616)."""
    oauth2: OAuth2 | None = None
    """OAuth 2.0 without a person: the gateway gets tokens by itself."""
    hmac: Hmac | None = None
    """A signature of the request with a shared secret."""
    aws_sigv4: AwsSigV4 | None = None
    """AWS Signature Version 4; needs `capgate[aws]`."""
    session: Session | None = None
    """A login whose token or cookies are shown from then on, or a handshake."""
    forward: Forward | None = None
    """A header of the caller's own request, handed on."""

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(self.__struct_fields__)
            raise ValueError(
                f"auth needs exactly one of {kinds}; it has {', '.join(given) or 'none'}"
            )

    @property
    def kind(self) -> str:
        return next(name for name in self.__struct_fields__ if getattr(self, name) is not None)

    @property
    def given(self) -> Any:
        """The settings of that kind."""
        return getattr(self, self.kind)

    @property
    def header_names(self) -> tuple[str, ...]:
        """The headers this sets, which nothing else may set."""
        if self.kind == "header":
            return tuple(self.given)
        return self._told("header_names", ("Authorization",) if self.kind == "bearer" else ())

    @property
    def query_names(self) -> tuple[str, ...]:
        """The query pairs this sets, which nothing else may set."""
        return tuple(self.given) if self.kind == "query" else self._told("query_names", ())

    @property
    def inbound_names(self) -> tuple[str, ...]:
        """The headers of a caller that this reads, in lower case."""
        return self._told("inbound_names", ())

    @property
    def texts(self) -> tuple[Text, ...]:
        """All templates; their paths begin below `auth`."""
        kind, given = self.kind, self.given
        if isinstance(given, str):
            return (Text((kind,), given),)
        if isinstance(given, dict):
            return tuple(Text((kind, name), text) for name, text in given.items())
        found: tuple[Text, ...] = given.texts
        return tuple(one._replace(path=(kind, *one.path)) for one in found)

    def problems(self, constant: Callable[[str], str]) -> Iterator[str]:
        """What only a closer look shows. `constant` renders a text that reads `vars` alone."""
        look = getattr(self.given, "problem", None)
        found = look(constant) if look is not None else None
        if found:
            yield found

    def _told(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        told: tuple[str, ...] = getattr(self.given, name, default)
        return told


@dataclass(frozen=True, slots=True)
class AuthPlan:
    """`auth:` compiled. `render` gives the text of one of its templates, anew for each request.

    `login` is the request of a `session`, and `token` reads its answer; `lasts` is in seconds.
    """

    auth: Auth
    render: Render
    login: Callable[[], HttpRequest] | None = None
    token: Callable[[HttpResponse], str | None] | None = None
    lasts: float | None = None
