"""`paginate`: which pages are asked for, when it stops, and what is said of the rest."""

import json

import pytest

from gateway.capability.sending.links import LinkError, led_to, next_link
from gateway.errors import DeadlineExceeded, InvalidArguments, UpstreamFailed
from tests.unit.capability.flows import SECRET, Played, answer, faults, tool_of

CURSOR = """
args: {q: {type: string}, after: {type: string}}
get: /things
query: {q: "{{ args.q }}", after: "{{ args.after }}"}
paginate: {items: $.data, cursor: {from: $.next, query: after}, max_pages: 3, max_items: 5}
"""
LINK = """
args: {last: {type: string}}
get: /things
query: {last: "{{ args.last }}"}
paginate: {items: $, link: true}
"""
NEXT_URL = LINK.replace("link: true", "next_url: $.next").replace("items: $", "items: $.data")


def counted(way, extra="size: {query: limit, value: 2}", **keys):
    more = "".join(f", {name}: {value}" for name, value in keys.items())
    return tool_of(
        f"""
args: {{from: {{type: integer}}}}
get: /things
query: {{at: "{{{{ args.from }}}}"}}
paginate: {{items: $, {way}: {{query: at}}, {extra}{more}}}
"""
    )


def page(items, next_=None):
    return answer({"data": items, "next": next_})


def test_items_of_all_pages_become_one_list_and_no_page_more_is_asked_for():
    played = Played(tool_of(CURSOR), [page([1, 2], "a&b"), page([3])], q="x")
    assert played.value == [1, 2, 3]
    assert played.urls == ["/things?q=x", "/things?q=x&after=a%26b"]
    assert (played.meta, played.notice) == ({}, None)


@pytest.mark.parametrize("last", [None, "", False, 0, []])
def test_an_empty_cursor_ends_it(last):
    played = Played(tool_of(CURSOR), [page([1], last)])
    assert (played.value, played.notice) == ([1], None)


def test_a_missing_cursor_or_a_page_without_items_ends_it():
    assert Played(tool_of(CURSOR), [answer({"data": [1]})]).value == [1]
    played = Played(tool_of(CURSOR), [page([1], "a"), page([], "b")])
    assert (played.value, len(played.requests), played.notice) == ([1], 2, None)


def test_a_cursor_that_comes_back_ends_it_too():
    """No loop of the API's holds us."""
    same = Played(tool_of(CURSOR), [page([1], "a"), page([2], "a")])
    assert (same.value, len(same.requests)) == ([1, 2], 2)
    loop = CURSOR.replace("max_pages: 3", "max_pages: 9")
    played = Played(tool_of(loop), [page([1], "a"), page([2], "b"), page([3], "a")])
    assert (played.value, len(played.requests), played.notice) == ([1, 2, 3], 3, None)


def test_what_stops_at_max_pages_says_where_it_goes_on():
    played = Played(tool_of(CURSOR), [page([1], "a"), page([2], "b"), page([3], "c")])
    assert played.value == [1, 2, 3]
    assert played.meta == {"next": "c", "returned": 3}
    assert played.notice == (
        '3 items; there is more, but max_pages is reached. Go on with: after="c".'
    )


def test_a_call_goes_on_where_the_one_before_stopped():
    played = Played(tool_of(CURSOR), [page([4], "d"), page([5])], after="c")
    assert played.urls == ["/things?after=c", "/things?after=d"]
    assert played.value == [4, 5]


def test_max_items_cuts_within_a_page_and_loses_nothing():
    played = Played(tool_of(CURSOR), [page([1, 2, 3], "a"), page([4, 5, 6], "b")])
    assert played.value == [1, 2, 3, 4, 5]
    assert played.meta == {"next": "a", "returned": 5}
    assert "The first 2 items then are known already." in played.notice


def test_a_full_result_asks_for_no_further_page():
    played = Played(tool_of(CURSOR), [page([1, 2, 3, 4, 5], "a")])
    assert (len(played.requests), played.meta["next"]) == (1, "a")
    assert Played(tool_of(CURSOR), [page([1, 2, 3, 4, 5])]).notice is None


