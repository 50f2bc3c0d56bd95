"""An event as one line of JSON."""

import base64
import json
from urllib.parse import quote

import pytest

from gateway.credentials.redact import Redactor
from gateway.domain.events import CallFinished, MetaFinished, Queried
from gateway.domain.identity import Identity
from gateway.domain.text import cut
from gateway.observe.audit_copy import copied
from gateway.observe.audit_line import Entry, Rendering
from gateway.observe.audit_redaction import Rules

CI = Identity("ci", "web", "acme", agent="coder")
CANARY = "canary-S3cr3t/0123+456"
HOSTILE = [
    '\n{"level":"info"}',
    "\r\nx",
    "\x1b[31mred\x1b[0m",
    "\u202egpj.exe",
    "\u2028\u2029",
    "\x00\x07\x7f\x85\x9b",
    "\ufeff\u200b\u2066",
    "\U000e0041\U000e0042",
    'quote" back\\slash',
    "plain \N{SNOWMAN} and \N{GRINNING FACE}",
]


def rendering(*secrets):
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return Rendering("0a1b2c3d", redactor, Rules(["*password*", "shop:pay:card"]), 1_024)


def line(event, arguments=None, *, secrets=(), now=1_790_000_000.25):
    copy = copied(arguments, 1_024) if arguments else None
    made = rendering(*secrets)(Entry(7, now, event, copy))
    assert made.endswith(b"\n")
    assert made.count(b"\n") == 1
    return json.loads(made), made.decode()


def call(**more):
    return CallFinished("3f", "shop", "get_item", "ci", "ok", 0.0123456, CI)._replace(**more)


def test_a_call_says_who_what_and_how_it_ended():
    event = call(rule="policies.web.rules[0]", request=41, received=321, answered=2048)
    found, text = line(event, {"id": 7})
    assert found == {
        "time": "2026-09-21T14:13:20.250Z",
        "instance": "0a1b2c3d",
        "seq": 7,
        "id": "3f",
        "op": "call",
        "key": "ci",
        "decision": "allow",
        "outcome": "ok",
        "ms": 12.346,
        "bytes_in": 321,
        "bytes_out": 2048,
        "team": "web",
        "org": "acme",
        "agent": "coder",
        "backend": "shop",
        "tool": "get_item",
        "rule": "policies.web.rules[0]",
        "request": 41,
        "arguments": {"id": 7},
    }
    assert text.startswith('{"time":"2026-09-21T14:13:20.250Z","instance":')


def test_a_query_and_a_meta_tool_say_what_they_were():
    query = Queried("1", "shop", "resources/read", "ci", "timeout", 1.0, CI)
    found, _ = line(query._replace(about="file:///a", reached="sent_unknown", request="r-1"))
    wanted = ("op", "backend", "method", "about", "outcome", "reached", "request")
    assert [found[name] for name in wanted] == [
        *("query", "shop", "resources/read", "file:///a", "timeout", "sent_unknown", "r-1")
    ]
    meta = MetaFinished("2", "gateway_search_tools", "ci", "ok", 0.001, CI)
    found, _ = line(meta, {"query": "weather"})
    assert (found["op"], found["tool"], found["arguments"]) == (
        *("meta", "gateway_search_tools"),
        {"query": "weather"},
    )
    assert "backend" not in found


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [
        ("denied", "deny"),
        ("invalid_agent", "deny"),
        ("no_fallback_configured", "deny"),
        ("fallback_agent_not_in_rules", "deny"),
        *((other, "allow") for other in ("ok", "tool_error", "cancelled", "timeout", "busy")),
    ],
)
def test_what_rules_refused_says_so(outcome, decision):
    assert line(call(outcome=outcome))[0]["decision"] == decision


def test_what_rules_hid_says_so_too():
    hidden = call(outcome="tool_not_found", denied=True, known=False)
    missing = call(outcome="tool_not_found", known=False)
    assert [line(event)[0]["decision"] for event in (hidden, missing)] == ["deny", "allow"]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_others_say_it_is_one_line_that_shows_what_it_is(text):
    event = call(tool=text, backend=text, request=text, known=False, caller=text)
    found, shown = line(event._replace(who=Identity(text, text, text, agent=text)), {text: [text]})
    assert {found[name] for name in ("tool", "backend", "request", "key", "agent")} == {text}
    assert found["arguments"] == {text: [text]}
    assert all(character.isprintable() for character in shown[:-1])


