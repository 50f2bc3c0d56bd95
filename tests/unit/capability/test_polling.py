"""`poll`: where the job is looked for, how long, and how it ends."""

import itertools
from email.utils import formatdate

import pytest

from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    DeadlineExceeded,
    Reached,
    UpstreamFailed,
)
from tests.unit.capability.flows import SECRET, Played, answer, faults, tool_of

PLAIN = """
post: /jobs
json: {a: 1}
poll: {every: 2s, max_wait: 10s}
"""
FULL = """
args: {x: {type: string}}
post: /jobs
json: {x: "{{ args.x }}"}
idempotency_key: Idempotency-Key
poll:
  url: $.links.status
  every: 2s
  max_wait: 10s
  until: body.state in ['done', 'failed']
  fail_when: body.state == 'failed'
  progress: $.percent
  then: $.links.result
response: {select: $.rows}
"""


def accepted(**headers):
    return answer({"state": "new"}, 202, **headers)


def job(state, **more):
    return answer({"state": state, "links": {"status": "/v1/jobs/7", "result": "/r/7"}, **more})


def test_a_job_is_asked_after_at_its_location_until_it_is_no_longer_202():
    answers = [accepted(location="/v1/jobs/7?key=x#top"), answer(None, 202), answer({"rows": [1]})]
    played = Played(tool_of(PLAIN), answers)
    assert played.value == {"rows": [1]}
    assert played.urls == ["/jobs", "/jobs/7", "/jobs/7"]
    assert [request.method for request in played.requests] == ["POST", "GET", "GET"]
    assert played.waits == [2.0, 2.0]


def test_the_probes_have_the_headers_of_the_first_but_those_of_its_body():
    played = Played(tool_of(FULL), [job("new"), job("done"), answer({"rows": [1]})], x="y")
    first, probe, fetch = (dict(request.headers) for request in played.requests)
    assert first.keys() - probe.keys() == {"Content-Type", "Idempotency-Key"}
    assert (probe, fetch) == (fetch, probe)
    assert {request.body for request in played.requests[1:]} == {None}
    assert [send.plan.idempotent for send in played.sends] == [True, True, True]
    assert "jobs/7" not in played.requests[1].route


def test_until_then_and_progress():
    answers = [job("new"), job("run", percent=40), job("run", percent=30), job("done", percent=100)]
    played = Played(tool_of(FULL), [*answers, answer({"rows": [1, 2]})])
    assert played.value == [1, 2]
    assert played.urls[-1] == "https://api.example.com/r/7"
    assert [(told.progress, told.message) for told in played.told] == [(40, "run")]


def test_without_a_number_the_looks_are_counted():
    answers = [accepted(location="/j"), answer({"status": "queued"}, 202), answer({})]
    played = Played(tool_of(PLAIN), answers)
    assert [(told.progress, told.message) for told in played.told] == [(1, "queued")]


def test_what_is_over_at_once_is_not_asked_after():
    assert len(Played(tool_of(PLAIN), [answer({"rows": []})]).requests) == 1
    played = Played(tool_of(FULL), [job("done"), answer({"rows": [3]})])
    assert (played.value, played.waits) == ([3], [])


@pytest.mark.parametrize(
    ("first", "url"),
    [
        (answer({}, 202, operation_location="https://api.example.com/ops/1"), "/ops/1"),
        (answer({}, 202, azure_asyncoperation="/ops/2"), "/ops/2"),
        (answer({}, 202, location="jobs/3"), "/v1/jobs/3"),
        (answer({"url": "/v1/jobs/4"}, 202), "/v1/jobs/4"),
        (answer({}, 201, location="/v1/jobs/5"), "/v1/jobs/5"),
        (answer(None, 303, location="/v1/jobs/6"), "/v1/jobs/6"),
        (answer({}, 202, location="/l", operation_location="/o"), "/l"),
    ],
)
def test_where_a_job_can_be_said_to_be(first, url):
    played = Played(tool_of(PLAIN), [first, answer({})])
    assert played.requests[1].url == f"https://api.example.com{url}"


def test_where_a_state_is_asked_for_the_monitor_goes_before_the_result():
    text = PLAIN.replace("every: 2s", "every: 2s, until: body.done")
    first = answer({}, 202, location="/l", operation_location="/o")
    played = Played(tool_of(text), [first, answer({"done": False}), answer({"done": True})])
    assert [url[-2:] for url in played.urls[1:]] == ["/o", "/o"]


def test_a_get_that_is_not_ready_is_asked_again():
    played = Played(tool_of("get: /stats\npoll: {}"), [answer(None, 202), answer([1])])
    assert played.urls == ["/stats", "/stats"]
    assert played.value == [1]


def test_retry_after_beats_the_pace():
    date = formatdate(4_000_000_000, usegmt=True)
    answers = [accepted(location="/j", retry_after="5"), answer({}, 202, retry_after="0")]
    played = Played(tool_of(PLAIN), [*answers, answer({}, 202, ratelimit_reset="9"), answer({})])
    assert played.waits == [5.0, 0.1, 2.0], "and what is left of a quota is no wish"
    far = Played(tool_of(PLAIN), [accepted(location="/j", retry_after=date)])
    assert isinstance(far.error, DeadlineExceeded)
    assert "it asks to be left alone for 86400 s" in (far.error.hint or "")


def test_after_max_wait_it_is_said_where_the_job_is():
    """A second tool can fetch it."""
    waiting = itertools.repeat(answer({}, 202))
    answers = [accepted(location=f"/v1/jobs/7?token={SECRET}"), *itertools.islice(waiting, 9)]
    played = Played(tool_of(PLAIN), answers)
    assert str(played.error) == "api.t: not done after 10 s; it goes on at /v1/jobs/7"
    assert played.error.reached is Reached.COMPLETED
    assert "calling this tool again starts another job" in played.error.hint
    assert played.waits == [2.0] * 5
    assert SECRET not in played.error.explain()