def test_a_limit_that_the_caller_asked_for_ends_it_without_a_word():
    text = CURSOR.replace("args: {", "args: {rows: {type: integer}, ")
    text += 'response: {limit: "{{ args.rows }}"}'
    played = Played(tool_of(text), [page([1, 2, 3], "a")], rows=2)
    assert (played.value, played.notice, len(played.requests)) == ([1, 2], None, 1)
    assert Played(tool_of(text), [page([1, 2, 3], "a"), page([4])]).value == [1, 2, 3, 4]


def test_select_and_map_work_on_the_whole_list():
    text = CURSOR + 'response: {select: "$[?@.ok]", map: {n: $.n}}'
    pages = [page([{"n": 1, "ok": True}, {"n": 2}], "a"), page([{"n": 3, "ok": True}])]
    assert Played(tool_of(text), pages).value == [{"n": 1}, {"n": 3}]


def test_without_an_argument_for_it_the_rest_cannot_be_had_and_it_says_so():
    text = CURSOR.replace(', after: "{{ args.after }}"', "").replace(", after: {type: string}", "")
    text = text.replace("max_pages: 3", "max_pages: 1")
    played = Played(tool_of(text), [page([1], "a")])
    assert played.meta == {"next": "a", "returned": 1}
    assert played.notice == "1 items; there is more, but max_pages is reached. Narrow with: q."


def test_while_says_when_to_go_on():
    text = CURSOR.replace("max_pages: 3", "max_pages: 3, while: body.more")
    pages = [answer({"data": [1], "next": "a", "more": True}), page([2], "b")]
    played = Played(tool_of(text), pages)
    assert (played.value, played.notice) == ([1, 2], None)


def test_numbers_of_pages_are_counted_and_a_page_that_is_not_full_is_the_last():
    played = Played(counted("page"), [answer([1, 2]), answer([3])])
    assert played.urls == ["/things?limit=2&at=1", "/things?limit=2&at=2"]
    assert (played.value, played.notice) == ([1, 2, 3], None)


def test_offsets_count_what_came():
    played = Played(
        counted("offset", extra="max_pages: 4"), [answer([1, 2]), answer([3]), answer([])]
    )
    assert played.urls == ["/things?at=0", "/things?at=2", "/things?at=3"]
    assert played.value == [1, 2, 3]


def test_counting_begins_where_the_file_or_the_call_says():
    zero = tool_of("get: /things\npaginate: {items: $, page: {query: p, start: 0}, max_pages: 1}")
    assert Played(zero, [answer([])]).urls == ["/things?p=0"]
    played = Played(counted("page"), [answer([1, 2]), answer([])], **{"from": 7})
    assert played.urls == ["/things?at=7&limit=2", "/things?at=8&limit=2"]


def test_a_full_last_page_may_not_be_the_last():
    played = Played(counted("page", max_pages=2), [answer([1, 2]), answer([3, 4])])
    assert played.meta == {"next": 3, "returned": 4}
    assert (
        played.notice == "4 items; there may be more, but max_pages is reached. Go on with: from=3."
    )


def test_an_offset_goes_on_within_a_page():
    played = Played(counted("offset", max_items=3), [answer([1, 2]), answer([3, 4])])
    assert played.meta == {"next": 3, "returned": 3}
    assert "known already" not in played.notice


def test_with_while_a_short_page_means_nothing():
    """An API may give less than it is asked for."""
    tool = counted("page", **{"while": "body"})
    played = Played(tool, [answer([1]), answer([2]), answer([])])
    assert played.value == [1, 2]


def test_the_link_header_leads_on():
    first = answer([1], link='</v1/things?last=a%2Fb&key=x>; rel="next", </v1/x>; rel=prev')
    played = Played(tool_of(LINK), [first, answer([2])])
    assert played.urls == ["/things", "/things?last=a%2Fb"], "our key is not shown twice"
    assert played.value == [1, 2]


def test_a_url_in_the_body_leads_on_and_an_argument_of_it_is_told():
    text = NEXT_URL.replace("$.next", "$.next, max_pages: 1")
    played = Played(tool_of(text), [page([1], "https://api.example.com/v1/things?last=b#top")])
    assert played.meta == {"next": "/v1/things?last=b", "returned": 1}
    assert played.notice.endswith('Go on with: last="b".')


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/things",
        "//evil.example/x",
        "https://api.example.com:8443/x",
        "https://api.example.com@evil.example/",
        "http://169.254.169.254/latest",
        "https://api.example.com/a/%2e%2e/b",
        "file:///etc/passwd",
        "/a\r\nX-Evil: 1",
    ],
)
def test_a_link_elsewhere_is_not_followed_and_that_is_said(url):
    """I47: what an API says is data too."""
    played = Played(tool_of(NEXT_URL), [page([1], url)])
    assert (played.value, len(played.requests)) == ([1], 1)
    assert played.meta == {"returned": 1}
    assert "there is more, but the link to the next page" in played.notice


