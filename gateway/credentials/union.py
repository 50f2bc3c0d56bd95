"""`auth:` of a capability file: the union of all kinds. A new kind is a field, and what it sets."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.credentials import static
from gateway.credentials.base import Render
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

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(self.__struct_fields__)
            raise ValueError(
                f"auth needs exactly one of {kinds}; it has {', '.join(given) or 'none'}"
            )

    @property
    def header_names(self) -> tuple[str, ...]:
        """The headers this sets, which nothing else may set."""
        return tuple(self.header or ("Authorization",)) if self.query is None else ()

    @property
    def inbound_names(self) -> tuple[str, ...]:
        """The headers of a caller that this reads, in lower case."""
        return ()

    @property
    def query_names(self) -> tuple[str, ...]:
        return tuple(self.query or ())

    @property
    def texts(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Path below `auth` → template text, of all that `build` will render."""
        if self.basic is not None:
            pair = self.basic
            return (("basic", "username"), pair.username), (("basic", "password"), pair.password)
        if self.bearer is not None:
            return ((("bearer",), self.bearer),)
        kind, given = ("header", self.header) if self.query is None else ("query", self.query)
        return tuple(((kind, name), text) for name, text in (given or {}).items())


@dataclass(frozen=True, slots=True)
class AuthPlan:
    """`auth:` compiled. `render` gives the text of one of its templates, anew for each request.

    `login` is the request of a `session`, and `token` reads its answer.
    """

    auth: Auth
    render: Render
    login: Callable[[], HttpRequest] | None = None
    token: Callable[[HttpResponse], str | None] | None = None