def test_lone_surrogates_are_replaced_and_pairs_are_put_together():
    found, _ = line(call(tool="a\ud800b", known=False), {"x": "\udfff", "y": "\ud83d\ude00"})
    assert (found["tool"], found["arguments"]) == ("a\ufffdb", {"x": "\ufffd", "y": "\U0001f600"})


def test_numbers_that_json_has_not_are_null():
    found, _ = line(call(), {"x": float("nan"), "y": float("-inf")})
    assert found["arguments"] == {"x": None, "y": None}


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        f"Bearer {CANARY}",
        quote(CANARY),
        quote(CANARY, safe=""),
        base64.b64encode(f"user:{CANARY}".encode()).decode(),
        json.dumps({"q": CANARY}),
    ],
)
def test_a_known_secret_is_in_no_part_of_a_line(form):
    who = Identity(form, form, form, agent=form)
    event = call(tool=form, backend=form, rule=form, request=form, caller=form, who=who)
    _, text = line(event, {form: form, "list": [{"deep": form}]}, secrets=[CANARY])
    assert CANARY not in text
    assert quote(CANARY) not in text
    assert base64.b64encode(CANARY.encode()).decode()[4:20] not in text
    about = Queried("1", form, "resources/read", form, "ok", 1.0, who, about=form)
    assert CANARY not in line(about, secrets=[CANARY])[1]


def test_a_secret_of_digits_hides_that_number_and_leaves_json():
    event = call(received=123456, seconds=0.123456, request=123456)
    found, _ = line(event, {"pin": 123456, "other": 1234567}, secrets=["123456"])
    assert found["arguments"] == {"pin": "***", "other": "***7"}
    assert (found["request"], found["bytes_in"]) == ("***", 123456)


def test_a_secret_that_is_json_is_hidden_where_it_came_as_json():
    secret = '{"key":"abc","of":[1,2]}'
    found, text = line(call(), {"account": {"key": "abc", "of": [1, 2]}}, secrets=[secret])
    assert found["arguments"] == "***"
    assert secret not in text


def test_a_secret_that_looks_like_our_own_words_breaks_no_line():
    found, _ = line(call(), {"x": "outcome"}, secrets=["outcome", '"tool":', "get_item"])
    assert (found["outcome"], found["tool"]) == ("ok", "***")
    assert found["arguments"] == {"x": "***"}


def test_rules_for_a_tool_count_for_what_is_not_known_to_be_another():
    arguments = {"card": "4111", "sum": 3}
    assert line(call(tool="pay"), arguments)[0]["arguments"]["card"] == "***"
    assert line(call(tool="get_item"), arguments)[0]["arguments"]["card"] == "4111"
    assert line(call(backend="alias", known=False), arguments)[0]["arguments"]["card"] == "***"
    invoke = MetaFinished("2", "gateway_invoke", "ci", "tool_error", 0.001, CI)
    nested = {"server": "shop", "tool": "pay", "arguments": arguments}
    assert line(invoke, nested)[0]["arguments"]["arguments"] == {"card": "***", "sum": 3}


def test_names_that_are_too_long_are_cut():
    found, _ = line(call(caller="k" * 300, who=Identity("k", "t" * 300)))
    assert (len(found["key"]), len(found["team"])) == (257, 257)


def test_a_name_that_was_cut_does_not_end_with_half_a_secret():
    uri = cut("file:///" + "x" * 100 + CANARY + "y" * 50, 118)
    event = Queried("1", "shop", "resources/read", "ci", "ok", 1.0, CI, about=uri)
    assert "canary" in uri
    assert "canary" not in line(event, secrets=[CANARY])[1]


def test_the_time_is_that_of_each_event():
    made = rendering()
    times = [json.loads(made(Entry(1, now, call())))["time"][17:] for now in (1.0, 1.9996, 61.25)]
    assert times == ["01.000Z", "01.999Z", "01.250Z"]


def test_what_cannot_be_rendered_still_has_a_line():
    made = json.loads(rendering().faulty(Entry(9, 0.0, call()), "KeyError"))
    assert (made["id"], made["op"], made["outcome"], made["about"]) == (
        *("3f", "fault", "ok", "KeyError"),
    )