def test_positions_in_a_json_body_and_in_graphql_variables():
    body = """
args: {cursor: {type: string}}
post: /search
json: {filter: {a: 1}, page: {after: "{{ args.cursor }}"}}
paginate:
  items: $.data
  cursor: {from: $.next, json: page.after}
  size: {json: page.size, value: 2}
  max_pages: 2
"""
    played = Played(tool_of(body), [page([1], {"id": 7}), page([2], "z")])
    assert [json.loads(request.body) for request in played.requests] == [
        {"filter": {"a": 1}, "page": {"size": 2}},
        {"filter": {"a": 1}, "page": {"size": 2, "after": {"id": 7}}},
    ]
    assert played.notice.endswith('Go on with: cursor="z".')
    graphql = """
post: /graphql
graphql: {query: "query($c: String) { a }", variables: {}}
paginate: {items: $.data, cursor: {from: $.next, variable: c}}
"""
    played = Played(tool_of(graphql), [page([1], "x"), page([2])])
    assert json.loads(played.requests[1].body)["variables"] == {"c": "x"}


def test_a_position_in_a_form_takes_the_place_of_what_stands_there():
    text = """
args: {filter: {type: string}, from: {type: string}}
post: /
form: {Action: List, Filter: "{{ args.filter }}", NextToken: "{{ args.from }}"}
paginate:
  items: $.data
  cursor: {from: $.next, form: NextToken}
  size: {form: MaxItems, value: 2}
  max_pages: 2
"""
    pages = [page([1], "a+b&c="), page([2], "z")]
    played = Played(tool_of(text), pages, filter="x&NextToken=y", **{"from": "0"})
    assert [request.body for request in played.requests] == [
        b"Action=List&Filter=x%26NextToken%3Dy&NextToken=0&MaxItems=2",
        b"Action=List&Filter=x%26NextToken%3Dy&NextToken=a%2Bb%26c%3D&MaxItems=2",
    ]
    assert played.notice.endswith('Go on with: from="z".')


@pytest.mark.parametrize("cursor", ["c" * 70_000, {"a": "b" * 70_000}, "\x00" * 70_000])
def test_a_cursor_that_nobody_could_send_ends_it_and_that_is_said(cursor):
    """I53: a megabyte of cursor went out as a URL, and to the client as where to go on."""
    played = Played(tool_of(CURSOR), [page([1], cursor)])
    assert (played.value, len(played.requests), played.meta) == ([1], 1, {"returned": 1})
    assert "there is more, but what leads to the next page cannot be sent" in played.notice
    played = Played(tool_of(CURSOR.replace("max_pages: 3", "max_pages: 1")), [page([1], cursor)])
    assert played.meta == {"returned": 1}
    assert len(played.notice) < 100


def test_each_page_has_a_key_of_its_own():
    text = CURSOR.replace("get: /things", "post: /things\nidempotency_key: Idempotency-Key")
    played = Played(tool_of(text), [page([1], "a"), page([2])])
    keys = {dict(request.headers)["Idempotency-Key"] for request in played.requests}
    assert len(keys) == 2


def test_a_page_that_fails_fails_the_call_and_says_how_far_it_came():
    """Half a list is never passed off as whole."""
    played = Played(tool_of(CURSOR), [page([1, 2], "a"), answer({"message": "no"}, 500)])
    assert isinstance(played.error, UpstreamFailed)
    assert str(played.error) == "HTTP 500 from api.t: no (page 2; 2 items came before it)"
    assert str(Played(tool_of(CURSOR), [answer({}, 500)]).error) == "HTTP 500 from api.t"


