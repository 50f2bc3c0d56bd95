"""Examples of several requests, run offline: each request is compared, each reply must be used."""

from gateway.capability.examples.checking import check
from tests.unit.capability.flows import loaded

PAGES = """
args: {q: {type: string}}
get: /x
query: {q: "{{ args.q }}"}
paginate: {items: $.d, cursor: {from: $.n, query: after}}
examples:
"""
JOB = """
post: /jobs
poll: {every: 30s, max_wait: 1h, then: $.at, fail_when: body.bad, message: "Broke: {{ body.bad }}"}
examples:
"""
STEPS = """
args: {id: {type: string, required: true}}
steps:
  - {id: a, get: "/a/{{ args.id }}"}
  - {id: b, post: "/b/{{ steps.a.x }}", headers: {X-Key: "{{ secrets.key }}"}}
examples:
"""
ONE, TWO = "{json: {d: [1], n: c}}", "{json: {d: [2]}}"
BASE = "https://api.example.com/v1"


def found(tool, example):
    """Path below the example -> message."""
    given = loaded(f"{tool.strip()}\n  - {example}")
    assert given.capability is not None, [str(issue) for issue in given.issues]
    head = "tools.t.examples[0]"
    return {issue.path.removeprefix(head).lstrip("."): issue.message for issue in check(given)}


def test_all_requests_and_replies_are_followed():
    requests = f'requests: [{{url: "{BASE}/x?q=y"}}, {{url: "{BASE}/x?q=y&after=c"}}]'
    example = f"{{args: {{q: y}}, {requests}, replies: [{ONE}, {TWO}], result: [1, 2]}}"
    assert found(PAGES, example) == {}
    wrong = found(PAGES, example.replace("after=c", "after=d"))
    assert wrong.keys() == {"requests[1].url"}
    assert found(PAGES, example.replace("[1, 2]}", "[1, 3]}")).keys() == {"result[1]"}


def test_the_single_forms_do_for_a_flow_of_one_request():
    example = f'{{request: {{url: "{BASE}/x"}}, reply: {TWO}, result: [2]}}'
    assert found(PAGES, example) == {}


def test_a_reply_too_few_or_too_many_is_told():
    assert found(PAGES, f"{{reply: {ONE}, result: [1]}}") == {
        "reply": f"more is asked for, and no reply is left: GET {BASE}/x?after=c"
    }
    assert found(PAGES, f"{{replies: [{TWO}, {TWO}], result: [2]}}") == {
        "replies": "only 1 of 2 replies are asked for"
    }


def test_a_request_too_few_or_too_many_is_told():
    many = found(PAGES, f"{{replies: [{ONE}, {TWO}], requests: [{{method: get}}]}}")
    assert many == {"requests": f"2 requests are sent; the next: GET {BASE}/x?after=c"}
    few = found(PAGES, f"{{replies: [{TWO}], requests: [{{method: get}}, {{method: get}}]}}")
    assert few == {"requests[1]": "this request does not come: it is not sent"}
    none = found(PAGES, "{requests: [{method: get}, {method: get}]}")
    assert none == {
        "requests[1]": "this request does not come: there is no reply to the one before"
    }


def test_waiting_takes_no_time_and_a_failed_job_is_an_error():
    begun = "{status: 202, headers: {Location: /j/1}}"
    going = "{status: 202}"
    replies = f"[{begun}, {going}, {going}, {{json: {{at: /r/1}}}}, {{json: [1]}}]"
    assert found(JOB, f"{{replies: {replies}, result: [1]}}") == {}
    broken = f"[{begun}, {{json: {{bad: disk}}}}]"
    assert found(JOB, f'{{replies: {broken}, error: "Broke: disk"}}') == {}


def test_secrets_need_not_be_there_and_hostile_arguments_are_rejected():
    first, second = "{json: {x: u/1}}", "{json: {}}"
    headers = "{headers: {X-Key: dummy-key}}"
    example = (
        f"{{args: {{id: a}}, replies: [{first}, {second}],"
        f' requests: [{{url: "{BASE}/a/a"}}, {headers}], result: {{a: {{x: u/1}}, b: {{}}}}}}'
    )
    assert found(STEPS, example) == {}
    assert found(STEPS, "{args: {id: ..}, rejected: path}") == {}
    late = found(STEPS, "{args: {id: a}, replies: [{json: {}}]}")
    assert late.keys() == {"replies"}
    assert "this reply is an error: steps.a: the path needs a value here" in late["replies"]


def test_a_wrong_reply_is_told_at_its_place():
    assert found(PAGES, "{replies: [{json: {}}, {json: 1, text: a}]}").keys() == {"replies[1]"}
