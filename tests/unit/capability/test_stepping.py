"""`steps`: what each reads of those before, what is left out, and what a failure tells."""

import json

from gateway.errors import BackendUnavailable, InvalidArguments, Reached, UpstreamFailed
from tests.unit.capability.flows import Played, answer, faults, tool_of

TWO = """
args: {email: {type: string, required: true}, text: {type: string}}
idempotency_key: Idempotency-Key
steps:
  - id: who
    get: /people
    query: {email: "{{ args.email }}"}
    response: {select: "$.people[0]", required: "Nobody is {{ args.email }}."}
  - id: dm
    post: /people/{{ steps.who.id }}/messages
    query: {q: "{{ steps.who.name }}"}
    headers: {X-Team: "{{ steps.who.team }}"}
    json: {text: "{{ args.text }}", to: "{{ steps.who }}", team: "{{ steps.who.team }}"}
    errors: [{status: 409, message: "Already said."}]
errors: [{status: 409, message: "In conflict."}]
response: {map: {id: $.dm.id, to: $.who.name}}
"""


def people(**person):
    return answer({"people": [person]})


def test_a_step_reads_what_came_of_the_one_before_as_data():
    """I47: an answer is as little to be trusted as an argument."""
    hostile = "../../admin?x=1#{{ secrets.key }}"
    played = Played(
        tool_of(TWO), [people(id="u/1", name=hostile), answer({"id": 9})], email="a@x.io", text="hi"
    )
    assert played.urls[1] == (
        "/people/u%2F1/messages?q=..%2F..%2Fadmin%3Fx%3D1%23%7B%7B+secrets.key+%7D%7D"
    )
    sent = json.loads(played.requests[1].body)
    assert sent == {"text": "hi", "to": {"id": "u/1", "name": hostile}}, (
        "what is missing is left out"
    )
    assert "X-Team" not in dict(played.requests[1].headers)
    assert played.value == {"id": 9, "to": hostile}


def test_a_value_that_would_leave_its_place_ends_the_call():
    for id in ("..", "%2e%2e", "a\r\nb", "", None):
        played = Played(tool_of(TWO), [people(id=id)], email="a@x.io")
        assert isinstance(played.error, InvalidArguments)
        assert "(step dm; completed: who)" in str(played.error)
        assert len(played.requests) == 1
    header = Played(tool_of(TWO), [people(id=1, team="a\r\nX-Evil: 1")], email="a@x.io")
    assert (isinstance(header.error, InvalidArguments), len(header.requests)) == (True, 1)


def test_without_a_response_the_result_is_every_step_by_its_name():
    text = "steps:\n  - {id: a, get: /a}\n  - {id: b, get: /b, response: {select: $.x}}"
    played = Played(tool_of(text), [answer([1]), answer({"x": 2})])
    assert played.value == {"a": [1], "b": 2}
    assert [(told.progress, told.total, told.message) for told in played.told] == [
        (1, 2, "a"),
        (2, 2, "b"),
    ]


def test_when_leaves_a_step_out_and_what_reads_it_is_missing():
    text = """
args: {deep: {type: boolean}}
steps:
  - {id: a, get: /a}
  - {id: b, get: "/b/{{ steps.a.id }}", when: args.deep and steps.a.id}
  - {id: c, get: /c, query: {b: "{{ steps.b.x }}", d: "{{ steps.b.x | default('none') }}"}}
"""
    played = Played(tool_of(text), [answer({"id": 1}), answer({})])
    assert played.urls == ["/a", "/c?d=none"]
    assert played.value == {"a": {"id": 1}, "c": {}}
    played = Played(tool_of(text), [answer({"id": 1}), answer({"x": 2}), answer({})], deep=True)
    assert played.urls == ["/a", "/b/1", "/c?b=2&d=2"]


def test_a_failing_step_says_which_and_what_was_done_before():
    played = Played(tool_of(TWO), [people(id=1), answer({"message": "no"}, 500)], email="a@x.io")
    assert str(played.error) == "HTTP 500 from api.t (step dm): no (step dm; completed: who)"
    assert isinstance(played.error, UpstreamFailed)


def test_errors_are_judged_by_the_steps_rules_then_the_tools():
    assert str(Played(tool_of(TWO), [answer({}, 409)], email="a").error) == "In conflict."
    played = Played(tool_of(TWO), [people(id=1), answer({}, 409)], email="a")
    assert str(played.error) == "Already said. (step dm; completed: who)"
    nobody = Played(tool_of(TWO), [answer({"people": []})], email="a@x.io")
    assert str(nobody.error) == "Nobody is a@x.io."


