"""Whose fault it is that prism rejected a call: by evidence in the call and in the document.

What no rule below explains is the importer's, until somebody shows otherwise. A call is set aside
only when every single thing that prism holds against it is explained.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from benchmarks.openapi_calls import Called, Fate
from benchmarks.openapi_documents import Document
from benchmarks.openapi_evidence import Seen, operation_at, shape
from gateway.importers.openapi.schema_parts import LARGEST_ENUM

PARSED = re.compile(r"application/(?:.*\+)?json|application/x-www-form-urlencoded|multipart/.*")
FORM = re.compile(r"application/x-www-form-urlencoded|multipart/.*")
OURS = ("accept-encoding", "content-length", "host", "connection")  # headers that HTTP itself sets


class Verdict(NamedTuple):
    """`whose` is prism, document or importer; `why` names the rule."""

    whose: str
    why: str


def blamed(called: Called, document: Document) -> Verdict | None:
    """None where the call was accepted."""
    if called.fate in {Fate.ACCEPTED, Fate.UNANSWERED}:
        return None
    if called.exchange is None:
        return Verdict("importer", f"refused by the gateway: {called.text[:60]}")
    if called.fate is not Fate.REJECTED:
        return Verdict("prism", f"it {called.fate} without a word")
    operation = operation_at(called.exchange, document)
    found = [
        _of(Seen(violation, called.exchange, document, operation, called.arguments))
        for violation in called.exchange.violations()
    ]
    return max(found, key=lambda verdict: ("prism", "document", "importer").index(verdict.whose))


def _of(seen: Seen) -> Verdict:
    for verdict, holds in RULES.items():
        if holds(seen):
            return verdict
    return Verdict("importer", seen.violation.code)


def _routes_by_path(seen: Seen) -> bool:
    """The document tells operations apart by a fragment or query in the path: to prism there is
    none such, or it takes another for it.
    """
    path = seen.exchange.target.partition("?")[0]
    fitting = [each for each in seen.document.data["paths"] if re.fullmatch(shape(each), path)]
    marked = [each for each in fitting if re.search("[?#]", each)]
    unrouted = seen.violation.code in {"NO_PATH_MATCHED_ERROR", "NO_METHOD_MATCHED_ERROR"}
    return bool(marked) and (unrouted or len(fitting) > 1)


def _reads_no_such_body(seen: Seen) -> bool:
    """XML, YAML, bytes: it holds their text against the schema of an object."""
    whole = seen.violation.place == ("body",) and seen.violation.code == "type"
    return whole and not PARSED.fullmatch(seen.kind)


def _needs_consumes(seen: Seen) -> bool:
    without = "consumes" not in seen.document.data and "consumes" not in seen.operation
    return seen.violation.code == "415" and seen.document.version == "2.0" and without


def _reads_no_lists(seen: Seen) -> bool:
    """Lists and objects in a form without `encoding`, or in parts: it takes their text."""
    if seen.violation.place[:1] != ("body",) or len(seen.violation.place) != 2:
        return False
    said = seen.media().get("encoding", {}).get(seen.field, {})
    text = seen.kind.startswith("multipart/") or not said.get("style")
    form = seen.kind.startswith("multipart/") or "urlencoded" in seen.kind
    return form and text and seen.violation.message.endswith(("must be array", "must be object"))


def _reads_objects_as_json(seen: Seen) -> bool:
    """A list of objects in a deepObject: it looks for JSON there."""
    return "Cannot deserialize JSON object array" in seen.violation.message


def _invents_objects(seen: Seen) -> bool:
    """It misses members of an object that was not sent at all, and did not have to be."""
    place, *inner = seen.violation.place or ("",)
    if place != "query" and not (place == "body" and FORM.fullmatch(seen.kind)):
        return False
    names = [name.lower() for name in seen.names()]
    if inner and inner[0].lower() in names:
        return False
    for depth in range(len(inner)):
        start = inner[0] + "".join(f"[{part}]" for part in inner[1 : depth + 1])
        if not any(name.startswith(start.lower()) for name in names):
            above = replace(seen, violation=seen.violation._replace(place=(place, *inner[:depth])))
            return not any(inner[depth] in one.get("required", ()) for one in above.schemas())
    return False


def _wants_no_encoded_text(seen: Seen) -> bool:
    return "Reserved characters" in seen.violation.message


def _empty_form(seen: Seen) -> bool:
    """All its fields may be left out, but then it takes the empty form for no body."""
    missing = seen.violation.message == "Body parameter is required"
    return missing and "urlencoded" in seen.kind and not seen.exchange.body


def _alternatives_overlap(seen: Seen) -> bool:
    """What was sent meets several of those of which it is to meet exactly one: as a text, `1` is
    an integer and a string.
    """
    choices = [one["oneOf"] for one in seen.schemas() if "oneOf" in one]
    return any(
        sum(seen.meets(choice, value) for choice in alternatives) > 1
        for alternatives in choices
        for value in seen.values()
    )


def _values_of_other_type(seen: Seen) -> bool:
    """An enum whose values are not of the type it has itself."""
    return seen.violation.code == "enum" and any(
        one.get("type") == "string" and not all(isinstance(value, str) for value in one["enum"])
        for one in seen.schemas()
        if "enum" in one
    )


def _header_of_http(seen: Seen) -> bool:
    return seen.violation.place[:1] == ("header",) and (
        seen.field in OURS or any(f"'{name}'" in seen.violation.message for name in OURS)
    )


def _heeds_headers(seen: Seen) -> bool:
    """Parameters of these names are to be ignored, says the specification."""
    return seen.violation.place[:1] == ("header",) and seen.field in {
        *("accept", "content-type", "authorization"),
    }


def _heeds_siblings(seen: Seen) -> bool:
    """What stands beside a `$ref` is to be ignored, says 3.0."""
    schema = seen.media().get("schema") or {}
    named = re.search(r"required property '(.+)'", seen.violation.message)
    beside = "$ref" in schema and named and named[1] in schema.get("required", ())
    return bool(beside) and seen.document.version.startswith("3.0")


def _excludes_itself(seen: Seen) -> bool:
    """`allOf` of types that no value has at once."""
    kinds = [
        [set(_listed(seen.document.follow(part).get("type"))) for part in one["allOf"]]
        for one in seen.schemas()
        if "allOf" in one
    ]
    said = [[kind for kind in each if kind] for each in kinds]
    return seen.violation.code == "type" and any(
        len(each) > 1 and not set.intersection(*each) for each in said
    )


def _listed(kind: Any) -> list[str]:
    return kind if isinstance(kind, list) else [kind] if kind else []


def _pattern_of_javascript(seen: Seen) -> bool:
    """`/^[a-z]+$/`, with the slashes: nothing meets that."""
    patterns = [str(one.get("pattern", "")) for one in seen.schemas()]
    return seen.violation.code == "pattern" and any(one.startswith("/^") for one in patterns)


def _objects_without_style(seen: Seen) -> bool:
    """Lists of objects in a query: no style of OpenAPI says how."""
    place = seen.violation.place
    within = place[:1] == ("query",) and len(place) > 2 and place[2].isdecimal()
    return within and seen.violation.message.endswith("must be object")


def _long_list_of_values(seen: Seen) -> bool:
    """The importer lists no values that would take most of a tool."""
    long = (len(str(one["enum"])) > LARGEST_ENUM for one in seen.schemas() if "enum" in one)
    return seen.violation.code == "enum" and any(long)


def _form_of_a_list(seen: Seen) -> bool:
    whole = seen.violation.place == ("body",) and seen.violation.message.endswith("must be array")
    return whole and "urlencoded" in seen.kind


def _requires_the_unknown(seen: Seen) -> bool:
    """A member is required that is described nowhere."""
    named = re.search(r"required property '(.+)'", seen.violation.message)
    schemas = list(seen.schemas())
    return bool(named and any(schemas)) and not any(
        named[1] in one.get("properties", {}) for one in schemas
    )


RULES: Mapping[Verdict, Callable[[Seen], bool]] = {
    Verdict("prism", "routes by the path alone, without its query or fragment"): _routes_by_path,
    Verdict("prism", "does not read XML, YAML and bytes"): _reads_no_such_body,
    Verdict("prism", "wants `consumes` of a 2.0 document"): _needs_consumes,
    Verdict("prism", "reads no lists or objects in forms without `encoding`"): _reads_no_lists,
    Verdict("prism", "reads lists of objects in deepObjects as JSON"): _reads_objects_as_json,
    Verdict("prism", "heeds header parameters that are to be ignored"): _heeds_headers,
    Verdict("prism", "misses members of objects that were not sent"): _invents_objects,
    Verdict("prism", "rejects percent-encoded text"): _wants_no_encoded_text,
    Verdict("prism", "takes an empty form for none"): _empty_form,
    Verdict("document", "alternatives that overlap"): _alternatives_overlap,
    Verdict("document", "values that are not of their own type"): _values_of_other_type,
    Verdict("prism", "heeds what stands beside a `$ref` of 3.0"): _heeds_siblings,
    Verdict("document", "types that exclude each other"): _excludes_itself,
    Verdict("document", "patterns with the slashes of JavaScript"): _pattern_of_javascript,
    Verdict("document", "a form that is a list"): _form_of_a_list,
    Verdict("document", "lists of objects in a query"): _objects_without_style,
    Verdict("document", "headers that HTTP itself sets"): _header_of_http,
    Verdict("document", "required members that it does not describe"): _requires_the_unknown,
    Verdict("importer", "more values than it lists in a tool"): _long_list_of_values,
}
