"""Items that the clock finds due, many of them at once: listed long ago by the service itself, and never cared for.

Monday 2 March 2026 they were listed, Wednesday both their claim and their deadline were due. On Friday morning three
rungs of each are due: the unit is urged, named in a circular, and then summoned.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from service.actions import ledgers, listing, tenants, units
from service.actions.doorkeeper import Doorkeeper
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Call, Service
from service.actions.tokens import Tokens
from service.workflow.access import Caller
from service.workflow.items import DeadlineAsked, Draft
from tests.checks.everything import Everything

ZONE = ZoneInfo("Asia/Shanghai")
LISTED, DUE, FRIDAY = date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 6)
BATCH = 500

LADDER: list[dict[str, Any]] = [
    {"code": "claim-urge+1", "anchor": "claim_due", "offset": 1, "action": "urge", "notify": ["responsible"]},
    {"code": "circulate+1", "anchor": "due", "offset": 1, "action": "circulate", "notify": ["responsible", "parent"]},
    {"code": "escalate+2", "anchor": "due", "offset": 2, "action": "escalate", "notify": ["responsible"]},
]
RUNGS = {(rung["code"], rung["anchor"]) for rung in LADDER}
KINDS = ("urging", "circular", "interview")
POLICY: dict[str, Any] = {
    "ladder": [{**rung, "states": ["open"], "after_interview": False, "confirm": False} for rung in LADDER]
}


def at(day: date, hour: str = "10:00") -> datetime:
    return datetime.combine(day, time.fromisoformat(hour), ZONE).astimezone(UTC)


LOOK = at(FRIDAY)
"""When everything is due."""


@dataclass(frozen=True)
class Tenant:
    """A tenant with a ledger of its own beside `default`, some villages under the root, and who may do anything."""

    id: UUID
    admin: Caller
    ledger_id: UUID
    villages: tuple[str, ...]

    def call(self, now: datetime) -> Call:
        return Call.of(self.admin, now)


async def found(service: Service, code: str = "default", villages: int = 6, **policy: Any) -> Tenant:
    """Make the tenant; its ledger `late` has the ladder above. On a database where it is not there yet."""
    before = at(LISTED) - timedelta(days=1)
    founded = await tenants.found_tenant(service, code=code, name="县", admin_key=None, now=before)
    assert founded.admin_key is not None
    admin = await Doorkeeper(service, Tokens(service)).admit(founded.admin_key, now=before, clock=0.0)
    call = Call.of(admin, before)
    names = tuple(f"v{number:02}" for number in range(villages))
    for name in names:
        await units.create(service, call, code=name, name=name, parent=Named("root", "/parent"), level="village")
    owner, whole = Named("root", "/owner"), {**POLICY, **policy}
    ledger = await ledgers.create(
        service, call, code="late", name="逾期台账", owner=owner, listing="any", policy=whole
    )  # fmt: skip
    return Tenant(founded.tenant_id, admin, ledger.id, names)


async def fill(service: Service, tenant: Tenant, count: int, due_on: date = DUE, day: date = LISTED) -> None:
    """List as many items, village by village in turn."""
    call, villages = tenant.call(at(day)), tenant.villages
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        listed = [
            Listing(
                draft=Draft(title=f"第{number}号问题", deadline=DeadlineAsked("date", due_on)),
                ledger=Named("late", "/ledger"),
                responsible=Named(villages[number % len(villages)], "/responsible_unit"),
            )
            for number in numbers
        ]
        await listing.create(service, call, listed)


def not_once(found: Everything) -> list[str]:
    """Of items as above what was not done exactly once by that Friday: doubles, losses, strangers."""
    sentences = []
    fired: Counter[tuple[UUID, str, str]] = Counter()
    passed: Counter[UUID] = Counter()
    for row in found["events"]:
        data = found.told(row)["data"]
        if row["type"] == "rung.fired":
            fired[row["item_id"], data["rung"], data["anchor"]] += 1
        elif row["type"] == "rung.skipped":
            sentences.append(f"item {row['item_id']}: rung {data['rung']} was skipped ({data['why']})")
        elif row["type"] == "deadline.passed":
            passed[row["item_id"]] += 1
    stored = Counter((row["item_id"], row["rung"], row["anchor"]) for row in found["firings"])
    expected = {(item["id"], *rung) for item in found["items"] for rung in RUNGS}
    for place in expected | fired.keys() | stored.keys():
        times, wanted = (fired[place], stored[place]), int(place in expected)
        if times != (wanted, wanted):
            sentences.append(f"{place} is {times} times among the events and firings, should be {wanted}")
    for item in found["items"]:
        if passed[item["id"]] != 1 or item["state"] != "escalated":
            sentences.append(f"item {item['id']} is {item['state']}, its deadline passed {passed[item['id']]} times")
    return sentences