def test_when_the_time_is_up_what_is_there_is_given():
    left = iter([9.0, 0.2, 0.1])
    late = DeadlineExceeded("the call's time is up")
    played = Played(tool_of(CURSOR), [page([1], "a"), late], lambda: next(left))
    assert (played.value, played.meta["next"]) == ([1], "a")
    none_left = Played(tool_of(CURSOR), [page([1], "a")], lambda: 0.3)
    assert "time is up" in none_left.notice
    assert isinstance(Played(tool_of(CURSOR), [late], lambda: 0.0).error, DeadlineExceeded)
    slow = Played(tool_of(CURSOR), [page([1], "a"), late], lambda: 60.0)
    assert isinstance(slow.error, DeadlineExceeded), "one slow page is no lack of time"


def test_all_pages_together_stay_below_the_transfer_cap():
    text = CURSOR + "limits: {transfer: 60}"
    played = Played(tool_of(text), [page(["x" * 20], "a"), page(["y" * 20], "b")])
    assert played.value == ["x" * 20]
    assert played.meta == {"next": "a", "returned": 1}
    assert "limits.transfer" in played.notice


def test_a_secret_in_a_position_is_masked():
    text = CURSOR.replace("max_pages: 3", "max_pages: 1")
    played = Played(tool_of(text), [page([1], f"x-{SECRET}")])
    assert SECRET not in f"{played.meta} {played.notice}"


def test_progress_is_told_between_pages():
    played = Played(tool_of(CURSOR), [page([1, 2], "a"), page([3])])
    assert [(told.progress, told.message) for told in played.told] == [(1, "2 items")]


def test_faults_are_told_at_their_keys():
    assert faults("get: /x\npaginate: {items: $}") == {
        "paginate": "how to come to the next page is missing"
    }
    found = faults("get: /x\npaginate: {items: '$.[', link: true, page: {query: p, json: q}}")
    assert {"paginate.page", "paginate.link"} <= found.keys()
    found = faults("get: /x\npaginate: {items: $.a.., cursor: {from: $.b.., query: key}}")
    assert found["paginate.cursor.query"] == "query 'key' is set by auth"
    assert {"paginate.items", "paginate.cursor.from"} <= found.keys()
    found = faults("get: /x\npaginate: {items: $, link: true, while: 'nope.x'}")
    assert found == {"paginate.while": "'nope' is not known here"}
    assert "paginate" in faults("head: /x\npaginate: {items: $, link: true}")
    assert "paginate" in faults("get: /x\npaginate: {items: $, link: true}\npoll: {}")
    found = faults("get: /x\npaginate: {items: $, page: {json: p}, size: {variable: s, value: 2}}")
    assert found == {
        "paginate.page.json": "there is no JSON body that is an object",
        "paginate.size.variable": "there are no GraphQL variables",
    }
    found = faults("get: /x\npaginate: {items: $, page: {form: p}}")
    assert found == {"paginate.page.form": "there is no form"}
    post = (
        "post: /x\nform: {n: 1}\npaginate: {items: $, page: {form: p}, size: {form: n, value: 2}}"
    )
    assert faults(post) == {"paginate.size.form": "'form' has 'n' too"}


def test_what_is_cut_from_a_result_is_not_promised_again():
    text = CURSOR.replace("max_pages: 3", "max_pages: 1") + "response: {max_bytes: 300}"
    played = Played(tool_of(text), [page(["x" * 100] * 4, "a")])
    assert played.meta == {"truncated": True, "returned": 2, "total": 4, "next": "a"}
    assert played.result.content[-1]["text"].endswith("does not come again then.")


def test_the_size_may_be_what_the_caller_says():
    text = """
args: {rows: {type: string}}
get: /things
paginate: {items: $, page: {query: p}, size: {query: limit, value: "{{ args.rows | int }}"}}
"""
    assert Played(tool_of(text), [answer([1])], rows="2").urls == ["/things?limit=2&p=1"]
    assert Played(tool_of(text), [answer([1]), answer([])]).urls == ["/things?p=1", "/things?p=2"]
    broken = text.replace("| int", "| b64decode")
    assert isinstance(refusal(broken, rows="%"), InvalidArguments)


