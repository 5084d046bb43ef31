"""A small county, an item in it, and what stands around them: each made with as few words as a test needs.

Items are put together field by field and not by firing triggers, so that a test of one trigger does not rest on others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings

from service.errors import Refused
from service.workflow import machine
from service.workflow.calendar import BASE
from service.workflow.guards import Case, Command, Verification
from service.workflow.items import Interview, Item
from service.workflow.machine import Step
from service.workflow.permissions import Standing
from service.workflow.policy import DEFAULTS, Policy, default_policy, merge
from tests.conftest import FULL

MORE = 20 if FULL else 1


def examples(count: int, **more: Any) -> settings:
    """Settings for `count` examples, twenty times as many in a full run."""
    # Without a deadline: the first example may pay for an import, and a busy machine is no failure.
    return settings(max_examples=count * MORE, deadline=None, **more)


# -- the county: a tree of units


def uid(number: int) -> UUID:
    return UUID(int=number)


COUNTY, TOWN, OTHER_TOWN, OFFICE = uid(1), uid(2), uid(3), uid(4)
VILLAGE, OTHER_VILLAGE, FAR_VILLAGE, GROUP = uid(5), uid(6), uid(7), uid(8)

PARENT: dict[UUID, UUID | None] = {
    COUNTY: None,
    TOWN: COUNTY,
    OTHER_TOWN: COUNTY,
    OFFICE: COUNTY,
    VILLAGE: TOWN,
    OTHER_VILLAGE: TOWN,
    FAR_VILLAGE: OTHER_TOWN,
    GROUP: VILLAGE,
}


@cache
def line(unit: UUID) -> tuple[UUID, ...]:
    """The unit with everything above it: itself first, the county last."""
    parent = PARENT[unit]
    return (unit,) if parent is None else (unit, *line(parent))


# -- people

LISTER, CLAIMANT, REPORTER, DECIDER = uid(21), uid(22), uid(23), uid(24)

# -- days: a quiet stretch, with Wednesday in the middle of a week of five working days

TODAY = date(2026, 3, 11)
NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
EARLIER = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DUE_ON = date(2026, 3, 25)
LATER = date(2026, 4, 10)
ONE_DAY = timedelta(days=1)
YESTERDAY, TOMORROW = TODAY - ONE_DAY, TODAY + ONE_DAY


def days(count: int) -> timedelta:
    return timedelta(days=count)


# -- an item, its interview, its policy

ITEM, TWIN, LEDGER, TALK, NEW_TALK = uid(41), uid(42), uid(43), uid(44), uid(45)

CLAIMED: dict[str, Any] = {
    "claim_signed_by": "李国强",
    "claimed_at": datetime(2026, 3, 3, 2, 0, tzinfo=UTC),
    "claimed_by": CLAIMANT,
    "hands": {"claimed": [str(CLAIMANT)]},
}

IN_STATE: dict[str, dict[str, Any]] = {
    "open": {},
    "rectifying": CLAIMED,
    "extended": {**CLAIMED, "extension_count": 1, "extension_days": 10},
    "escalated": {**CLAIMED, "escalation_count": 1, "interview_id": TALK},
    "closed": {**CLAIMED, "resolution": "rectified", "closed_at": EARLIER, "closed_days_late": 0},
}


def an_item(state: str = "open", **more: Any) -> Item:
    """An item of VILLAGE under TOWN, listed by LISTER, due in two weeks, with what an item in `state` has by then."""
    facts: dict[str, Any] = {
        "id": ITEM,
        "number": "hb-2026-0007",
        "ledger_id": LEDGER,
        "external_ref": None,
        "external_owner": None,
        "title": "村口排水沟堵塞",
        "description": None,
        "category": None,
        "severity": "general",
        "source_kind": "inspection",
        "source_ref": None,
        "contact_sealed": None,
        "responsible_unit_id": VILLAGE,
        "supervising_unit_id": TOWN,
        "supervising_defaulted": True,
        "co_unit_ids": (),
        "responsible_person": None,
        "goal": None,
        "measures": None,
        "found_on": None,
        "listed_at": EARLIER,
        "listed_by": LISTER,
        "deadline_kind": "date",
        "due_on": DUE_ON,
        "review_on": None,
        "deadline_text": None,
        "provisional": False,
        "deadline_rule": None,
        "passed_on": None,
        "rungs_from": None,
        "claim_due": TOMORROW,
        "claim_rule": None,
        "state": state,
        "cycle": 1,
        "extension_count": 0,
        "extension_days": 0,
        "extended_late": 0,
        "escalation_count": 0,
        "evidence_count": 0,
        "hands": {},
        "pending": {},
        "claim_signed_by": None,
        "claimed_at": None,
        "claimed_by": None,
        "interview_id": None,
        "resolution": None,
        "duplicate_of": None,
        "closed_at": None,
        "closed_days_late": None,
        "labels": (),
        "attributes": {},
        "policy_epoch": 1,
        "calendar_epoch": 1,
        "version": 4,
        "revision": 6,
        "created_at": EARLIER,
        "updated_at": EARLIER,
    }
    return Item(**{**facts, **IN_STATE[state], **more})


STANDING_DEADLINE: dict[str, Any] = {
    "deadline_kind": "standing",
    "due_on": None,
    "review_on": DUE_ON,
    "deadline_rule": {"name": "standing", "limit": 3, "unit": "months", "start_on": "2025-12-25"},
}
IMMEDIATE_DEADLINE: dict[str, Any] = {
    "deadline_kind": "immediate",
    "due_on": DUE_ON,
    "provisional": True,
    "deadline_rule": {"name": "immediate", "limit": 3, "unit": "working_days", "start_on": "2026-03-20"},
}


def a_talk(state: str = "recorded", **more: Any) -> Interview:
    facts: dict[str, Any] = {
        "id": TALK,
        "item_id": ITEM,
        "unit_id": VILLAGE,
        "cycle": 1,
        "state": state,
        "opened_at": EARLIER,
        "due_on": date(2026, 3, 9),
    }
    return Interview(**{**facts, **more})


WAITED: dict[str, dict[str, Any]] = {
    "interview": {"id": str(TALK), "by": None, "on": "2026-03-02", "within": 5, "due": "2026-03-09"}
}
"""What an item has pending while `a_talk` is to be held."""

NEW_WAIT: dict[str, dict[str, Any]] = {
    "interview": {"id": str(NEW_TALK), "by": None, "on": "2026-03-11", "within": 5, "due": "2026-03-18"}
}
"""The same for a talk that an escalation opens today."""

NEW_CLAIM_RULE = {"name": "claim", "limit": 2, "unit": "working_days", "start_on": "2026-03-11"}
"""How the day to claim an item by comes about that becomes open today."""


def a_policy(**partial: Any) -> Policy:
    return Policy.parse(merge(DEFAULTS, partial))


# -- who asks, and for what


def a_standing(*granted: str) -> Standing:
    """What a caller is to the item: only what is named."""
    unknown = set(granted) - {field.name for field in fields(Standing)}
    assert not unknown, unknown
    return Standing(**{field.name: field.name in granted for field in fields(Standing)})


EVERYTHING = a_standing(*(field.name for field in fields(Standing)))
SUPERVISOR = a_standing(
    "decides", "annuls", "updates", "reports", "records_interviews", "sees_contact", "decides_requests", "issues"
)
"""One whose grant lies on the supervising unit itself, and nothing above it."""

GIVEN: dict[str, dict[str, Any]] = {
    "claim": {"signed_by": "李国强"},
    "extend": {"due_on": LATER, "reason": "汛期停工"},
    "close": {"verification": Verification("on_site", TODAY, "现场查看已疏通")},
    "escalate": {"reason": "屡催不办"},
    "resume": {"due_on": LATER},
    "transfer": {"responsible_unit_id": OTHER_VILLAGE, "reason": "属地调整"},
    "reopen": {"due_on": LATER, "reason": "问题反弹"},
    "annul": {"reason": "误登"},
}
"""Input that every trigger is content with."""

COMMAND_FIELDS = {field.name for field in fields(Command)}


def fire(trigger: str, item: Item, **more: Any) -> Step:
    """`trigger` on `item` by someone who may do everything and has done nothing yet; `more` says what is different.

    `more` may name fields of the Command and of the Case. An interview stands beside an escalated item, on record.
    """
    command = a_command(trigger, **{name: more.pop(name) for name in COMMAND_FIELDS & more.keys()})
    return machine.advance(a_case(item, command, **more), command, new_id=lambda: NEW_TALK)


def a_command(trigger: str, **more: Any) -> Command:
    return Command(**{"trigger": trigger, **GIVEN.get(trigger, {}), **more})


def a_case(item: Item, command: Command | None = None, **more: Any) -> Case:
    facts: dict[str, Any] = {
        "item": item,
        "standing": EVERYTHING,
        "policy": default_policy(),
        "calendar": BASE,
        "now": NOW,
        "today": TODAY,
        "actor_id": DECIDER,
        "interview": a_talk(id=item.interview_id) if item.interview_id else None,
    }
    if command is not None and command.responsible_unit_id is not None:
        facts["target"] = line(command.responsible_unit_id)
        facts["overseer"] = overseer_of(item, command.responsible_unit_id, command.supervising_unit_id)
    return Case(**{**facts, **more})


def overseer_of(item: Item, responsible: UUID, supervising: UUID | None) -> tuple[UUID, ...]:
    """The line of the supervising unit after a transfer: the one named, else the default one, else the present one."""
    if supervising is not None:
        return line(supervising)
    if item.supervising_defaulted or PARENT[responsible] is None:
        return line(PARENT[responsible] or responsible)
    return line(item.supervising_unit_id)


@contextmanager
def refused(code: str, reason: str | None = None, **facts: Any) -> Iterator[None]:
    """The body is refused with exactly this code and reason, and with at least these facts."""
    with pytest.raises(Refused) as caught:
        yield
    refusal = caught.value
    assert (refusal.code, refusal.reason) == (code, reason)
    assert {name: refusal.facts.get(name) for name in facts} == facts


def guarded(name: str, **facts: Any) -> Any:
    """Refused by the guard `name`."""
    return refused("guard_refused", name, guard=name, **facts)


def after(item: Item, **changed: Any) -> Item:
    """`item` one version later, with these fields changed and no others."""
    return replace(item, **{"version": item.version + 1, "updated_at": NOW, **changed})
