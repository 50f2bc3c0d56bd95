"""What a template can give: a JSON value, or nothing at all; and how a value becomes text.

`MISSING` is not `None`: null is something a caller said, missing is what nobody said.
"""

from typing import Any, Final, Literal

import msgspec

from gateway.errors import InvalidArguments

Refusal = Literal["args", "path", "header", "size"]

LARGEST = 1_000_000  # characters of a rendered text


class Absent:
    """The class of `MISSING`. What is compared with it is missing too (§3.3), and does not hold."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __contains__(self, _: object) -> bool:
        return False

    def _never(self, _: object) -> "Absent":
        return self

    __lt__ = __le__ = __gt__ = __ge__ = _never

    def __eq__(self, other: object) -> Any:
        return True if isinstance(other, Absent) else self

    def __ne__(self, other: object) -> Any:
        return False if isinstance(other, Absent) else UNLIKE

    def __hash__(self) -> int:
        return hash(Absent)

    def __repr__(self) -> str:
        return "MISSING"


class Unlike(Absent):
    """What `missing != value` gives: it holds, and is missing where a value is asked for."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


MISSING: Final = Absent()
UNLIKE: Final = Unlike()


class TemplateError(ValueError):
    """The author's text is wrong: found at load. `hint` says what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class RenderError(ValueError):
    """These values cannot be filled in here: found in a call."""

    def __init__(self, message: str, position: Refusal = "args") -> None:
        super().__init__(message)
        self.position: Refusal = position


class Refused(InvalidArguments):
    """Arguments that satisfy the schema but cannot be placed safely; `position` says where."""

    def __init__(self, message: str, position: Refusal, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.position: Refusal = position


def refused(what: str, error: Exception) -> Refused:
    """`error`, met while filling in `what`, in the caller's words."""
    position = error.position if isinstance(error, RenderError) else "args"
    reason = str(error) if isinstance(error, RenderError) else "too deeply nested"
    return Refused(f"{what}: {reason}", position, "change the argument and call again")


def to_text(value: Any) -> str:
    """The text form: `true`, numbers as JSON, lists and objects as compact JSON (§3.2).

    Bytes are text when they are UTF-8. Raises RenderError for what has no text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise RenderError("binary data has no text form") from None
    return to_json(value).decode()


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8, bytes as base64. Raises RenderError for a lone surrogate."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode") from None
    except (TypeError, ValueError, RecursionError):
        raise RenderError("the value has no JSON form") from None
