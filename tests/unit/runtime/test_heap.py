"""The collector waits during a reload, and does not visit again what that made."""

import gc

import pytest

from gateway.runtime.heap import FEW, calm


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.enable()
    gc.unfreeze()


class Knot:
    """Only the collector can free it."""

    def __init__(self):
        self.me = self


def test_nothing_is_collected_inside_and_all_is_as_before_afterwards():
    with calm():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_many_files_come_to_is_set_aside_unvisited():
    gc.collect()
    before, runs = gc.get_freeze_count(), gc.get_stats()[2]["collections"]
    with calm() as made:
        kept = [Knot() for _ in range(1000)]
        made.files = FEW
    assert gc.get_freeze_count() >= before + len(kept)
    assert gc.get_stats()[2]["collections"] == runs


def test_after_a_few_files_what_died_meanwhile_is_freed_first():
    gc.collect()
    for _ in range(1000):
        Knot()
    with calm() as made:
        made.files = 1
    assert gc.get_freeze_count() > 0
    assert not [one for one in gc.get_objects() if isinstance(one, Knot)]
    gc.unfreeze()
    assert not [one for one in gc.get_objects() if isinstance(one, Knot)]


def test_a_reload_that_loads_nothing_sets_nothing_aside():
    before = gc.get_freeze_count()
    with calm():
        pass
    assert gc.get_freeze_count() == before


def test_a_process_without_a_collector_keeps_it_off():
    gc.disable()
    with calm():
        pass
    assert not gc.isenabled()


def test_an_error_inside_leaves_the_collector_on():
    with pytest.raises(ZeroDivisionError), calm():
        raise ZeroDivisionError
    assert gc.isenabled()
