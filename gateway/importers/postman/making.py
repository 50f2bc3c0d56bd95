"""One tool while it is made of a Postman request: its arguments, and what `{{x}}` stands for.

The rule: no credential is copied. What looks like one becomes a secret of the file.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.credentials.looks import looks_secret
from gateway.importers.literals import variable
from gateway.importers.names import LONGEST_ARGUMENT, argument_name, reading, snake, unique
from gateway.importers.templates import literal
from gateway.importers.wording import words

VARIABLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
BARE = "\0"  # before the name of a variable that stood outside quotes: it may be no text
DEEPEST = 4  # levels of a schema that is guessed from a value
LONGEST = 300  # characters of an argument's description
_ROUNDS = 5  # variables in variables


class Making:
    """`given` are the arguments of the request as it was saved, by name."""

    def __init__(self, known: Mapping[str, tuple[str, bool]], api: str) -> None:
        self._known = known
        self._api = api
        self._by_variable: dict[str, str] = {}
        self._taken: set[str] = set()
        self.tool: dict[str, Any] = {}
        self.args: dict[str, dict[str, Any]] = {}
        self.given: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        self.vars: dict[str, Any] = {}
        self.notes: list[str] = []

    def resolved(self, text: str) -> str:
        """With every variable that has a value in the collection."""
        for _ in range(_ROUNDS):
            before = text
            text = VARIABLE.sub(lambda match: self._value(match[1]) or match[0], text)
            if text == before:
                break
        return text

    def text(self, text: str, *, required: bool = False) -> str:
        """A template of ours."""
        made, last = "", 0
        for match in VARIABLE.finditer(text):
            made += literal(text[last : match.start()]) + self._variable(
                match[1], required=required
            )
            last = match.end()
        return made + literal(text[last:])

    def argument(
        self, wire: str, schema: Mapping[str, Any], about: str = "", *, required: bool = False
    ) -> str:
        """The template of a new argument."""
        name = unique(argument_name(wire), self._taken, LONGEST_ARGUMENT)
        whole = dict(schema)
        described = words(about, LONGEST)
        if described:
            whole["description"] = described
        if required:
            whole["required"] = True
        self.args[name] = whole
        for key in ("default", "examples"):
            if key in whole:
                self.given[name] = whole[key] if key == "default" else whole[key][0]
                break
        return f"{{{{ {reading(name)} }}}}"

    def value(self, wire: str, value: str, about: str, *, sent: bool) -> str:
        """A pair's value: what the collection fixes, or an argument. `sent`: it is its default."""
        if VARIABLE.search(value):
            return self.text(value)
        if looks_secret(wire, value):
            return self.secret(wire)
        schema: dict[str, Any] = {"type": "string"}
        if value:
            schema |= {"default": value} if sent else {"examples": [value]}
        return self.argument(wire, schema, about)

    def credential(self, text: str, name: str) -> str:
        """A field of `auth`, always from outside."""
        match = VARIABLE.fullmatch(text.strip())
        if match:
            return self._secret(outside(match[1]))
        return self.secret(name)

    def secret(self, name: str) -> str:
        """For what was written out, or left empty."""
        return self._secret(outside(f"{self._api}_{name}"))

    def _secret(self, source: str) -> str:
        self.notes.append(f"set {source} where the gateway is started")
        own = source.lower()
        self.secrets[own] = f"env:{source}"
        return f"{{{{ secrets.{own} }}}}"

    def _value(self, name: str) -> str:
        value, secret = self._known.get(name, ("", False))
        return "" if secret or looks_secret(name, value) else value

    def _variable(self, name: str, *, required: bool) -> str:
        bare, name = name.startswith(BARE), name.removeprefix(BARE)
        value, secret = self._known.get(name, ("", False))
        if secret or looks_secret(name, value or "x"):
            return self._secret(outside(name))
        if value and not VARIABLE.search(value):
            own = outside(name).lower()
            self.vars[own] = _typed(value) if bare else self.vars.get(own, value)
            return f"{{{{ vars.{own} }}}}"
        if name not in self._by_variable:
            plain = name.removeprefix("$")
            self._by_variable[name] = self.argument(
                plain, {} if bare else {"type": "string"}, required=required
            )
        elif required:
            self.args[_name(self._by_variable[name])]["required"] = True
        return self._by_variable[name]


def outside(name: str) -> str:
    """The environment variable of a variable of Postman: `accessToken` is `ACCESS_TOKEN`."""
    return variable(snake(name) or name)


def _typed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _name(template: str) -> str:
    found = re.search(r"args(?:\.|\[')([^'\] }]+)", template)
    return found[1] if found else ""


def guessed(value: Any, depth: int = 0) -> dict[str, Any]:
    """The schema of a value that was saved as an example of others."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"}
    if isinstance(value, float):
        return {"type": "number"}
    if isinstance(value, str):
        return {"type": "string"}
    if depth >= DEEPEST or value is None:
        return {}
    if isinstance(value, list):
        kinds = [guessed(each, depth + 1) for each in value[:5]]
        alike = bool(kinds) and all(kind == kinds[0] for kind in kinds)
        return {"type": "array", **({"items": kinds[0]} if alike else {})}
    named = {key: guessed(each, depth + 1) for key, each in value.items()}
    return {"type": "object", **({"properties": named} if named else {})}
