"""Examples name URLs as the file's own `base_url` has them, wherever the environment moves it.

A file whose `base_url` is `${SHOP_URL:-https://shop.example}` has examples with shop.example in
them; they must hold where SHOP_URL is set, too. So what they send, and what answers lead to, moves.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, structs

from gateway.capability.file import base_url
from gateway.capability.file.model import Example, ToolSpec
from gateway.capability.file.variables import expand

ENDS = r"(?=[/?#>\"'\s]|$)"  # what can follow a base: it is no part of a longer name


def home(url: str) -> str | None:
    """What the `base_url` is where the environment says nothing; None when it is nothing then."""
    try:
        return base_url.literal(expand(url, {})) if "${" in url else None
    except ValueError:
        return None


def brought_home(
    example: Mapping[str, Any], url: str, environ: Mapping[str, str]
) -> dict[str, Any]:
    """A recorded example as it is written into a file with this `base_url`."""
    before = home(url)
    if before is None:
        return dict(example)
    move = _Move(base_url.literal(expand(url, environ)), before)
    return {key: move.part(key, value) for key, value in example.items()}


def moved(tools: Mapping[str, ToolSpec], before: str, now: str) -> dict[str, ToolSpec]:
    """With the base `now` in the place of `before`."""
    move = _Move(before, now)
    return {
        name: structs.replace(spec, examples=tuple(map(move.example, spec.examples)))
        for name, spec in tools.items()
    }


class _Move:
    def __init__(self, before: str, now: str) -> None:
        self._now = now
        self._base = re.compile(re.escape(before) + ENDS)

    def example(self, given: Example) -> Example:
        """Arguments are a caller's, and stay."""
        request, reply = given.request, given.reply
        return structs.replace(
            given,
            request=None if request is None else self._request(request),
            requests=tuple(map(self._request, given.requests)),
            reply=None if reply is None else self._deep(reply),
            replies=tuple(map(self._deep, given.replies)),
            result=UNSET if given.result is UNSET else self._deep(given.result),
            error=self._deep(given.error),
        )

    def part(self, key: str, value: Any) -> Any:
        """A member of an example, as YAML has it."""
        if key == "args":
            return value
        if key == "requests":
            return [self._request(each) for each in value]
        return self._request(value) if key == "request" else self._deep(value)

    def _request(self, given: dict[Any, Any]) -> dict[Any, Any]:
        url = given.get("url")
        found = self._base.match(url) if isinstance(url, str) else None
        return given if found is None else {**given, "url": self._now + found.string[found.end() :]}

    def _deep(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._deep(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._deep(each) for each in value]
        if isinstance(value, str):
            return self._base.sub(lambda _: self._now, value)
        return value
