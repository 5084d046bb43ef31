"""What is written about a change: which events, whom they concern, what they show and what they hide."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from service.workflow import events, sealing
from service.workflow.events import Actor, Event, EventDraft
from service.workflow.guards import Verification
from service.workflow.items import Item
from service.workflow.merkle import SHA256
from tests.workflow.builders import (
    CLAIMANT,
    COUNTY,
    DECIDER,
    FAR_VILLAGE,
    IMMEDIATE_DEADLINE,
    ITEM,
    LATER,
    NEW_TALK,
    NOW,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    STANDING_DEADLINE,
    TALK,
    TODAY,
    TOMORROW,
    TOWN,
    TWIN,
    VILLAGE,
    WAITED,
    YESTERDAY,
    a_talk,
    an_item,
    fire,
    uid,
)

TENANT, EVENT, PLATFORM = uid(91), uid(92), uid(93)
CLERK = Actor(CLAIMANT, "王秀英")


def sealed(draft: EventDraft, actor: Actor = CLERK) -> Event:
    made = iter(range(256))
    return events.seal(
        draft,
        tenant_id=TENANT,
        event_id=EVENT,
        actor=actor,
        at=NOW,
        revision=7,
        ordinal=0,
        salt=lambda size: bytes([next(made)]) * size,
        hashing=SHA256,
    )


def body_of(draft: EventDraft, actor: Actor = CLERK) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sealed(draft, actor).body)
    return body


# -- which events

WAYS = [
    ("claim", "open", "item.claimed"),
    ("extend", "rectifying", "item.extended"),
    ("close", "rectifying", "item.closed"),
    ("escalate", "rectifying", "item.escalated"),
    ("resume", "escalated", "item.resumed"),
    ("transfer", "rectifying", "item.transferred"),
    ("reopen", "closed", "item.reopened"),
    ("annul", "rectifying", "item.annulled"),
]


@pytest.mark.parametrize(("trigger", "state", "type_"), WAYS)
def test_a_transition_writes_exactly_one_event_of_the_item_and_writes_it_first(
    trigger: str, state: str, type_: str
) -> None:
    step = fire(trigger, an_item(state))
    drafts = events.of_step(step)
    assert [draft.type for draft in drafts] == [type_, *(["interview.opened"] if trigger == "escalate" else [])]
    assert drafts[0].data["trigger"] == trigger
    assert drafts[0].data["cycle"] == step.after.cycle
    for draft in drafts:
        body = body_of(draft)
        assert (body["item_version"], body["item_id"]) == (step.after.version, str(ITEM))


def test_an_escalation_says_which_interview_it_opened() -> None:
    escalated, opened = events.of_step(fire("escalate", an_item("rectifying")))
    assert escalated.data["interview_id"] == str(NEW_TALK)
    assert opened.data == {"interview_id": str(NEW_TALK), "interview_due": "2026-03-18"}


@pytest.mark.parametrize(("trigger", "talk"), list(product(["close", "annul"], ["pending", "scheduled"])))
def test_an_interview_that_is_not_held_any_more_is_cancelled_by_an_event_of_its_own(trigger: str, talk: str) -> None:
    item = an_item("escalated", pending=WAITED)
    step = fire(trigger, item, interview=a_talk(talk), waive_interview="已整改到位")
    drafts = events.of_step(step)
    assert [draft.type for draft in drafts[1:]] == ["interview.cancelled"]
    assert drafts[1].data == {"interview_id": str(TALK)}


# -- whom they concern


def test_an_event_concerns_all_units_around_the_item() -> None:
    item = an_item("open", co_unit_ids=(OFFICE, FAR_VILLAGE))
    assert events.concerned(item) == (VILLAGE, TOWN, OFFICE, FAR_VILLAGE)
    for draft in events.of_step(fire("escalate", item)):
        assert set(draft.audience) == {VILLAGE, TOWN, OFFICE, FAR_VILLAGE}


def test_a_transfer_concerns_the_units_before_and_after() -> None:
    item = an_item("open", co_unit_ids=(OFFICE, FAR_VILLAGE))
    step = fire("transfer", item, responsible_unit_id=FAR_VILLAGE)
    (draft,) = events.of_step(step)
    assert sorted(draft.audience) == sorted({VILLAGE, TOWN, OFFICE, FAR_VILLAGE, OTHER_TOWN})
    event = sealed(draft)
    assert event.audience == draft.audience
    assert json.loads(event.body)["audience"] == [str(unit) for unit in draft.audience]
    # It hangs at the unit that is responsible from now on.
    assert event.unit_id == FAR_VILLAGE


def test_a_co_unit_that_is_taken_away_hears_of_it() -> None:
    before = an_item("open", co_unit_ids=(OFFICE,))
    after = replace(before, co_unit_ids=(FAR_VILLAGE,), version=5)
    draft = events.of_correction(before, after, {"co_unit_ids": (FAR_VILLAGE,), "version": 5})
    assert sorted(draft.audience) == sorted({VILLAGE, TOWN, OFFICE, FAR_VILLAGE})


def test_the_root_stands_once_where_it_supervises_itself() -> None:
    assert events.concerned(an_item(responsible_unit_id=COUNTY, supervising_unit_id=COUNTY)) == (COUNTY,)


# -- what they show


def shown(trigger: str, item: Item, **more: Any) -> dict[str, Any]:
    return events.of_step(fire(trigger, item, **more))[0].data


def test_changed_fields_stand_there_before_and_after() -> None:
    data = shown("extend", an_item("rectifying"), due_on=LATER, reason="汛期停工")
    assert data == {
        "trigger": "extend",
        "cycle": 1,
        "reason": "汛期停工",
        "changes": {
            "state": {"before": "rectifying", "after": "extended"},
            "due_on": {"before": "2026-03-25", "after": "2026-04-10"},
            "extension_count": {"before": 0, "after": 1},
            "extension_days": {"before": 0, "after": 16},
        },
    }


def test_a_late_extension_says_that_it_is_late() -> None:
    assert shown("extend", an_item("rectifying", due_on=YESTERDAY), due_on=TOMORROW)["late"] is True
    assert "late" not in shown("extend", an_item("rectifying", due_on=TODAY), due_on=TOMORROW)


def test_a_closing_says_how_it_was_verified() -> None:
    verification = Verification("household", YESTERDAY, "入户三家，均已通水")
    data = shown("close", an_item("escalated"), verification=verification, waive_interview="已谈")
    assert data["verification"] == {"method": "household", "on": "2026-03-10", "note": "入户三家，均已通水"}
    assert data["waive_interview"] == "已谈"
    assert data["changes"]["resolution"] == {"before": None, "after": "rectified"}
    assert data["changes"]["closed_days_late"] == {"before": None, "after": 0}


def test_a_resume_says_who_signed() -> None:
    never_claimed = an_item("escalated", claim_signed_by=None, claimed_at=None, claimed_by=None, hands={})
    assert shown("resume", never_claimed, signed_by="刘洋")["signed_by"] == "刘洋"
    assert "signed_by" not in shown("resume", an_item("escalated"))


def test_a_duplicate_says_of_what() -> None:
    data = shown("annul", an_item(), duplicate_of=TWIN, twin=an_item(id=TWIN))
    assert data["changes"]["duplicate_of"] == {"before": None, "after": str(TWIN)}
    assert data["changes"]["resolution"]["after"] == "duplicate"


def test_a_transfer_says_from_where_to_where() -> None:
    item = an_item("rectifying", co_unit_ids=(OTHER_VILLAGE,))
    changed = shown("transfer", item)["changes"]
    assert changed["responsible_unit_id"] == {"before": str(VILLAGE), "after": str(OTHER_VILLAGE)}
    assert changed["co_unit_ids"] == {"before": [str(OTHER_VILLAGE)], "after": []}
    assert "supervising_unit_id" not in changed


@pytest.mark.parametrize(("trigger", "state", "type_"), WAYS)
@pytest.mark.parametrize("deadline", [STANDING_DEADLINE, IMMEDIATE_DEADLINE])
def test_what_is_written_elsewhere_or_nobodys_business_is_no_change(
    trigger: str, state: str, type_: str, deadline: dict[str, Any]
) -> None:
    if trigger == "extend" and deadline is STANDING_DEADLINE:
        return
    data = shown(trigger, an_item(state, **deadline))
    assert not data["changes"].keys() & {"contact_sealed", "hands", "version", "revision", "updated_at"}
    assert all(change["before"] != change["after"] for change in data["changes"].values())
    # Plain JSON: what cannot be written down would stop the change itself.
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_a_listing_shows_the_facts_that_there_are() -> None:
    item = an_item("open", version=1, severity="serious", co_unit_ids=(OFFICE,), labels=("汛期",), found_on=YESTERDAY)
    draft = events.of_listing(item, None, None)
    assert draft.type == "item.created"
    assert draft.data == {
        "number": "hb-2026-0007",
        "ledger_id": str(item.ledger_id),
        "title": "村口排水沟堵塞",
        "severity": "serious",
        "source_kind": "inspection",
        "responsible_unit_id": str(VILLAGE),
        "supervising_unit_id": str(TOWN),
        "supervising_defaulted": True,
        "co_unit_ids": [str(OFFICE)],
        "found_on": "2026-03-10",
        "listed_at": "2026-03-02T01:30:00Z",
        "deadline_kind": "date",
        "due_on": "2026-03-25",
        "provisional": False,
        "claim_due": "2026-03-12",
        "state": "open",
        "labels": ["汛期"],
    }


def test_a_listing_of_a_standing_item_shows_its_review() -> None:
    data = events.of_listing(an_item("open", **STANDING_DEADLINE), None, None).data
    assert (data["deadline_kind"], data["review_on"]) == ("standing", "2026-03-25")
    assert not data.keys() & {"due_on", "labels", "attributes", "description"}


def test_a_listing_of_an_old_item_says_when_and_how_it_was_struck_off() -> None:
    data = events.of_listing(an_item("closed"), "已清淤", date(2026, 3, 5)).data
    assert (data["closed_on"], data["note"], data["resolution"]) == ("2026-03-05", "已清淤", "rectified")


def test_a_correction_shows_what_it_changed_and_of_the_complainant_only_that_something_did() -> None:
    before = an_item("open", contact_sealed=b"old")
    changed = {"severity": "critical", "contact_sealed": b"new", "version": 5, "updated_at": NOW}
    draft = events.of_correction(before, replace(before, **changed), changed)
    assert draft.type == "item.updated"
    assert draft.data == {
        "changes": {"severity": {"before": "general", "after": "critical"}},
        "contact_changed": True,
    }
    assert "contact_changed" not in events.of_correction(before, before, {"severity": "critical"}).data


def test_a_progress_entry_says_which_side_reported() -> None:
    item = an_item("rectifying", cycle=2)
    draft = events.of_progress(item, progress_id=uid(99), text="已清淤30米", percent=60, side="responsible")
    assert draft.type == "item.progressed"
    assert draft.data == {
        "progress_id": str(uid(99)), "text": "已清淤30米", "percent": 60, "side": "responsible", "cycle": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 3, 11, 2, 0, tzinfo=UTC), "2026-03-11T02:00:00Z"),
        (datetime(2026, 3, 11, 2, 0, 0, 120, tzinfo=UTC), "2026-03-11T02:00:00.000120Z"),
        (date(2026, 3, 11), "2026-03-11"),
        (VILLAGE, "00000000-0000-0000-0000-000000000005"),
        ((VILLAGE, TODAY), ["00000000-0000-0000-0000-000000000005", "2026-03-11"]),
        ((), []),
        ({"自": ["由"]}, {"自": ["由"]}),
        (None, None),
        (False, False),
    ],
)
def test_values_are_written_as_plain_json(value: Any, expected: Any) -> None:
    assert events.plain(value) == expected


# -- what they hide

SECRET = "密"
FREE_TEXTS: dict[str, Any] = {
    "external_ref": f"{SECRET}1",
    "title": f"{SECRET}2",
    "description": f"{SECRET}3",
    "category": f"{SECRET}4",
    "source_ref": f"{SECRET}5",
    "responsible_person": f"{SECRET}6",
    "goal": f"{SECRET}7",
    "measures": f"{SECRET}8",
    "deadline_text": f"{SECRET}9",
    "labels": (f"{SECRET}10",),
    "attributes": {f"{SECRET}11": [f"{SECRET}12"]},
}
NOBODY = Actor(DECIDER, f"{SECRET}13")


def secret_drafts() -> list[EventDraft]:
    """Every kind of event, with a secret wherever a person can write."""
    full = {**FREE_TEXTS, "contact_sealed": SECRET.encode(), "claim_signed_by": f"{SECRET}14"}
    other = {name: (f"{SECRET}15",) if name == "labels" else f"{SECRET}16" for name in FREE_TEXTS}
    before = an_item("rectifying", **full)
    said = {
        "claim": {"signed_by": f"{SECRET}17", "measures": f"{SECRET}18"},
        "close": {
            "verification": Verification("phone", TODAY, f"{SECRET}19"),
            "waive_interview": f"{SECRET}20",
        },
        "resume": {"signed_by": f"{SECRET}21"},
    }
    drafts = [
        events.of_listing(an_item("open", **full), None, None),
        events.of_listing(an_item("closed", **full), f"{SECRET}22", TODAY),
        events.of_correction(before, replace(before, **other), {**other, "contact_sealed": b"x"}),
        events.of_progress(before, progress_id=uid(99), text=f"{SECRET}23", percent=1, side="responsible"),
        events.of_interview(before, TALK_ON_RECORD, SHA256),
    ]
    for trigger, state, _ in WAYS:
        given = said.get(trigger, {"reason": f"{SECRET}24"})
        drafts += events.of_step(fire(trigger, an_item(state, **full), **given))
    return drafts


TALK_ON_RECORD = replace(
    a_talk("recorded", held_on=YESTERDAY),
    attendees=(f"{SECRET}25", f"{SECRET}26"),
    minutes=f"{SECRET}27",
    commitments=f"{SECRET}28",
    seal_salt=bytes(16),
)


def test_no_free_text_and_no_name_stands_in_the_sealed_bytes() -> None:
    drafts = secret_drafts()
    assert {draft.type for draft in drafts} == {
        "item.created",
        "item.updated",
        "item.progressed",
        "interview.recorded",
        "interview.opened",
        *(type_ for _, _, type_ in WAYS),
    }
    for draft in drafts:
        event = sealed(draft, NOBODY)
        assert SECRET.encode() not in event.body
        assert SECRET.encode().hex().encode() not in event.body
        assert b"\\u" not in event.body


def test_the_texts_lie_beside_and_can_be_put_back() -> None:
    draft = events.of_listing(an_item("open", **FREE_TEXTS), None, None)
    event = sealed(draft, NOBODY)
    assert event.beside.keys() == {events.ACTORS_NAME, *FREE_TEXTS}
    assert sealing.reveal(json.loads(event.body)["data"], event.beside) == draft.data


def test_a_name_in_the_data_is_not_taken_for_the_actors() -> None:
    draft = EventDraft("unit.created", events.Subject(), (), {"name": "青溪镇"})
    event = sealed(draft, NOBODY)
    body = json.loads(event.body)
    assert sealing.reveal(body["data"], event.beside) == {"name": "青溪镇"}
    assert event.beside[events.ACTORS_NAME]["value"] == NOBODY.name
    assert body["actor"]["name"] != body["data"]["name"]


def test_erasing_the_texts_leaves_the_body_as_it_is() -> None:
    draft = events.of_step(fire("close", an_item("rectifying")))[0]
    event = sealed(draft)
    erased = replace(event, beside={})
    assert erased.body == event.body
    data = sealing.reveal(json.loads(erased.body)["data"], erased.beside)
    assert data["verification"] == {"method": "on_site", "on": "2026-03-11", "note": {"erased": True}}
    assert data["changes"]["state"] == {"before": "rectifying", "after": "closed"}


def test_an_interview_on_record_shows_its_day_and_a_digest() -> None:
    item = an_item("escalated")
    draft = events.of_interview(item, TALK_ON_RECORD, SHA256)
    assert draft.type == "interview.recorded"
    assert draft.data["interview_id"] == str(TALK)
    assert draft.data["held_on"] == "2026-03-10"
    assert len(bytes.fromhex(draft.data["minutes_digest"])) == 32
    digests = {
        events.of_interview(item, talk, SHA256).data["minutes_digest"]
        for talk in (
            TALK_ON_RECORD,
            replace(TALK_ON_RECORD, attendees=("甲",)),
            replace(TALK_ON_RECORD, minutes="乙"),
            replace(TALK_ON_RECORD, commitments=None),
            replace(TALK_ON_RECORD, seal_salt=bytes(15) + b"x"),
        )
    }
    assert len(digests) == 5


def test_who_guesses_what_was_said_in_an_interview_cannot_prove_it_from_the_event() -> None:
    """A salt that stands in the body itself cannot be destroyed: the digest would outlive every lawful erasure."""
    event = sealed(events.of_interview(an_item("escalated"), TALK_ON_RECORD, SHA256))
    said = {
        "attendees": list(TALK_ON_RECORD.attendees),
        "minutes": TALK_ON_RECORD.minutes,
        "commitments": TALK_ON_RECORD.commitments,
    }
    body = event.body.decode()
    for salt in (b"", TALK.bytes, str(TALK).encode(), ITEM.bytes, EVENT.bytes, TENANT.bytes):
        assert sealing.digest(SHA256, salt, said) not in body
    # The salt is kept with the minutes, and as long as both are there they can be proved.
    assert TALK_ON_RECORD.seal_salt is not None
    assert TALK_ON_RECORD.seal_salt.hex() not in body
    assert sealing.digest(SHA256, TALK_ON_RECORD.seal_salt, said) in body


# -- the sealed event


def test_the_body_of_an_event_stays_byte_for_byte_what_it_is() -> None:
    """Proofs rest on these bytes: where this test must change, every log that exists would break."""
    item = an_item("open", co_unit_ids=(OFFICE,))
    (draft,) = events.of_step(fire("claim", item, actor_id=CLAIMANT, signed_by="王秀英"))
    event = sealed(draft)
    assert event.body.decode() == (
        '{"actor":{"name":{"sealed":"fac3089c6b5024435c084fe82d161b0652e4fd526402e777b89ad97f4f5249d9"},'
        '"principal_id":"00000000-0000-0000-0000-000000000016","via":null},'
        '"at":"2026-03-11T02:00:00Z",'
        '"audience":["00000000-0000-0000-0000-000000000005","00000000-0000-0000-0000-000000000002",'
        '"00000000-0000-0000-0000-000000000004"],'
        '"data":{"changes":{'
        '"claim_signed_by":{"sealed":"c04b037c5574fe24eb51b6434f088586254682e05663eb0caa8215ab37ed08fb"},'
        '"claimed_at":{"after":"2026-03-11T02:00:00Z","before":null},'
        '"claimed_by":{"after":"00000000-0000-0000-0000-000000000016","before":null},'
        '"state":{"after":"rectifying","before":"open"}},'
        '"cycle":1,"trigger":"claim"},'
        '"format":1,'
        '"id":"00000000-0000-0000-0000-00000000005c",'
        '"item_id":"00000000-0000-0000-0000-000000000029",'
        '"item_version":5,'
        '"ledger_id":"00000000-0000-0000-0000-00000000002b",'
        '"ordinal":0,'
        '"revision":7,'
        '"tenant_id":"00000000-0000-0000-0000-00000000005b",'
        '"type":"item.claimed",'
        '"unit_id":"00000000-0000-0000-0000-000000000005"}'
    )
    assert event.beside == {
        "actor/name": {"salt": "00" * 16, "value": "王秀英"},
        "changes/claim_signed_by": {"salt": "01" * 16, "value": {"before": None, "after": "王秀英"}},
    }


def test_the_columns_of_an_event_say_what_its_body_says() -> None:
    event = sealed(events.of_step(fire("transfer", an_item("open")))[0])
    body = json.loads(event.body)
    columns = (event.id, event.item_id, event.unit_id, event.ledger_id)
    assert tuple(map(str, columns)) == (body["id"], body["item_id"], body["unit_id"], body["ledger_id"])
    assert (event.type, event.revision, event.ordinal) == (body["type"], body["revision"], body["ordinal"])
    assert (event.item_version, events.plain(event.at)) == (body["item_version"], body["at"])


def test_the_clock_has_no_principal_and_a_platform_that_acts_for_someone_is_named_beside() -> None:
    draft = events.of_step(fire("escalate", an_item("open")))[0]
    assert body_of(draft, Actor(None, "clock"))["actor"]["principal_id"] is None
    actor = body_of(draft, Actor(CLAIMANT, "王秀英", via=PLATFORM))["actor"]
    assert (actor["principal_id"], actor["via"]) == (str(CLAIMANT), str(PLATFORM))
