"""What is sealed, what lies beside it, and that the one does not depend on the other."""

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow import sealing
from service.workflow.merkle import SHA256, SM3
from service.workflow.sealing import NESTED, PLAIN, canonical, reveal
from tests.workflow.builders import examples

SECRET = "举报人张三"


def seal(data: dict[str, Any], salt: Callable[[int], bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    return sealing.seal(data, salt, SHA256)


def digest(salt: bytes, value: Any) -> str:
    return sealing.digest(SHA256, salt, value)


def salts() -> Callable[[int], bytes]:
    """A salt for each call, none like another: 00..., 01..., 02..."""
    made = iter(range(256))
    return lambda size: bytes([next(made)]) * size


# -- canonical bytes


def test_canonical_bytes_stay_what_they_are() -> None:
    value = {
        "b": 1,
        "a": '排水沟\n"\\\t/\u2028\x7f',
        "中": None,
        "c": [True, False, -7, 9007199254740991, [], {}],
        "B": {"z": "", "y": "é\U0001f600"},
    }
    assert canonical(value) == (
        b'{"B":{"y":"\xc3\xa9\xf0\x9f\x98\x80","z":""},'
        b'"a":"\xe6\x8e\x92\xe6\xb0\xb4\xe6\xb2\x9f\\n\\"\\\\\\t/\xe2\x80\xa8\x7f",'
        b'"b":1,'
        b'"c":[true,false,-7,9007199254740991,[],{}],'
        b'"\xe4\xb8\xad":null}'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_word_for_is_not_sealed(number: float) -> None:
    with pytest.raises(ValueError):
        canonical({"n": number})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abZ中/", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
@examples(100)
def test_canonical_bytes_say_the_value_and_nothing_of_its_making(value: Any) -> None:
    sealed = canonical(value)
    assert json.loads(sealed) == value
    assert canonical(json.loads(sealed)) == sealed
    assert canonical(backwards(value)) == sealed


def backwards(value: Any) -> Any:
    """The same value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


# -- sealing


def test_a_text_is_replaced_by_its_salted_hash_and_lies_beside_with_its_salt() -> None:
    sealed, beside = seal({"trigger": "close", "reason": SECRET, "due_on": "2026-03-25"}, salts())
    # SHA-256 over sixteen zero bytes and the text as JSON, quotes included.
    expected = hashlib.sha256(bytes(16) + f'"{SECRET}"'.encode()).hexdigest()
    assert sealed == {"trigger": "close", "reason": {"sealed": expected}, "due_on": "2026-03-25"}
    assert beside == {"reason": {"salt": "00" * 16, "value": SECRET}}


@pytest.mark.skipif(not SM3.available(), reason="this OpenSSL has no SM3")
def test_a_log_of_another_algorithm_has_its_texts_hashed_by_it() -> None:
    sealed, beside = sealing.seal({"reason": SECRET}, salts(), SM3)
    assert sealed == {"reason": {"sealed": hashlib.new("sm3", bytes(16) + f'"{SECRET}"'.encode()).hexdigest()}}
    assert sealed != seal({"reason": SECRET}, salts())[0]
    assert beside == {"reason": {"salt": "00" * 16, "value": SECRET}}


def test_changes_and_verification_are_judged_field_by_field() -> None:
    data = {
        "changes": {"title": {"before": "甲", "after": "乙"}, "state": {"before": "open", "after": "rectifying"}},
        "verification": {"method": "phone", "on": "2026-03-11", "note": SECRET},
    }
    sealed, beside = seal(data, salts())
    assert sealed["changes"]["state"] == {"before": "open", "after": "rectifying"}
    assert sealed["changes"]["title"].keys() == sealed["verification"]["note"].keys() == {"sealed"}
    assert (sealed["verification"]["method"], sealed["verification"]["on"]) == ("phone", "2026-03-11")
    assert beside.keys() == {"changes/title", "verification/note"}
    assert beside["changes/title"]["value"] == {"before": "甲", "after": "乙"}


@pytest.mark.parametrize(
    "value", [SECRET, "", 0, False, ["甲"], [], {}, {"sealed": "0" * 64}, {"深": [{"层": 1.5}]}], ids=repr
)
def test_a_field_that_nobody_thought_of_is_sealed_whatever_it_holds(value: Any) -> None:
    sealed, beside = seal({"newly_made": value}, salts())
    assert sealed == {"newly_made": {"sealed": digest(bytes(16), value)}}
    assert beside["newly_made"]["value"] == value
    assert reveal(sealed, beside) == {"newly_made": value}


def test_nothing_is_sealed_as_nothing() -> None:
    assert seal({"reason": None, "due_on": None}, salts()) == ({"reason": None, "due_on": None}, {})


def test_two_equal_texts_do_not_show_that_they_are_equal() -> None:
    sealed, beside = seal({"reason": SECRET, "changes": {"reason": SECRET}, "note": SECRET}, salts())
    hashes = {sealed["reason"]["sealed"], sealed["changes"]["reason"]["sealed"], sealed["note"]["sealed"]}
    assert len(hashes) == 3
    assert len({text["salt"] for text in beside.values()}) == 3


def test_no_field_of_free_text_or_names_counts_as_plain() -> None:
    free = {
        *("title", "description", "category", "external_ref", "source_ref", "contact", "responsible_person", "goal"),
        *("measures", "deadline_text", "labels", "attributes", "claim_signed_by", "signed_by", "reason", "note"),
        *("waive_interview", "text", "summary", "name", "attendees", "minutes", "commitments", "place"),
    }
    assert not free & (PLAIN | NESTED)
    assert not PLAIN & NESTED


# -- revealing and erasing

SCALARS = st.none() | st.integers(-9, 9) | st.text(st.characters(codec="utf-8"), max_size=6)
FREE = st.dictionaries(st.sampled_from(["reason", "note", "title"]), JSON, max_size=3)
OPEN = st.dictionaries(st.sampled_from(["trigger", "state", "due_on"]), SCALARS, max_size=3)
FIELDS = st.builds(lambda free, plain: {**free, **plain}, FREE, OPEN)
DATA = st.builds(
    lambda fields, nested: {**fields, **nested}, FIELDS, st.dictionaries(st.sampled_from(sorted(NESTED)), FIELDS)
)


@given(DATA)
@examples(150)
def test_what_lies_beside_puts_the_texts_back(data: dict[str, Any]) -> None:
    untouched = deepcopy(data)
    sealed, beside = seal(data, salts())
    assert reveal(sealed, beside) == data == untouched
    # As the store keeps them.
    assert reveal(json.loads(canonical(sealed)), json.loads(json.dumps(beside))) == data


@given(DATA, st.data())
@examples(100)
def test_erasing_texts_leaves_the_sealed_bytes_and_the_other_texts(data: dict[str, Any], draw: st.DataObject) -> None:
    sealed, beside = seal(data, salts())
    before = canonical(sealed)
    erased = draw.draw(st.sets(st.sampled_from(sorted(beside)))) if beside else set()
    kept = {path: text for path, text in beside.items() if path not in erased}
    shown = reveal(sealed, kept)
    assert canonical(sealed) == before
    for path in beside:
        *outer, key = path.split("/")
        value = shown[outer[0]][key] if outer else shown[key]
        assert value == ({"erased": True} if path in erased else beside[path]["value"])


def test_what_was_erased_says_so() -> None:
    sealed, _ = seal({"reason": SECRET, "changes": {"title": SECRET, "state": "open"}}, salts())
    assert reveal(sealed, {}) == {"reason": {"erased": True}, "changes": {"title": {"erased": True}, "state": "open"}}


def test_every_text_that_is_kept_still_proves_itself() -> None:
    sealed, beside = seal({"reason": SECRET, "note": "二"}, salts())
    for path, text in beside.items():
        assert sealed[path]["sealed"] == digest(bytes.fromhex(text["salt"]), text["value"])
        assert sealed[path]["sealed"] != digest(bytes.fromhex(text["salt"]), "另一句")
