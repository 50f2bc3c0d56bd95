"""Credentials that a document lists among the parameters of operations: no model shall hold them.

A parameter is one when a security scheme of the document has its name and place, or by its name.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from gateway.importers.openapi.model import Credential, Parameter
from gateway.importers.openapi.security import api_key, together

_NAME = re.compile(  # `x-api-key`, `apikey`, `X-ListenAPI-Key`, `X-Auth-Token`, `access_token`
    r"(x[-_])?([a-z0-9]+[-_]?)?(api[-_]?(key|token|secret)|(access|auth|private)[-_]token)"
    r"|authorization",
    re.IGNORECASE,
)


def keyed(
    found: tuple[Credential, ...],
    parameters: Iterable[Parameter],
    declared: Collection[tuple[str, str]],
) -> tuple[Credential, ...]:
    """The alternatives `found` for an operation, each with the keys among its parameters.

    One that may be left out counts where nothing else says who calls. `declared`: place and name of
    the keys that are security schemes.
    """
    keys = sorted(
        (each for each in parameters if _is_key(each, declared)),
        key=lambda each: (each.place, each.name),
    )
    if not found:
        alone = _with(Credential(), keys)
        free = () if any(each.required for each in keys) else (Credential(),)
        return (alone, *free) if keys else ()
    needed = [each for each in keys if each.required]
    return tuple(_with(each, needed) for each in found)


def _is_key(parameter: Parameter, declared: Collection[tuple[str, str]]) -> bool:
    if parameter.place not in ("query", "header"):
        return False
    listed = (parameter.place, parameter.name.lower()) in declared
    return listed or _NAME.fullmatch(parameter.name) is not None


def _with(credential: Credential, keys: Sequence[Parameter]) -> Credential:
    whole = credential
    for each in keys:
        if each.name.lower() in _sent(whole):
            continue
        part = api_key(each.name, {"name": each.name, "in": each.place})
        whole = whole if part is None else together(whole, part) or whole
    return whole


def _sent(credential: Credential) -> set[str]:
    auth = credential.auth
    sent = (auth.get("header", ()), auth.get("query", ()), credential.headers, credential.query)
    return {name.lower() for names in sent for name in names}
