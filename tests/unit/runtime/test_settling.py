"""When a changed file counts as complete (F7)."""

from gateway.config.folder import Entry, Stamp
from gateway.runtime.settling import QUIET, Settling


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def entry(*, inode=1, size=10, mtime=5, ctime=None, real="/caps/a.yaml"):
    return Entry("a.yaml", real, Stamp(1, inode, size, mtime, mtime if ctime is None else ctime))


def settling():
    clock = Clock()
    return Settling(clock=clock), clock


def test_a_file_written_in_place_counts_after_a_while_without_change():
    settle, clock = settling()
    assert not settle.done(entry(size=20, mtime=6), entry())
    clock.now += QUIET - 0.01
    assert not settle.done(entry(size=20, mtime=6), entry())
    clock.now += 0.02
    assert settle.done(entry(size=20, mtime=6), entry())


def test_each_further_write_starts_the_wait_anew():
    settle, clock = settling()
    for size in (20, 30, 40):
        assert not settle.done(entry(size=size, mtime=size), entry())
        clock.now += QUIET - 0.01
    assert not settle.done(entry(size=40, mtime=40), entry())
    clock.now += 0.02
    assert settle.done(entry(size=40, mtime=40), entry())


def test_a_new_file_that_is_still_being_written_waits_too():
    settle, clock = settling()
    assert not settle.done(entry(), None)
    clock.now += QUIET + 0.01
    assert settle.done(entry(), None)


def test_a_file_renamed_into_place_counts_at_once():
    settle, _clock = settling()
    assert settle.done(entry(inode=2, mtime=6, ctime=7), entry())
    assert settle.done(entry(mtime=6, ctime=7), None)


def test_a_change_of_mode_does_not_make_a_half_written_file_complete():
    settle, _clock = settling()
    assert not settle.done(entry(size=20, mtime=6, ctime=7), entry())


def test_a_link_that_leads_elsewhere_counts_at_once():
    settle, _clock = settling()
    new = entry(inode=2, mtime=6, real="/caps/..2/a.yaml")
    assert settle.done(new, entry(real="/caps/..1/a.yaml"))


def test_the_clock_on_the_wall_does_not_matter():
    """F12: files dated in the future, or before the epoch."""
    settle, clock = settling()
    for mtime in (10**19, -5):
        assert not settle.done(entry(mtime=mtime, size=20), entry())
        clock.now += QUIET + 0.01
        assert settle.done(entry(mtime=mtime, size=20), entry())


def test_a_file_that_was_gone_meanwhile_starts_to_wait_anew():
    settle, clock = settling()
    settle.done(entry(size=20), entry())
    settle.keep(["b.yaml"])
    clock.now += QUIET + 0.01
    assert not settle.done(entry(size=20), entry())
