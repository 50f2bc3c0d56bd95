"""`{x}` of a fulcrum file → `{{ args.x }}`: declared inputs, static parameters, secrets; no more.

The rule: names are found in the file's own text, once. What a caller gives is never looked into.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.capability.expressions.values import to_text
from gateway.credentials.looks import is_secret_member, scheme_and_rest
from gateway.importers.fulcrum.document import Document, Path, Unconvertible
from gateway.importers.fulcrum.secrets import Secrets
from gateway.importers.templates import literal, quoted

PLACEHOLDER = re.compile(r"\{([^\s{}|\"':,;()]+)(?:\|([^{}]*))?\}")
TOKENS = ("access_token", "oauth.")  # how a text names the token that auth: gets

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Expression(NamedTuple):
    """What stands between `{{` and `}}`; `argument` is the input it reads, if it reads one."""

    source: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{{{{ {self.source} }}}}"


Part = str | Expression


class Words:
    """`used` are the inputs that some text has named so far."""

    def __init__(
        self,
        document: Document,
        inputs: Mapping[str, Any],
        static: Mapping[str, Any],
        secrets: Secrets,
    ) -> None:
        self._document = document
        self._static = static
        self._secrets = secrets
        self.inputs = inputs
        self.used: set[str] = set()

    def text(self, text: str, path: Path) -> str:
        """A template of ours. Raises Unconvertible for a name that the file does not declare."""
        return joined(self.parts(text, path))

    def value(self, value: Any, path: Path) -> Any:
        """A value of a body with all that is in it; a text that is one name alone has its type."""
        if isinstance(value, dict):
            inner = {key: self.value(each, (*path, key)) for key, each in value.items()}
            for key in value:
                if PLACEHOLDER.search(key):
                    self._document.note((*path, key), f"the key {key!r} is sent as it stands")
            return {key: each for key, each in inner.items() if each is not None}
        if isinstance(value, list):
            return [self.value(each, (*path, index)) for index, each in enumerate(value)]
        if not isinstance(value, str):
            return value
        if is_secret_member(str(path[-1]), value) and not PLACEHOLDER.search(value):
            return self.secret(str(path[-1]), value, path)
        alone = PLACEHOLDER.fullmatch(value.strip())
        if alone and self.is_static(alone[1]):
            return self._static[alone[1]]
        return self.text(value.strip() if alone else value, path)

    def secret(self, name: str, value: str, path: Path) -> str:
        """In the place of a credential that is written out; its scheme stays."""
        scheme, _ = scheme_and_rest(value)
        what = f"the credential that is written out as {name}"
        like = f"{self._document.text('name')}_{name}"
        return f"{scheme}{Expression(self._secrets.instead(what, like, path))}"

    def parts(
        self,
        text: str,
        path: Path,
        *,
        loose: bool = False,
        static: Callable[[str], str] = str,
    ) -> list[Part]:
        """Literal texts and expressions in turn. `loose`: braces around what is no name are text,
        as in a query language. `static` is applied to the values of static parameters.
        """
        found: list[Part] = []
        last = 0
        for match in PLACEHOLDER.finditer(text):
            part = self._part(match[1], match[2], path, static)
            if part is None:
                if not loose:
                    raise _undeclared(match[0], match[1], path)
                continue
            found += [text[last : match.start()], part]
            last = match.end()
        return [part for part in (*found, text[last:]) if part != ""]

    def is_static(self, name: str) -> bool:
        return name in self._static and name not in self.inputs

    def use(self, name: str) -> Expression:
        """The argument itself."""
        self.used.add(name)
        if _PLAIN.fullmatch(name):
            return Expression(f"args.{name}", name)
        return Expression(f"args[{quoted(name)}]", name)

    def or_empty(self, part: Part) -> Part:
        """Where a missing argument would take all the text with it."""
        if not isinstance(part, Expression) or not part.argument or "|" in part.source:
            return part
        if part.argument in self._document.items("schema", "input", "required"):
            return part
        return Expression(f"{part.source} | default('')", part.argument)

    def _part(
        self, name: str, default: str | None, path: Path, static: Callable[[str], str]
    ) -> Part | None:
        if name in self.inputs:
            return self._with_default(self.use(name), default, path)
        if name in self._static:
            return static(to_text(self._static[name]))
        if name.startswith("env."):
            return Expression(self._secrets.of_environment(name[4:], path))
        if name.startswith("keychain."):
            return Expression(self._secrets.instead(f"{{{name}}}", name[9:], path))
        if name.startswith(TOKENS):
            like = f"{name.partition('.')[2]}_access_token".lstrip("_")
            return Expression(self._secrets.instead(f"{{{name}}}", like, path))
        return None

    def _with_default(self, expression: Expression, default: str | None, path: Path) -> Expression:
        """`{x|10}`: what that gateway never filled in, though its author meant it."""
        if default is None:
            return expression
        said = f"is sent as {default!r}" if default else "is left out"
        self._document.note(path, f"{expression.argument} {said} when a caller does not give it")
        if not default:
            return expression
        value = _typed(default, self.inputs[expression.argument])
        shown = quoted(value) if isinstance(value, str) else json.dumps(value)
        return Expression(f"{expression.source} | default({shown})", expression.argument)


def joined(parts: Sequence[Part]) -> str:
    """A template: expressions in their braces, and texts in which no brace starts one."""
    return "".join(str(part) if isinstance(part, Expression) else literal(part) for part in parts)


def _typed(text: str, schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _undeclared(shown: str, name: str, path: Path) -> Unconvertible:
    return Unconvertible(
        path,
        f"{shown} is no input of this file: nothing can be sent there",
        f"declare it below schema.input.properties, or {name} below static_params",
    )
