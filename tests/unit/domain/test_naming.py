from gateway.domain.naming import LONGEST, Owned, merged_names, namespaced, owner_named


def test_a_short_name_says_whose_it_is() -> None:
    assert merged_names([Owned("git", "log")]) == {Owned("git", "log"): "git__log"}


def test_a_long_name_is_cut_and_stays_unique() -> None:
    long = [Owned("backend", "x" * 80 + end) for end in "ab"]
    names = merged_names(long)
    assert all(len(name) <= LONGEST for name in names.values())
    assert len(set(names.values())) == 2


def test_a_name_of_exactly_the_longest_length_stays_whole() -> None:
    fitting = Owned("b", "x" * (LONGEST - 3))
    assert merged_names([fitting])[fitting] == f"b__{fitting.name}"


def test_names_that_would_be_alike_are_told_apart_whoever_comes_first() -> None:
    alike = [Owned("a__b", "c"), Owned("a", "b__c")]
    names = merged_names(alike)
    assert len(set(names.values())) == 2
    assert "a__b__c" not in names.values()
    assert merged_names(reversed(alike)) == names


def test_a_server_cannot_take_the_name_that_another_one_got() -> None:
    victim = Owned("a", "b" * 80)
    taken = merged_names([victim])[victim]
    thief = Owned("a", taken.removeprefix("a__"))
    names = merged_names([victim, thief])
    assert names[thief] == taken
    assert names[victim] not in (taken, "")
    assert len(names[victim]) <= LONGEST


def test_the_same_thing_twice_has_one_name() -> None:
    assert len(merged_names([Owned("a", "b"), Owned("a", "b")])) == 1


def test_any_name_at_all_gets_one() -> None:
    odd = [Owned("a", name) for name in ("", "\ud800" * 80, "🦆" * 70, "\x00")]
    assert len(set(merged_names(odd).values())) == len(odd)


def test_a_namespaced_uri_is_read_back_as_it_was() -> None:
    for uri in ("file:///a%20b?x#y", "x:y", "http://h/{id}", "capgate://other/x:y"):
        assert owner_named(namespaced("b.1", uri)) == Owned("b.1", uri)
    assert owner_named("file:///x") is None
    assert owner_named("capgate://b") is None
