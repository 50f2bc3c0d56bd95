"""gateway/config/sarif: what code hosts read."""

from gateway.config.sarif import sarif
from gateway.domain.issue import Issue, Severity


def test_an_issue_stands_at_its_line_with_its_hint():
    issue = Issue("caps/a b.yaml", "no such filter", 14, 12, "tools.t.get", "did you mean 'join'?")
    [run] = sarif([issue])["runs"]
    assert run["results"] == [
        {
            "ruleId": "capgate/error",
            "level": "error",
            "message": {"text": "no such filter (did you mean 'join'?)"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "caps/a%20b.yaml"},
                        "region": {"startLine": 14, "startColumn": 12},
                    },
                    "logicalLocations": [{"fullyQualifiedName": "tools.t.get"}],
                }
            ],
        }
    ]


def test_every_rule_that_a_result_names_is_told():
    issues = [Issue("f", "m", severity=severity) for severity in Severity]
    log = sarif(issues)
    [run] = log["runs"]
    told = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == told
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    assert log["version"] == "2.1.0"


def test_a_place_that_is_not_known_has_no_region():
    [run] = sarif([Issue("f", "m")])["runs"]
    [place] = run["results"][0]["locations"]
    assert place == {"physicalLocation": {"artifactLocation": {"uri": "f"}}}
