"""The measurement of imports sees it when a path argument gets out of its segment."""

import pytest

from benchmarks.openapi_calls import Called, Fate
from benchmarks.openapi_paths import attacks, route
from benchmarks.openapi_prism import Exchange

WAY = route({"get": "/pets/{{ args.id }}/toys/{{ args['toy.id'] | segments }}"})


def called(target, headers=None):
    exchange = Exchange("GET", target, headers or {}, b"", 200) if target else None
    return Called("b", "t", {}, Fate.ACCEPTED, "", exchange, structured=None)


BEFORE = called("/pets/1/toys/2?all=true")


def test_the_arguments_of_a_path_are_known():
    assert WAY.arguments == ("id", "toy.id")
    assert route({"steps": []}) is None


def test_each_argument_of_the_path_gets_every_value():
    tried = list(attacks(WAY, {"id": "1", "toy.id": ["2"], "all": True}))

    assert {"id": "../../admin", "toy.id": ["2"], "all": True} in tried
    assert {"id": "1", "toy.id": ["../../admin"], "all": True} in tried


@pytest.mark.parametrize("target", ["/pets/a%2Fb%3Fx/toys/2?all=true", None])
def test_what_stays_in_its_segment_or_is_not_sent_is_well(target):
    assert WAY.keeps(called(target), BEFORE)


@pytest.mark.parametrize(
    "target",
    [
        "/pets/../toys/2?all=true",
        "/pets/%2e%2E/toys/2?all=true",
        "/pets/..%252f..%252fadmin/toys/2?all=true",
        "/pets/..%5Cadmin/toys/2?all=true",
        "/pets/a/b/toys/2?all=true",
        "/admin?all=true",
        "/pets/1/toys/2?x=1",
        "/pets/1/toys/2",
    ],
)
def test_what_leaves_its_segment_is_seen(target):
    assert not WAY.keeps(called(target), BEFORE)


def test_a_header_that_was_smuggled_in_is_seen():
    assert not WAY.keeps(called("/pets/1/toys/2?all=true", {"x-injected": "1"}), BEFORE)
