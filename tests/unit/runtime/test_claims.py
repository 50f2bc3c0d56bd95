"""Who holds a name: the telling cases, one by one."""

from gateway.runtime.claims import Award, Claim, judge


def test_the_live_file_keeps_its_name_and_the_newcomer_is_told_who_has_it():
    """I51, even though the newcomer sorts first."""
    verdict = judge({"b.yaml": Claim("gh", served="gh"), "a.yaml": Claim("gh")})
    assert verdict.awards == {"gh": Award("b.yaml", newest=True)}
    assert verdict.refused == {"a.yaml": ("gh", "b.yaml")}


def test_a_broken_file_keeps_the_version_that_is_live():
    verdict = judge({"a.yaml": Claim(None, served="gh"), "b.yaml": Claim("gh")})
    assert verdict.awards == {"gh": Award("a.yaml", newest=False)}
    assert verdict.refused == {"b.yaml": ("gh", "a.yaml")}


def test_a_file_that_takes_a_name_which_is_held_stays_what_it_was():
    verdict = judge({"a.yaml": Claim("jira", served="gh"), "b.yaml": Claim("jira", served="jira")})
    assert verdict.awards == {
        "gh": Award("a.yaml", newest=False),
        "jira": Award("b.yaml", newest=True),
    }
    assert verdict.refused == {"a.yaml": ("jira", "b.yaml")}


def test_two_files_may_swap_names_in_one_reload():
    verdict = judge({"a.yaml": Claim("y", served="x"), "b.yaml": Claim("x", served="y")})
    assert {name: award.file for name, award in verdict.awards.items()} == {
        "y": "a.yaml",
        "x": "b.yaml",
    }
    assert not verdict.refused


def test_a_file_that_falls_back_on_its_old_name_beats_the_newcomer_there():
    verdict = judge(
        {
            "b.yaml": Claim("held", served="old"),
            "c.yaml": Claim("held", served="held"),
            "a.yaml": Claim("old"),
        }
    )
    assert verdict.awards["old"] == Award("b.yaml", newest=False)
    assert verdict.refused == {"a.yaml": ("old", "b.yaml"), "b.yaml": ("held", "c.yaml")}


def test_nothing_claimed_is_nothing_awarded():
    assert not judge({}).awards
    assert not judge({"a.yaml": Claim(None)}).awards
