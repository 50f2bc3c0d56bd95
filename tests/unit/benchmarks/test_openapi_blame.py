"""The measurement of imports sets nothing aside for which it has no evidence."""

import json
from pathlib import Path

import pytest

from benchmarks.openapi_blame import blamed
from benchmarks.openapi_calls import Called, Fate
from benchmarks.openapi_documents import Document
from benchmarks.openapi_prism import Exchange

FORM = "application/x-www-form-urlencoded"
NUMBER_OR_TEXT = {"oneOf": [{"type": "integer"}, {"type": "string"}]}
ADDRESS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def operation(schema, kind="application/json", **more):
    return {"requestBody": {"content": {kind: {"schema": schema, **more}}}}


PATHS = {
    "/form": {
        "post": operation(
            {"properties": {"to": ADDRESS, "from": ADDRESS, "tags": {}}, "required": ["from"]},
            FORM,
            encoding={"to": {"style": "deepObject"}, "from": {"style": "deepObject"}},
        )
    },
    "/json": {"post": operation({"properties": {"to": ADDRESS}, "required": ["spoken"]})},
    "/xml": {"post": operation(ADDRESS, "application/xml")},
    "/ids/{id}": {
        "parameters": [{"name": "id", "in": "path", "schema": NUMBER_OR_TEXT}],
        "get": {"parameters": []},
    },
    "/marked#one": {"get": {}},
    "/marked#two": {"get": {}},
}
DOCUMENT = Document("d", Path("d.json"), {"openapi": "3.0.0", "paths": PATHS})


def called(method, target, *violations, kind="application/json", body=b"{}", **arguments):
    told = [
        {
            "location": ["request", *place.split(".")],
            "severity": "Error",
            "code": code,
            "message": m,
        }
        for place, code, m in violations
    ]
    answered = {"sl-violations": json.dumps(told)}
    exchange = Exchange(method, target, {"content-type": kind}, body, 422, answered)
    return Called("b", "t", arguments, Fate.REJECTED, "", exchange, structured=None)


def missing(place, name):
    return (place, "required", f"Request body must have required property '{name}'")


def whose(call):
    verdict = blamed(call, DOCUMENT)
    return verdict and verdict.whose


def test_what_nothing_explains_is_the_importers():
    wrong_type = ("body.to.city", "type", "must be string")
    assert whose(called("POST", "/json", wrong_type)) == "importer"
    assert whose(called("POST", "/json", missing("body.to", "city"))) == "importer"


def test_an_object_of_a_form_that_was_not_sent_cannot_miss_members():
    form = {"kind": FORM, "body": b"from%5Bcity%5D=Rome"}

    assert whose(called("POST", "/form", missing("body.to", "city"), **form)) == "prism"
    assert whose(called("POST", "/form", missing("body.from", "city"), **form)) == "importer"
    form["body"] = b""
    assert whose(called("POST", "/form", missing("body.from", "city"), **form)) == "importer"


def test_a_call_is_set_aside_only_when_all_of_it_is_explained():
    form = {"kind": FORM, "body": b"from%5Bcity%5D=Rome&tags=a&tags=b"}
    lists = ("body.tags", "type", "Request body property tags must be array")
    absent = missing("body.to", "city")

    assert whose(called("POST", "/form", lists, absent, **form)) == "prism"
    wrong = ("body.from.city", "minLength", "too short")
    assert whose(called("POST", "/form", lists, absent, wrong, **form)) == "importer"


def test_the_text_of_another_language_is_not_held_against_us():
    whole = ("body", "type", "Request body must be object")

    assert whose(called("POST", "/xml", whole, kind="application/xml")) == "prism"
    assert whose(called("POST", "/json", whole)) == "importer"


@pytest.mark.parametrize(("value", "fault"), [(1, "document"), ("one", "importer")])
def test_alternatives_overlap_where_what_was_sent_meets_two(value, fault):
    violation = ("path.id", "oneOf", "must match exactly one schema in oneOf")

    assert whose(called("GET", f"/ids/{value}", violation, id=value)) == fault


def test_paths_that_differ_in_a_fragment_are_one_to_prism():
    assert whose(called("GET", "/marked", missing("query", "x"))) == "prism"


def test_a_member_that_the_document_does_not_describe_cannot_be_known():
    assert whose(called("POST", "/json", missing("body", "spoken"))) == "document"
    assert whose(called("POST", "/json", missing("body.to", "city"))) == "importer"


def test_a_call_that_was_accepted_is_nobodys_fault():
    exchange = Exchange("GET", "/json", {}, b"", 200)
    assert (
        blamed(Called("b", "t", {}, Fate.ACCEPTED, "", exchange, structured=None), DOCUMENT) is None
    )


def test_what_the_gateway_itself_refuses_is_the_importers():
    refused = Called("b", "t", {}, Fate.REFUSED, "an empty text", None, structured=None)
    assert whose(refused) == "importer"
