"""The walk that tells everything, over types that have little to do with capability files."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from gateway.capability.file.shape import shaped
from gateway.capability.file.yaml import parse


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1)] = 1
    free: Any = None


class Outer(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    inner: Inner = Inner()
    both: Inner | Literal["none", "all"] | None = None
    ratio: float | None = None
    each: dict[Annotated[str, Meta(pattern="^(a|b)$", extra={"one_of": ("a", "b")})], int] = {}
    some: Annotated[dict[str, list[int]], Meta(min_length=1)] | None = None


def issues(text: str) -> list[tuple[str, str, str | None]]:
    _, found = shaped(parse(text.encode(), "f"), Outer)
    return [(issue.path, issue.message, issue.hint) for issue in found]


def test_what_fits_is_converted() -> None:
    value, found = shaped(parse(b"{name: a, ratio: 1, inner: {size: 2}, each: {a: 1}}", "f"), Outer)
    assert found == []
    assert value == Outer("a", Inner(2), ratio=1.0, each={"a": 1})


def test_free_keys_go_and_free_values_stay() -> None:
    value, _ = shaped(parse(b"{name: a, x-y: 1, inner: {x-z: 1, free: {x-kept: 1}}}", "f"), Outer)
    assert value == Outer("a", Inner(1, {"x-kept": 1}))


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        ("name: ''", "name", "is empty", None),
        ("name: abcdef", "name", "6 characters; at most 5", None),
        ("{name: a, inner: {size: 0}}", "inner.size", "0 is too small: at least 1", None),
        ("{name: a, inner: 1}", "inner", "must be a mapping, not a number", None),
        ("{name: a, inner: }", "inner", "must be a mapping, not empty", "leave the key out"),
        ("{name: a, both: al}", "both", "must be a mapping, 'all' or 'none'", "mean 'all'?"),
        ("{name: a, inne: 1}", "inne", "unknown key 'inne'", "did you mean 'inner'?"),
        ("{name: a, ratio: high}", "ratio", "must be a number, not 'high'", None),
        ("{name: a, each: {aa: 1}}", "each.aa", "unknown key 'aa'", None),
        ("{name: a, each: {c: 1}}", "each.c", "unknown key 'c'", None),
        ("{name: a, each: {a: x}}", "each.a", "must be a whole number, not 'x'", None),
        ("{name: a, some: {}}", "some", "is empty", None),
        ("{name: a, some: {k: [1, x]}}", "some.k[1]", "must be a whole number", None),
        ("{}", "name", "'name' is missing", None),
        ("{nam: a}", "nam", "unknown key 'nam'", "did you mean 'name'?"),
    ],
)
def test_what_does_not_fit_is_told_at_its_place(
    text: str, path: str, message: str, hint: str | None
) -> None:
    ((where, said, advice),) = issues(text)
    assert where == path
    assert message in said
    assert hint is None or hint in (advice or "")


def test_a_long_value_is_cut_and_a_control_character_shown_as_escape() -> None:
    ((_, said, _),) = issues('{name: a, ratio: "\\e' + "x" * 500 + '"}')
    assert said.startswith("must be a number, not '\\\\x1bxxx")
    assert len(said) < 120
