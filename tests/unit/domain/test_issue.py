from gateway.domain.issue import Issue, Severity


def test_an_issue_says_where_what_and_what_to_do() -> None:
    issue = Issue("a.yaml", "unknown key 'x'", 3, 5, "tools.t.x", "did you mean 'y'?")
    assert str(issue) == ("a.yaml:3:5  tools.t.x\n  unknown key 'x'\n  hint: did you mean 'y'?")
    assert issue.severity is Severity.ERROR


def test_what_is_not_known_is_left_out() -> None:
    assert str(Issue("a.yaml", "is empty")) == "a.yaml\n  is empty"
    assert Issue("a.yaml", "x", 3).where == "a.yaml:3"
    assert Issue("a.yaml", "x", 0, 4).where == "a.yaml"