def test_an_argument_that_is_spliced_in_feeds_the_position_too():
    for query in ('"{{ rest }}"', '{"...": "{{ rest }}"}', '"{{ args }}"'):
        cursor = "get: /x\nargs: {after: {type: string}}\nquery: " + query
        paged = "\npaginate: {items: $.data, cursor: {from: $.next, query: after}, max_pages: 1}"
        played = Played(tool_of(cursor + paged), [page([1], "a")])
        assert played.notice.endswith('Go on with: after="a".')
        linked = "\npaginate: {items: $.data, next_url: $.next, max_pages: 1}"
        played = Played(tool_of(cursor + linked), [page([1], "?after=b")])
        assert played.notice.endswith('Go on with: after="b".')


def test_only_an_argument_that_alone_fills_the_position_feeds_it():
    for value in ("{{ args.after }}-{{ args.q }}", "x{{ args.after }}", "fixed"):
        text = CURSOR.replace("{{ args.after }}", value) + "headers: {X: '{{ args.after }}'}"
        text = text.replace("max_pages: 3", "max_pages: 1")
        assert "Go on with" not in Played(tool_of(text), [page([1], "a")]).notice


def test_a_position_too_long_to_tell_is_in_the_metadata_alone():
    text = CURSOR.replace("max_pages: 3", "max_pages: 1")
    played = Played(tool_of(text), [page([1], "a" * 3000)])
    assert len(played.meta["next"]) == 3000
    assert len(played.notice) < 200


def test_a_first_page_that_is_no_number_is_refused():
    text = "args: {p: {type: string}}\nget: /x\nquery: {p: '{{ args.p }}'}\n"
    text += "paginate: {items: $, page: {query: p}}"
    assert isinstance(refusal(text, p="two"), InvalidArguments)


def test_a_position_that_has_no_place_is_refused():
    text = """
args: {filter: {type: [object, string], required: true}}
post: /search
json: "{{ args }}"
paginate: {items: $.data, cursor: {from: $.next, json: filter.page.after}}
"""
    played = Played(tool_of(text), [page([1], "a")], filter="all")
    assert isinstance(played.error, InvalidArguments)
    played = Played(tool_of(text), [page([1], "a"), page([2])], filter={})
    assert json.loads(played.requests[1].body) == {"filter": {"page": {"after": "a"}}}


def test_a_rule_that_says_try_again_is_asked_of_each_page():
    text = CURSOR + "errors: [{status: 200, when: body.busy, then: retry, message: Busy.}]"
    played = Played(tool_of(text), [page([1], "a"), answer({"busy": True})])
    assert str(played.error) == "Busy. (page 2; 1 items came before it)"


def test_answers_that_fill_the_transfer_cap_end_it():
    text = CURSOR + "limits: {transfer: 30}"
    played = Played(tool_of(text), [answer({"data": ["x" * 20], "next": "a"})])
    assert (len(played.requests), played.meta["next"]) == (1, "a")


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ("</a>; rel=next", "/a"),
        ('</a?x=1,2>;rel="prev",</b>; title="x, y"; rel="last next"', "/b"),
        ("</a>; REL=NEXT", "/a"),
        ("</a>; rel=nextish", None),
        ("</a>", None),
        ("", None),
        ("nonsense; rel=next", None),
    ],
)
def test_link_headers_of_all_sorts_are_read(header, url):
    assert next_link(header) == url


def test_a_link_with_a_user_name_is_not_followed():
    with pytest.raises(LinkError, match="user name"):
        led_to("https://api.example.com/x", "https://ann:pw@api.example.com/y")


def test_more_faults_are_told_at_their_keys():
    head = "get: /x\nquery: {q: 1}\npaginate: {items: $, "
    same = faults(head + "page: {query: p}, size: {query: p, value: 1}}")
    assert same == {"paginate.size.query": "'p' takes the position already"}
    double = faults(head + "link: true, size: {query: q, value: 1}}")
    assert double.keys() == {"paginate.size.query"}
    named = faults("post: /x\njson: {}\npaginate: {items: $, page: {json: a..b}}")
    assert named == {"paginate.page.json": "'a..b' is no name"}
    assert faults("get: /x\nresponse: {as: binary}\npaginate: {items: $, link: true}").keys() == {
        "paginate"
    }
    wrong = faults('get: /x\nquery: {p: "{{ nope }}"}\npaginate: {items: $, page: {query: p}}')
    assert wrong.keys() == {"query.p"}


def refusal(text, **args):
    """What a call raises before anything is sent."""
    played = Played(tool_of(text), [], **args)
    assert played.requests == []
    return played.error
