"""The one shape of all credentials."""

from collections.abc import Callable
from typing import Protocol

Rendered = Callable[[], str]  # an operator's text with the secrets of this moment filled in

Pairs = tuple[tuple[str, str], ...]


class Credential(Protocol):
    """Gives the headers and query pairs that prove who we are.

    Asked anew for each request, because secrets rotate. Query pairs are not percent-encoded yet.
    """

    def headers(self) -> Pairs: ...

    def query(self) -> Pairs: ...
