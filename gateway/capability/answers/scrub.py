"""Takes secrets out of a value whose JSON the redactor found one in; what is left is still JSON."""

from typing import Any

import msgspec

from gateway.credentials.redact import MASK, Redactor
from gateway.errors import BadResponse


def scrubbed(value: Any, redactor: Redactor) -> tuple[Any, bytes]:
    """A cleaned copy of `value` and its JSON. Raises BadResponse when it cannot be cleaned."""
    clean = _clean(value, redactor)
    data = msgspec.json.encode(clean)
    if redactor.data(data) is not data:  # spread over several values
        raise BadResponse("the answer repeats a secret of this gateway")
    return clean, data


def cleaned(value: Any, redactor: Redactor) -> Any:
    """`value`, or a copy without what the redactor finds in it."""
    data = msgspec.json.encode(value)
    return value if redactor.data(data) is data else _clean(value, redactor)


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {redactor.text(name): _clean(each, redactor) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean(each, redactor) for each in value]
    text = msgspec.json.encode(value)
    return value if redactor.data(text) is text else MASK
