"""Desired minus actual, and who holds a name: for any files whatever."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.runtime.claims import Claim, judge
from gateway.runtime.plan import Wanted, plan

NAMES = st.sampled_from("abcde")
KEYS = st.sampled_from(["1", "2", "3"])
FILES = st.sampled_from(["a.yaml", "b.yaml", "c.yaml", "d.yaml"])


def wanted(keys):
    return {name: Wanted(name, key, build=lambda: None) for name, key in keys.items()}


@given(st.dictionaries(NAMES, KEYS), st.dictionaries(NAMES, KEYS))
def test_carrying_out_a_plan_leads_from_actual_to_desired(desired, actual):
    steps = plan(wanted(desired), wanted(actual))
    after = {name: key for name, key in actual.items() if name not in steps.stop}
    after |= {name: desired[name] for name in steps.start}
    assert after == desired


@given(st.dictionaries(NAMES, KEYS), st.dictionaries(NAMES, KEYS))
def test_a_plan_touches_nothing_that_is_unchanged(desired, actual):
    steps = plan(wanted(desired), wanted(actual))
    same = {name for name in desired if actual.get(name) == desired[name]}
    assert set(steps.keep) == same
    assert not same & {*steps.start, *steps.stop}
    assert list(steps.start) == sorted(set(steps.start))


@given(st.dictionaries(NAMES, KEYS))
def test_a_plan_is_empty_when_all_is_as_desired(keys):
    steps = plan(wanted(keys), wanted(keys))
    assert (steps.start, steps.stop) == ((), ())


@st.composite
def shelves(draw):
    """Claims of files, of which no two serve the same name: what a verdict always leaves."""
    newest = draw(st.dictionaries(FILES, st.none() | NAMES))
    served = draw(st.lists(NAMES, unique=True, max_size=len(newest)))
    holders = dict(zip(draw(st.permutations(sorted(newest))), served, strict=False))
    return {file: Claim(name, holders.get(file)) for file, name in newest.items()}


@given(shelves())
def test_a_name_has_one_file_and_a_file_one_name(claims):
    verdict = judge(claims)
    files = [award.file for award in verdict.awards.values()]
    assert len(files) == len(set(files))
    for name, award in verdict.awards.items():
        claim = claims[award.file]
        assert name == (claim.newest if award.newest else claim.served)


@given(shelves())
def test_a_file_that_is_live_is_never_pushed_out_by_another(claims):
    verdict = judge(claims)
    for file, claim in claims.items():
        if claim.served is not None:
            assert file in {award.file for award in verdict.awards.values()}
            if claim.newest in (None, claim.served):
                assert verdict.awards[claim.served].file == file


@given(shelves())
def test_every_wanted_name_is_served_and_every_refusal_names_its_holder(claims):
    verdict = judge(claims)
    for file, claim in claims.items():
        if claim.newest is None:
            assert file not in verdict.refused
            continue
        holder = verdict.awards[claim.newest].file
        assert verdict.refused.get(file, (claim.newest, file)) == (claim.newest, holder)
        assert (file in verdict.refused) == (holder != file)


@given(st.dictionaries(FILES, NAMES))
def test_at_a_cold_start_the_first_file_in_sort_order_wins(names):
    verdict = judge({file: Claim(name) for file, name in names.items()})
    for name, award in verdict.awards.items():
        assert award.file == min(file for file, other in names.items() if other == name)


@given(shelves())
def test_a_verdict_stands_until_a_file_changes(claims):
    """Applying a verdict and judging again gives the same: no flapping between reloads."""
    first = judge(claims)
    served = {award.file: name for name, award in first.awards.items()}
    again = {file: Claim(claim.newest, served.get(file)) for file, claim in claims.items()}
    assert judge(again) == first
