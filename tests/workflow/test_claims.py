"""What claims give: held against cases written by hand, and against anything that JSON can hold."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from service.errors import Refused
from service.workflow.claims import MAX_GRANTS, difference, interpret, texts
from service.workflow.identities import Granted
from tests.workflow.builders import examples

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def rule(claim: str = "roles", value: str = "clerk", role: str = "responsible", **given: Any) -> dict[str, Any]:
    return {"claim": claim, "value": value, "role": role, "unit": None, "unit_claim": None, **given}


def mapping(*rules: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"subject": "sub", "name": "name", "external_id": None, "create": True, "grants": list(rules), **given}


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"roles": "a"}, "roles", ("a",)),
        ({"roles": ["a", "b"]}, "roles", ("a", "b")),
        ({"roles": ["a", 1, None, ["b"]]}, "roles", ("a",)),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"resource_access": {"my.app": {"roles": ["a"]}}}, "resource_access.my.app.roles", ("a",)),
        ({"https://example.org/roles": ["a"]}, "https://example.org/roles", ("a",)),
        ({"a.b": "whole", "a": {"b": "path"}}, "a.b", ("whole",)),
        ({"a.b": None, "a": {"b": "path"}}, "a.b", ("path",)),
        ({"roles": {"a": True}}, "roles", ()),
        ({"roles": 7}, "roles", ()),
        ({}, "roles", ()),
        ({"realm_access": "roles"}, "realm_access.roles", ()),
        ({"roles": ["x"] * 500 + ["late"]}, "roles", ("x",) * 500),
    ],
)
def test_a_claim_is_found_by_its_path(claims: dict[str, Any], path: str, found: tuple[str, ...]) -> None:
    assert texts(claims, path) == found


@pytest.mark.parametrize("subject", [None, "", " ", 7, ["a", "b"], {"a": "b"}, "x" * 256, "a\nb", "a\x00", "\ud800"])
def test_without_a_sound_subject_a_token_is_nobodys(subject: Any) -> None:
    with pytest.raises(Refused) as refused:
        interpret({"sub": subject}, mapping())
    assert (refused.value.code, refused.value.reason) == ("unauthenticated", "invalid_token")


def test_who_it_is() -> None:
    claims = {"uid": "li", "profile": {"name": "李明\n（水利局）"}, "no": "E-7"}
    found = interpret(claims, mapping(subject="uid", name="profile.name", external_id="no"))
    assert (found.subject, found.name, found.external_id) == ("li", "李明 （水利局）", "E-7")


def test_a_long_name_is_cut_and_a_long_identifier_is_none() -> None:
    found = interpret({"sub": "li", "name": "名" * 300, "no": "7" * 201}, mapping(external_id="no"))
    assert (found.name, found.external_id) == ("名" * 200, None)


def test_a_name_that_is_missing_or_blank_is_none() -> None:
    assert interpret({"sub": "li"}, mapping()).name is None
    assert interpret({"sub": "li", "name": " \t"}, mapping()).name is None


def test_grants_in_the_order_of_the_mapping_each_once() -> None:
    rules = (
        rule(value="boss", role="supervisor", unit="root"),
        rule(unit="t1"),
        rule(unit_claim="org"),
        rule(claim="org", value="t1", unit="t1"),
        rule(value="absent", unit="t2"),
    )
    found = interpret(
        {"sub": "li", "roles": ["clerk", "boss"], "org": ["t1", "t2", "not a code", "x" * 65]}, mapping(*rules)
    )
    assert found.grants == (("supervisor", "root"), ("responsible", "t1"), ("responsible", "t2"))


def test_a_value_is_compared_whole() -> None:
    for held in ("clerks", "Clerk", "a clerk", "clerk ", ["clerks"]):
        assert interpret({"sub": "li", "roles": held}, mapping(rule(unit="t1"))).grants == ()


def test_a_token_gives_a_bounded_number_of_grants() -> None:
    claims = {"sub": "li", "roles": "clerk", "org": [f"u{number}" for number in range(400)]}
    assert len(interpret(claims, mapping(rule(unit_claim="org"))).grants) == MAX_GRANTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=6,
)
NAMES = st.sampled_from(["sub", "name", "roles", "org", "no", "a.b", "a", "b"])
CLAIMS = st.dictionaries(NAMES, JSON | st.sampled_from(["clerk", "boss", "t1", ["clerk", "t1"]]), max_size=6)
PATHS = st.sampled_from(["sub", "roles", "a.b", "a.b.a", "org"])
RULES = st.lists(
    st.builds(lambda claim, value, unit: rule(claim, value, unit=unit, unit_claim=None if unit else "org"),
              PATHS, st.sampled_from(["clerk", "boss"]), st.sampled_from([None, "t1"])),
    max_size=4,
)  # fmt: skip


# Any JSON takes its time to be made up: on a busy machine that is no failure.
@examples(100, suppress_health_check=[HealthCheck.too_slow])
@given(claims=CLAIMS, rules=RULES, subject=PATHS)
def test_whatever_is_claimed_the_outcome_is_sound_and_can_be_stored(
    claims: dict[str, Any], rules: list[dict[str, Any]], subject: str
) -> None:
    rules_ = mapping(*rules, subject=subject, external_id="no")
    try:
        found = interpret(claims, rules_)
    except Refused as refused:
        assert refused.code == "unauthenticated"
        return
    assert found.subject in texts(claims, subject)
    for text, longest in ((found.subject, 255), (found.name or "x", 200), (found.external_id or "x", 200)):
        assert len(text) <= longest and "\x00" not in text
        text.encode()
    assert len(set(found.grants)) == len(found.grants) <= MAX_GRANTS
    for role, code in found.grants:
        fired = [each for each in rules if each["role"] == role and each["value"] in texts(claims, each["claim"])]
        assert any(each["unit"] == code or code in texts(claims, each["unit_claim"] or "-") for each in fired)


def granted(number: int, role: str, unit: int) -> Granted:
    return Granted(
        id=UUID(int=number), principal_id=UUID(int=1), department_id=None, role=role, unit_id=UUID(int=unit),
        subtree=True, since=None, until=None, label=None, issuer_id=UUID(int=2), created_at=NOW,
    )  # fmt: skip


HELD = st.lists(st.tuples(st.sampled_from(["viewer", "supervisor"]), st.integers(1, 4)), max_size=8)


@examples(100)
@given(held=HELD, wanted=HELD)
def test_the_difference_leads_from_what_is_held_to_what_is_wanted(
    held: list[tuple[str, int]], wanted: list[tuple[str, int]]
) -> None:
    grants = [granted(number, role, unit) for number, (role, unit) in enumerate(held, start=10)]
    ended, begun = difference(grants, [(role, UUID(int=unit)) for role, unit in wanted])
    left = [(grant.role, grant.unit_id) for grant in grants if grant not in ended] + list(begun)
    assert len(left) == len(set(left))
    assert set(left) == {(role, UUID(int=unit)) for role, unit in wanted}
    # What stays is not touched.
    assert not {(grant.role, grant.unit_id) for grant in grants if grant not in ended} & set(begun)
