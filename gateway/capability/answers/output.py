"""`output:` the promise about a tool's result, kept on every call (I64).

A null the schema does not allow counts as missing and is dropped; what still does not fit is the
API's fault, told as such, and never reaches a client as `structuredContent`.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.capability.answers.decode import snippet
from gateway.capability.file.schemas import output_schema, validator
from gateway.errors import OutputMismatch

MOST_TEXT: Final = 300  # characters of what does not fit
COMPOUND: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "not"})


class Output:
    """`schema` is what is published as `outputSchema`; the file was checked: it is a schema."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.schema = output_schema(given)
        self._validator = validator(self.schema)

    def fitted(self, value: Any) -> Any:
        """`value`, without what is null and must not be. Raises OutputMismatch."""
        if self._validator.is_valid(value):
            return value
        value = _without_nulls(value, self.schema)
        for error in self._validator.iter_errors(value):
            path = "".join(
                f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path
            )
            where = f"at {path.lstrip('.')}: " if path else ""
            what = snippet(f"{where}{error.message}", MOST_TEXT)
            raise OutputMismatch(f"upstream answered in an unexpected shape: {what}")
        return value

    def allows(self, value: Any) -> bool:
        return self._validator.is_valid(value)


def _without_nulls(value: Any, schema: Any) -> Any:
    """`value` without members that are null where their schema names a type that is not."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, list):
        return [_without_nulls(each, schema.get("items")) for each in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    return {
        name: _without_nulls(each, known.get(name))
        for name, each in value.items()
        if each is not None or _nullable(known.get(name))
    }


def _nullable(schema: Any) -> bool:
    """Whether null may stand here; a schema too clever to be read counts as allowing it."""
    if not isinstance(schema, Mapping) or not COMPOUND.isdisjoint(schema):
        return True
    types = schema.get("type", "null")
    if "null" not in (types if isinstance(types, list) else [types]):
        return False
    return None in schema.get("enum", [None])
