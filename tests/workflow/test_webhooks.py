"""Webhooks: whose events an endpoint hears, and when it is paused or given up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.workflow.delivery import WAITS
from service.workflow.scopes import Scope
from service.workflow.webhooks import (
    FAILING_FOR,
    PAUSED_AT,
    UNTRIED_FOR,
    Reach,
    Webhook,
    after_attempts,
    changed,
    created,
    failing_for_long,
    hears,
    lane_of,
    updated,
    was_disabled,
)

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
ROOT, TOWN, VILLAGE, OTHER = (UUID(int=number) for number in range(1, 5))
LINES = {ROOT: (ROOT,), TOWN: (TOWN, ROOT), VILLAGE: (VILLAGE, TOWN, ROOT), OTHER: (OTHER, ROOT)}

FAILED, ARRIVED, PROBE_FAILED, PROBE_ARRIVED = (False, False), (True, False), (False, True), (True, True)


def webhook(**given: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": UUID(int=9), "owner_id": UUID(int=8), "url": "https://example.org/hook?token=x", "types": ("item.*",),
        "unit_id": None, "format": "standard", "rate_limit": None, "enabled": True, "disabled_reason": None,
        "secret_sealed": b"", "old_secret_sealed": None, "old_secret_until": None, "failures": 0,
        "failing_since": None, "failed_at": None, "probe_at": None, "version": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Webhook(**values | given)


def reach(*units: UUID, overseer: bool = False) -> Reach:
    return Reach(Scope(units), overseer)


def alone(*units: UUID) -> Reach:
    return Reach(Scope(alone=units), overseer=False)


# -- whose events


@pytest.mark.parametrize(
    ("unit", "scope", "audience", "heard"),
    [
        (None, reach(TOWN), (VILLAGE,), True),
        (None, reach(TOWN), (TOWN,), True),
        (None, reach(TOWN), (ROOT,), False),
        (None, reach(TOWN), (OTHER,), False),
        (None, reach(TOWN), (OTHER, VILLAGE), True),
        (None, reach(), (ROOT,), False),
        (None, reach(TOWN), (), False),
        (None, reach(ROOT, overseer=True), (), True),
        (TOWN, reach(ROOT, overseer=True), (), False),
        (TOWN, reach(ROOT), (VILLAGE,), True),
        (TOWN, reach(ROOT), (OTHER,), False),
        (TOWN, reach(ROOT), (ROOT,), False),
        # An endpoint that lies outside its owner's scope hears nothing, not even what the owner sees.
        (TOWN, reach(VILLAGE), (VILLAGE,), False),
        (TOWN, reach(OTHER), (VILLAGE, OTHER), False),
        (VILLAGE, reach(TOWN), (VILLAGE,), True),
        # An owner that sees a unit alone hears what concerns just that.
        (None, alone(TOWN), (TOWN,), True),
        (None, alone(TOWN), (VILLAGE,), False),
        (None, alone(ROOT), (TOWN, VILLAGE), False),
        (None, alone(TOWN), (VILLAGE, TOWN), True),
        (TOWN, alone(TOWN), (TOWN,), True),
        (TOWN, alone(TOWN), (VILLAGE,), False),
        (TOWN, alone(VILLAGE), (VILLAGE,), False),
        (VILLAGE, alone(TOWN), (VILLAGE,), False),
    ],
)
def test_an_endpoint_hears_what_its_owner_sees_of_its_unit(
    unit: UUID | None, scope: Reach, audience: tuple[UUID, ...], heard: bool
) -> None:
    lines = [LINES[each] for each in audience]
    assert hears(webhook(unit_id=unit), scope, "item.created", lines) is heard
    assert not hears(webhook(unit_id=unit), scope, "notice.issued", lines)


def test_a_unit_that_is_not_known_any_more_is_nobody_s() -> None:
    assert not hears(webhook(), reach(ROOT), "item.created", [()])
    assert not hears(webhook(unit_id=TOWN), reach(ROOT), "item.created", [()])


def test_each_endpoint_and_item_has_a_lane_of_its_own() -> None:
    lanes = {lane_of(UUID(int=a), item) for a in (1, 2) for item in (None, UUID(int=1), UUID(int=2))}
    assert len(lanes) == 6
    assert lane_of(UUID(int=1), None) == lane_of(UUID(int=1), None)


# -- how it fares


def test_failures_in_a_row_are_counted_from_the_last_that_arrived() -> None:
    after = after_attempts(webhook(failures=7, failing_since=NOW), [FAILED, ARRIVED, FAILED, FAILED], NOW, 0.5)
    assert (after.failures, after.failing_since, after.failed_at, after.probe_at) == (2, NOW, NOW, None)
    assert after_attempts(after, [ARRIVED], NOW, 0.5) == webhook()


def test_what_was_on_its_way_when_an_endpoint_was_paused_is_no_probe() -> None:
    after = after_attempts(webhook(failures=PAUSED_AT - 1), [FAILED] * 10, NOW, 0.5)
    assert (after.paused, after.failures, after.probe_at) == (True, PAUSED_AT, NOW + WAITS[0])


def test_probes_are_made_by_the_schedule_and_the_longest_wait_for_ever() -> None:
    after = after_attempts(webhook(failures=PAUSED_AT - 1), [FAILED], NOW, 0.5)
    waits = [after.probe_at]
    for _ in range(len(WAITS) + 1):
        after = after_attempts(after, [PROBE_FAILED], NOW, 0.5)
        waits.append(after.probe_at)
    assert waits == [NOW + wait for wait in (*WAITS, WAITS[-1], WAITS[-1])]
    assert after_attempts(after, [PROBE_ARRIVED], NOW, 0.5) == webhook()


def test_an_endpoint_is_given_up_after_five_days_of_failing_and_not_of_silence() -> None:
    after, now = after_attempts(webhook(), [FAILED], NOW, 0.5), NOW
    while now < NOW + FAILING_FOR - timedelta(days=1):
        now += timedelta(days=1)
        after = after_attempts(after, [FAILED], now, 0.5)
        assert not failing_for_long(after, now)
    last, much_later = now + timedelta(days=1), now + UNTRIED_FOR + timedelta(days=1)
    assert failing_for_long(after_attempts(after, [FAILED], last, 0.5), last)
    silent = after_attempts(after, [FAILED], much_later, 0.5)
    assert not failing_for_long(silent, much_later) and silent.failing_since == silent.failed_at


def test_a_change_by_hand_gives_another_chance_where_it_may_help() -> None:
    ill = webhook(failures=60, failing_since=NOW, failed_at=NOW, probe_at=NOW)
    assert changed(ill, replace(ill, types=("*",))) == replace(ill, types=("*",))
    assert changed(ill, replace(ill, url="https://example.com/")) == webhook(url="https://example.com/")
    off = replace(ill, enabled=False, disabled_reason="gone")
    assert changed(off, replace(off, enabled=True)) == webhook()
    assert changed(off, replace(off, types=("*",))).disabled_reason == "gone"
    assert changed(ill, replace(ill, enabled=False)).disabled_reason == "by_hand"


# -- what is written down


def test_events_tell_of_a_url_its_host_alone() -> None:
    before = webhook()
    after = replace(before, url="https://hooks.example.com:8443/services/T0/secret", types=("*",))
    drafts = [created(before), updated(before, after), was_disabled(replace(before, disabled_reason="gone"))]
    assert "token" not in str(drafts) and "secret" not in str(drafts) and "hook?" not in str(drafts)
    assert drafts[0].data["host"] == "example.org"
    assert drafts[1].data["changes"]["host"] == {"before": "example.org", "after": "hooks.example.com:8443"}
    assert all(draft.audience == () and draft.about.item_id is None for draft in drafts)
