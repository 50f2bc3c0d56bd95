"""Results are made to fit by their structure: lists first, then texts; what is left is JSON."""

import msgspec
import pytest

from gateway.capability.answers.truncate import advise, fit, fit_text, spaced

encode = msgspec.json.encode


def cut(value, most):
    found = fit(value, encode(value), most)
    assert len(found.data) <= most
    assert msgspec.json.decode(found.data) == found.value
    return found


def test_the_tail_of_a_list_goes_first():
    found = cut([{"n": number} for number in range(100)], 100)
    assert found.value == [{"n": number} for number in range(found.returned)]
    assert (found.total, found.texts) == (100, False)
    assert found.notice(["page"]) == f"Truncated: {found.returned} of 100 items. Narrow with: page."


def test_as_much_of_a_list_is_kept_as_fits():
    value = list(range(10, 60))
    whole = encode(value)
    assert cut(value, len(whole) - 1).returned == 49
    assert cut(value, len(whole) - 3).returned == 49
    assert cut(value, len(whole) - 4).returned == 48


def test_the_heaviest_list_of_an_object_is_cut_and_the_rest_stays():
    value = {"small": [1, 2], "deep": {"items": ["x" * 20] * 50, "n": 1}, "total": 50}
    found = cut(value, 400)
    assert (found.value["small"], found.value["total"], found.total) == ([1, 2], 50, 50)
    assert found.value["deep"]["n"] == 1
    assert found.value["deep"]["items"] == ["x" * 20] * found.returned


def test_an_object_of_very_many_keys_is_cut_like_a_list():
    found = cut({"rates": {f"k{number}": number for number in range(500)}}, 300)
    assert list(found.value["rates"]) == [f"k{number}" for number in range(found.returned)]
    assert found.total == 500


def test_lists_inside_the_one_item_left_are_cut_too():
    found = cut([{"rows": list(range(1000))}, {"rows": []}], 200)
    assert (found.returned, found.total) == (1, 2)
    assert found.value[0]["rows"] == list(range(len(found.value[0]["rows"])))
    assert cut([[[list(range(1000))]]], 200).total == 1000


def test_lists_nested_without_end_are_left_to_the_last_resort():
    value = list(range(1000))
    for _ in range(20):
        value = [value, 1]
    found = cut(value, 300)
    assert (found.returned, found.total, found.value) == (1, 2, [])


def test_long_texts_are_cut_to_one_length_and_short_ones_stay():
    value = {"a": "x" * 1000, "b": ["y" * 800], "c": "short", "d": 1}
    found = cut(value, 600)
    assert found.value["c"] == "short"
    assert found.value["a"].startswith("x" * 200)
    assert found.value["b"][0].startswith("y" * 200)
    kept = len(found.value["a"].rstrip("]0123456789 +[…"))
    assert found.value["a"] == "x" * kept + f"…[+{1000 - kept}]"
    assert found.notice([]) == "Truncated: long texts cut."
    assert found.meta == {"truncated": True}


def test_one_long_text_is_to_blame_not_the_short_list_beside_it():
    found = cut({"html": "x" * 5000, "tags": ["a", "b", "c"]}, 500)
    assert found.value["tags"] == ["a", "b", "c"]
    assert found.total is None


def test_a_list_and_its_texts_may_both_be_cut():
    found = cut([{"t": "x" * 5000}, {"t": "y"}], 300)
    assert found.notice([]) == "Truncated: 1 of 2 items; long texts cut."
    assert found.meta == {"truncated": True, "returned": 1, "total": 2}


@pytest.mark.parametrize("text", ["x" * 999, "é" * 999, '"\\\n' * 333, "\x01" * 999, "😀" * 999])
def test_a_lone_text_is_cut_by_the_size_of_its_json(text):
    found = cut(text, 300)
    assert len(found.data) > 200
    assert found.value.endswith("]")


def test_what_has_neither_lists_nor_texts_loses_its_last_members():
    found = cut({f"k{number}": number for number in range(60)}, 256)
    assert list(found.value) == [f"k{number}" for number in range(len(found.value))]
    assert cut({"a": 10**400}, 300).value == {}
    assert cut([10**400], 300).value == []
    assert cut(10**400, 300).value is None


def test_the_value_itself_is_never_changed():
    value = {"l": ["x" * 100] * 20, "t": ["y" * 3000]}
    before = encode(value)
    cut(value, 300)
    assert encode(value) == before


def test_text_is_cut_between_characters():
    assert fit_text("short", 5) == "short"
    found = fit_text("é" * 100, 60)
    assert len(found.encode()) <= 60
    assert found == "é" * 20 + "…[+80]"
    assert fit_text("x" * 100_000, 100).endswith("…[+99 919]")


def test_numbers_are_spaced_and_advice_needs_arguments():
    assert (spaced(999), spaced(12_345), spaced(1_234_567)) == ("999", "12 345", "1 234 567")
    assert advise("x", []) == "Truncated: x."
    assert advise("x", ["a", "b"]) == "Truncated: x. Narrow with: a, b."