def test_the_last_look_is_at_the_end_of_the_time():
    text = PLAIN.replace("max_wait: 10s", "max_wait: 5s")
    answers = [accepted(location="/j"), *[answer({}, 202)] * 3]
    assert Played(tool_of(text), answers).waits == [2.0, 2.0, 1.0]


def test_the_calls_own_deadline_ends_it_likewise():
    left = iter([60.0, 60.0, 60.0, 0.0, 0.0, 0.0])
    played = Played(tool_of(PLAIN), [accepted(location="/j"), answer({}, 202)], lambda: next(left))
    assert "it goes on at /j" in str(played.error)
    cut = Played(tool_of(PLAIN), [accepted(location="/j"), DeadlineExceeded("the time is up")])
    assert "it goes on at /j" in str(cut.error)


def test_a_failed_job_is_an_error_in_the_apis_words_or_the_authors():
    failed = answer({"state": "failed", "message": "no such table"})
    played = Played(tool_of(FULL), [job("new"), failed])
    assert isinstance(played.error, UpstreamFailed)
    assert str(played.error) == "api.t failed: no such table"
    text = FULL.replace("then: $", "message: 'Bad {{ args.x }}: {{ body.message }}'\n  then: $")
    played = Played(tool_of(text), [job("new"), failed], x="query")
    assert str(played.error) == "Bad query: no such table"
    assert str(Played(tool_of(text), [failed], x="q").error) == "Bad q: no such table"


def test_a_failed_look_says_where_the_job_is_and_is_no_licence_to_repeat():
    played = Played(tool_of(PLAIN), [accepted(location="/j"), answer({}, 500)])
    assert str(played.error) == "HTTP 500 from api.t"
    assert played.error.hint.endswith("its job is at /j")
    gone = Played(tool_of(PLAIN), [accepted(location="/j"), BackendUnavailable("refused")])
    assert gone.error.reached is Reached.SENT_UNKNOWN


@pytest.mark.parametrize("link", ["https://evil.example/j", "//evil.example", "/a/%2e%2e/b"])
def test_a_job_elsewhere_is_not_looked_at(link):
    played = Played(tool_of(PLAIN), [accepted(location=link)])
    assert isinstance(played.error, BadResponse)
    assert len(played.requests) == 1
    result = Played(tool_of(FULL), [job("done", links={"result": link})])
    assert (isinstance(result.error, BadResponse), len(result.requests)) == (True, 1)


def test_a_job_without_a_url_is_an_error():
    assert isinstance(Played(tool_of(PLAIN), [answer({}, 202)]).error, BadResponse)
    assert isinstance(Played(tool_of(FULL), [answer({"state": "new"})]).error, BadResponse)


def test_an_error_at_the_start_is_told_as_ever():
    assert str(Played(tool_of(PLAIN), [answer({}, 422)]).error) == "HTTP 422 from api.t"


def test_faults_are_told_at_their_keys():
    assert faults(PLAIN + "cache: 5m") == {"poll": "'poll' and 'cache' cannot be combined"}
    found = faults("get: /x\npoll: {every: 0s, max_wait: soon, message: hm}")
    assert found.keys() == {"poll.every", "poll.max_wait", "poll.message"}
    found = faults(
        "get: /x\npoll: {url: '$.[', until: nope.x, fail_when: '{{ body }}', then: $.x..}"
    )
    assert found.keys() == {"poll.url", "poll.until", "poll.fail_when", "poll.then"}


def test_a_result_that_cannot_be_fetched_says_where_the_job_is():
    played = Played(tool_of(FULL), [job("done"), answer({}, 404)])
    assert str(played.error) == "HTTP 404 from api.t"
    played = Played(tool_of(FULL), [job("new"), job("done"), BackendUnavailable("refused")])
    assert played.error.hint.endswith("its job is at /v1/jobs/7")


def test_a_rule_that_says_try_again_or_empty_is_asked_of_each_look():
    rules = "errors: [{status: 404, then: retry, message: Not yet.}, {status: 410, then: empty}]"
    played = Played(tool_of(PLAIN + rules), [accepted(location="/j"), answer({}, 404)])
    assert str(played.error) == "Not yet."
    gone = Played(tool_of(PLAIN + rules), [accepted(location="/j"), answer({}, 410)])
    assert gone.value == {}


def test_a_path_that_gives_a_list_gives_its_first():
    text = PLAIN.replace("every: 2s", "every: 2s, url: \"$.links[?@.rel == 'job'].href\"")
    body = {"links": [{"rel": "x", "href": "/x"}, {"rel": "job", "href": "/j"}]}
    played = Played(tool_of(text), [answer(body, 202), answer([1])])
    assert played.urls[1].endswith("/j")
    none = Played(tool_of(text), [answer({"links": []}, 202)])
    assert isinstance(none.error, BadResponse)


def test_a_get_that_is_given_up_can_be_called_again():
    text = "get: /stats\npoll: {every: 2s, max_wait: 2s}"
    played = Played(tool_of(text), [answer(None, 202)] * 2)
    assert played.error.hint == "call it again later"


def test_a_job_that_moves_is_followed():
    moved = answer({}, 202, location="/j/2")
    played = Played(tool_of(PLAIN), [accepted(location="/j/1"), moved, answer([1])])
    assert [url[-4:] for url in played.urls[1:]] == ["/j/1", "/j/2"]