def test_what_changed_something_before_a_failure_is_no_licence_to_repeat():
    text = "steps:\n  - {id: make, post: /a}\n  - {id: look, get: /b}"
    lost = BackendUnavailable("connection refused")
    played = Played(tool_of(text), [answer({}), lost])
    assert played.error.reached is Reached.SENT_UNKNOWN
    assert played.error.hint.startswith("make was carried out already")
    read = Played(tool_of(text.replace("post", "get")), [answer({}), BackendUnavailable("no")])
    assert read.error.reached is Reached.NOT_SENT
    shape = Played(
        tool_of(text + "\nresponse: {select: $.x, required: Nothing.}"), [answer({}), answer({})]
    )
    assert str(shape.error) == "Nothing. (completed: make, look)"


def test_each_step_is_repeated_by_its_own_method():
    played = Played(tool_of(TWO), [people(id=1), answer({})], email="a")
    assert [send.plan.idempotent for send in played.sends] == [True, True]
    keys = [dict(request.headers).get("Idempotency-Key") for request in played.requests]
    assert (keys[0], len(keys[1])) == (None, 36)
    bare = tool_of(TWO.replace("idempotency_key: Idempotency-Key\n", ""))
    played = Played(bare, [people(id=1), answer({})], email="a")
    assert [send.plan.idempotent for send in played.sends] == [True, False]


def test_answers_are_kept_only_where_nothing_is_changed():
    text = "cache: 5m\nsteps:\n  - {id: a, get: /a}\n  - {id: b, get: /b}"
    played = Played(tool_of(text), [answer(1), answer(2)])
    assert [send.plan.cache_ttl for send in played.sends] == [300, 300]
    mixed = faults(text.replace("get: /b", "post: /b"))
    assert mixed == {"cache": "a step changes something: its answers cannot be kept"}


def test_a_tool_is_told_by_all_its_steps():
    def told(*methods):
        steps = "".join(f"\n  - {{id: s{at}, {one}: /x}}" for at, one in enumerate(methods))
        return tool_of(f"steps:{steps}").tool.definition["annotations"]

    assert told("get", "head")["readOnlyHint"] is True
    assert told("get", "put") == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": True,
        "openWorldHint": True,
    }
    assert told("get", "post", "delete")["idempotentHint"] is False


def test_faults_are_told_at_their_keys():
    steps = "steps:\n  - {id: a, get: /a}"
    for key in ("get: /x", "json: null", "query: {a: 1}", "headers: {X: 1}", "poll: {}"):
        name = key.split(":")[0]
        assert faults(f"{key}\n{steps}")[name] == f"{name!r} cannot stand beside 'steps'"
    assert faults(f"{steps}\n  - {{id: a, get: /b}}") == {"steps[1].id": "a second step called 'a'"}
    later = "steps:\n  - {id: a, get: '/{{ steps.b.x }}'}\n  - {id: b, get: '/b', when: steps.b}"
    assert faults(later) == {
        "steps[0].get": "no step before this one is 'b'",
        "steps[1].when": "no step before this one is 'b'",
    }
    assert faults(f"{steps}\n  - {{id: b}}").keys() == {"steps[1]"}
    assert faults("steps:\n  - {id: b, get: /x, json: 1}").keys() == {"steps[0].json"}
    assert faults(f"idempotency_key: K\n{steps}").keys() == {"idempotency_key"}
    assert faults(f"args: {{x: {{type: string}}}}\n{steps}").keys() == {"args.x"}
    shown = faults("steps:\n  - {id: a, get: /a, response: {text: hm, max_bytes: 1k}}")
    assert shown.keys() == {"steps[0].response.text", "steps[0].response.max_bytes"}
    many = "steps:" + "".join(f"\n  - {{id: s{at}, get: /a}}" for at in range(11))
    assert faults(many) == {"steps": "11 of them; at most 10"}


def test_more_faults_are_told_at_their_keys():
    steps = "steps:\n  - {id: a, get: /a}"
    assert faults(f"{steps}\nresponse: {{as: text}}").keys() == {"response.as"}
    assert faults("steps:\n  - {id: a, get: /a, response: {as: binary}}").keys() == {"steps[0]"}
    read = faults("steps:\n  - {id: a, get: /a, response: {select: '$.['}}")
    assert read.keys() == {"steps[0].response.select"}
    rule = faults("steps:\n  - {id: a, get: /a, errors: [{message: x}], timeout: 0}")
    assert rule.keys() == {"steps[0].errors[0]", "steps[0].timeout"}
    secret = faults("steps:\n  - {id: a, get: /a, when: secrets.key}")
    assert secret.keys() == {"steps[0].when"}
