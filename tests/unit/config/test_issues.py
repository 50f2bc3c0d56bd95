"""How issues read at a terminal and in JSON."""

from gateway.config.issues import LinesOf, as_json, report, show, summary
from gateway.domain.issue import Issue, Severity

LINES = ["capability: 1", "tools:", "  now:", "    get: /x?y"]
AT = Issue("w.yaml", "a path has no '?'", 4, 10, "tools.now.get", hint="use query:")


def test_the_offending_line_is_shown_with_a_mark_under_the_column():
    assert show(AT, LINES) == (
        "w.yaml:4:10  tools.now.get\n"
        "  error: a path has no '?'\n"
        "    4 |     get: /x?y\n"
        "      |          ^\n"
        "  hint: use query:"
    )


def test_without_the_file_or_a_line_the_place_alone_is_told():
    assert show(AT) == (
        "w.yaml:4:10  tools.now.get\n  error: a path has no '?'\n  hint: use query:"
    )
    assert show(Issue("w.yaml", "not a regular file"), LINES) == (
        "w.yaml\n  error: not a regular file"
    )


def test_a_line_beyond_the_end_and_a_column_beyond_the_line_are_no_trouble():
    assert "|" not in show(Issue("w.yaml", "hm", 99, 1), LINES)
    assert show(Issue("w.yaml", "hm", 2, 50), LINES).endswith("    2 | tools:\n      |       ^")


def test_a_long_line_is_cut_around_the_column():
    line = "x" * 500 + "BAD" + "y" * 500
    text = show(Issue("w.yaml", "hm", 1, 501), [line])
    excerpt, mark = text.splitlines()[-2:]
    assert excerpt[mark.index("^") :].startswith("BAD")
    assert len(excerpt) < 120


def test_the_mark_stands_right_after_tabs_and_wide_characters():
    excerpt, mark = show(Issue("w.yaml", "hm", 1, 4), ["\t日本BAD"]).splitlines()[-2:]
    assert excerpt.endswith("日本BAD")
    assert mark.index("^") == excerpt.index("B") + 2  # two characters before it are two wide


def test_a_line_cannot_play_tricks_on_the_terminal():
    text = show(Issue("w.yaml", "hm", 1, 1), ["\x1b[31mred \u202e desrever"])
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_line_shows_no_credential_that_is_written_in_it():
    """I42. What a start that fails prints may be kept by whatever started it."""
    line = "- {name: ann, key: 'of-ann-0123', level: lord, x: cg_qPZ0123456789abcdefghijklmnop}"
    shown = show(Issue("gateway.yaml", "wrong", 1, line.index("level") + 1), [line])
    assert "of-ann" not in shown
    assert "cg_" not in shown
    first, mark = shown.splitlines()[2:]
    assert first.index("level") == mark.index("^")
    for kept in ("key: env:KEY", 'bearer: "{{ secrets.token }}"', "token: ${TOKEN}", "key: {x: y}"):
        assert kept in show(Issue("gateway.yaml", "wrong", 1, 1), [kept])


def test_a_report_is_in_order_of_place_and_ends_with_the_count():
    one = Issue("b.yaml", "one", 9)
    two = Issue("a.yaml", "two", severity=Severity.WARNING)
    three = Issue("b.yaml", "three", 2)
    text = report([one, two, three], lambda _file: ())
    assert [part.splitlines()[1] for part in text.split("\n\n")[:-1]] == [
        "  warning: two",
        "  error: three",
        "  error: one",
    ]
    assert text.endswith("\n\n2 errors, 1 warning")


def test_the_summary_counts_by_severity():
    assert summary([]) == "no issues"
    assert summary([Issue("a", "x", severity=Severity.DEGRADED)] * 2) == "2 degraded"


def test_json_has_every_field_and_null_for_an_unknown_line():
    assert as_json(AT) == {
        "file": "w.yaml",
        "line": 4,
        "column": 10,
        "path": "tools.now.get",
        "severity": "error",
        "message": "a path has no '?'",
        "hint": "use query:",
    }
    assert as_json(Issue("w.yaml", "hm"))["line"] is None


def test_lines_are_read_once_and_unreadable_files_have_none(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\nb: 2\n")
    lines = LinesOf()
    assert lines(str(path)) == ["a: 1", "b: 2"]
    path.unlink()
    assert lines(str(path)) == ["a: 1", "b: 2"]
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert lines(str(tmp_path / "binary.yaml")) == ()
    assert lines(str(tmp_path)) == ()
