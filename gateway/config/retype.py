"""Text from outside, as the number or boolean that its place in `gateway.yaml` asks for."""

import re
from functools import cache
from typing import Any

from msgspec import inspect

from gateway.capability.file.yaml import Key
from gateway.config.model import Config

_WORDS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def retype(tree: Any, path: tuple[Key, ...]) -> None:
    """`port: ${PORT}` is text in YAML: put the number in its place. Other text stays as it is."""
    wanted = _kinds(path)
    for step in path[:-1]:
        tree = tree[step]
    text = tree[path[-1]]
    if inspect.BoolType in wanted and text in _WORDS:
        tree[path[-1]] = _WORDS[text]
    elif inspect.IntType in wanted and inspect.StrType not in wanted and _NUMBER.fullmatch(text):
        tree[path[-1]] = int(text)


@cache
def _kinds(path: tuple[Key, ...]) -> frozenset[type]:
    """The types that the value at `path` may have; empty where the file's shape is free."""
    info: Any = inspect.type_info(Config)
    for step in path:
        if isinstance(info, inspect.DictType):
            info = info.value_type
            continue
        if not isinstance(info, inspect.StructType):
            return frozenset()
        fields = {field.encode_name: field.type for field in info.fields}
        info = fields.get(str(step))
    while isinstance(info, inspect.Metadata):
        info = info.type
    return frozenset({type(info)})
