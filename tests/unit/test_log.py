"""gateway/log.py: one line a record, no secret, nothing that plays tricks (I42, I45)."""

import io
import json
import logging

import pytest

from gateway.credentials.redact import Redactor
from gateway.log import ABOUT, Lines, going, printable, setup

HOSTILE = 'a\n{"level":"info"}\r\n\x1b[31mred\u202etxt\u2028x\x7f\x9b'


@pytest.fixture
def stream():
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = kept
    root.setLevel(level)


def test_json_record_is_one_line_and_parses_back_to_what_was_said(stream):
    setup("info", "json", stream=stream)
    logging.getLogger("x").info("called", extra={"tool": HOSTILE})
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    said = json.loads(stream.getvalue())
    assert (said["event"], said["tool"], said["level"]) == ("called", HOSTILE, "info")


def test_text_record_is_one_line_without_control_or_bidi_characters(stream):
    setup("info", "text", stream=stream)
    logging.getLogger("x").warning("name %s", HOSTILE, extra={"tool": HOSTILE})
    line = stream.getvalue()
    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_printable_leaves_ordinary_writing_alone():
    assert printable("naïve 東京 שלום — ok") == "naïve 東京 שלום — ok"


@pytest.mark.parametrize("format", ["text", "json"])
def test_secret_is_masked_in_message_facts_and_quoted_forms(stream, format):
    redactor = Redactor()
    redactor.learn('s3cret"quo\nted')
    setup("info", format, redactor, stream)
    log = logging.getLogger("x")
    log.info('got s3cret"quo\nted', extra={"header": 'Bearer s3cret"quo\nted'})
    assert "s3cret" not in stream.getvalue()
    assert stream.getvalue().count("***") == 2


def test_exception_is_told_by_class_and_place_without_its_message(stream):
    setup("info", "text", stream=stream)
    try:
        int("https://h/?key=hunter22")
    except ValueError:
        logging.getLogger("x").exception("fault")
    assert "hunter22" not in stream.getvalue()
    assert "ValueError at test_log.py:" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_the_call_that_goes_on_stands_in_each_record_of_its_context(stream):
    setup("info", "json", stream=stream)
    token = going.set(("r-1", "ci", "", "gh", "get"))
    logging.getLogger("x").info("a")
    going.reset(token)
    logging.getLogger("x").info("b")
    first, second = map(json.loads, stream.getvalue().splitlines())
    about = {key: first.get(key) for key in ABOUT}
    assert about == {
        **dict.fromkeys(ABOUT),
        "call_id": "r-1",
        "caller": "ci",
        "backend": "gh",
        "tool": "get",
    }
    assert not second.keys() & set(ABOUT)


@pytest.mark.parametrize("format", ["json", "text"])
def test_what_a_record_says_itself_counts_and_stands_there_once(stream, format):
    setup("info", format, stream=stream)
    token = going.set(("r-1", "ci", "", "gh", "get"))
    logging.getLogger("x").info("a", extra={"backend": "jira"})
    going.reset(token)
    line = stream.getvalue()
    assert line.count("backend") == 1
    assert "jira" in line
    assert "gh" not in line


def test_what_callers_chose_of_the_call_that_goes_on_stays_on_its_line(stream):
    setup("info", "text", stream=stream)
    token = going.set(("r-1", 'evil\n{"level":"info"}\x1b[31m\u202e', "", "gh", "get"))
    logging.getLogger("x").info("a")
    going.reset(token)
    assert stream.getvalue().count("\n") == 1
    assert not {"\x1b", "\u202e"} & set(stream.getvalue())


def test_record_that_cannot_be_written_is_dropped_in_silence(capsys):
    closed = io.StringIO()
    closed.close()
    handler = Lines(closed)
    handler.handle(logging.makeLogRecord({"msg": "secret text"}))
    assert "secret text" not in capsys.readouterr().err


def test_level_keeps_lower_records_out(stream):
    setup("warning", "text", stream=stream)
    logging.getLogger("x").info("quiet")
    assert not stream.getvalue()
