"""A client that remembers what it is told of a call."""

from typing import Any

from gateway.domain.client import Nobody
from gateway.domain.tool import JsonObject


class Listener(Nobody):
    """`heard` are the methods of the notifications and their parameters."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def notify(self, method: str, params: JsonObject) -> None:
        self.heard.append((method, params))
