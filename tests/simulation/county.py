"""The county of the simulation: its units and people, its ledgers, and what changes over time by order from above."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from service.actions import ledgers, tenants, units
from service.actions.doorkeeper import Doorkeeper
from service.actions.references import Named
from service.actions.service import Call, Service
from service.actions.tokens import Tokens
from service.workflow.access import Caller
from service.workflow.policy import DEFAULTS
from tests.simulation.workdays import Table

TOGETHER = 40
"""Calls at once: their writes share commits."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a county lives how long."""

    towns: int
    villages: int
    departments: int
    items: int
    first: date
    last: date
    outages: int
    seed: int = 20250101


SMALL = Size(5, 8, 14, items=200, first=date(2026, 7, 20), last=date(2027, 1, 29), outages=5)
FULL = Size(15, 20, 84, items=5000, first=date(2025, 2, 10), last=date(2027, 2, 12), outages=24)
TINY = Size(2, 4, 4, items=70, first=date(2026, 10, 12), last=date(2027, 1, 15), outages=3, seed=20250111)
"""60 units over half a year, 400 over two years, 15 over three months; all into an unpublished year.

So little happens in the last that its seed was chosen: whatever is rare happens three times or more.
"""


def rung(code: str, anchor: str, offset: int, states: str, action: str, notify: str, **more: bool) -> dict[str, Any]:
    return {
        "code": code, "anchor": anchor, "offset": offset, "states": states.split(), "action": action,
        "notify": notify.split(), "after_interview": False, "confirm": False, **more,
    }  # fmt: skip


STRICT: dict[str, Any] = {
    "limits": {**DEFAULTS["limits"], "general": 12, "serious": 7, "critical": 2},
    "claim_within": 1,
    "decide_within": 3,
    "office_hours": {"open": "08:30", "close": "17:30"},
    "numbers": {
        **DEFAULTS["numbers"],
        "urging": "安委催字{year}-{seq:03}",
        "supervision": "安委督字{year}-{seq:03}",
        "warning": "安委告字{year}-{seq:03}",
    },
    "ladder": [
        rung("remind-5", "due", -5, "rectifying extended", "remind", "responsible"),
        rung("remind-0", "due", 0, "open rectifying extended", "remind", "responsible"),
        rung("urge+1", "due", 1, "rectifying extended", "urge", "responsible"),
        rung("warn+2", "due", 2, "rectifying extended", "warn", "responsible supervising"),
        rung("supervise+4", "due", 4, "rectifying extended", "supervise", "responsible supervising", confirm=True),
        rung("circulate+2", "due", 2, "rectifying extended escalated", "circulate", "responsible parent",
             after_interview=True),
        rung("circulate+4", "due", 4, "rectifying extended", "circulate", "responsible parent", after_interview=True),
        rung("escalate+6", "due", 6, "rectifying extended", "escalate", "responsible supervising", confirm=True),
        rung("open-escalate+3", "due", 3, "open", "escalate", "responsible parent"),
        rung("claim-urge+1", "claim_due", 1, "open", "urge", "responsible"),
        rung("claim-warn+1", "claim_due", 1, "open", "warn", "responsible"),
        rung("claim-escalate+4", "claim_due", 4, "open", "escalate", "responsible supervising"),
        rung("decide-urge+1", "decision_due", 1, "open rectifying extended escalated", "urge", "supervising"),
        rung("decide-remind+3", "decision_due", 3, "open rectifying extended escalated", "remind", "parent"),
        rung("interview-0", "interview_due", 0, "escalated", "remind", "supervising"),
        rung("interview-urge+2", "interview_due", 2, "escalated", "urge", "supervising parent"),
    ],
}  # fmt: skip
"""Of the safety ledger: shorter days, drafts to be confirmed, several rungs on one day."""

CHANGES: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (0.25, "default", {"office_hours": {"open": "09:30", "close": "17:00"}}),
    (0.35, "safety", {"decide_within": 1, "limits": {"general": 9}}),
    (0.45, "default", {
        "ladder": [
            # The same codes at other distances, one rung more, and one that asks first.
            *(each | {"offset": each["offset"] + 1} for each in DEFAULTS["ladder"] if each["offset"] > 0),
            rung("warn+6", "due", 6, "rectifying extended", "warn", "responsible supervising"),
            rung("circulate+5", "due", 5, "rectifying extended", "circulate", "responsible parent", confirm=True),
        ],
    }),
    (0.6, "safety", {"office_hours": {"open": "10:00", "close": "16:00"}, "receipt_within": 1}),
    (0.7, "default", {
        "ladder": DEFAULTS["ladder"],
        "limits": {"general": 20, "review_months": 2},
        "numbers": {"urging": "{ledger}催办〔{year}〕第{seq}号"},
    }),
    (0.85, "safety", {"ladder": [each | {"confirm": False} for each in STRICT["ladder"]]}),
)  # fmt: skip
"""When, as a part of the run, which ledger gets which policy."""

NOTICE_2027 = Table(
    2027,
    workdays=frozenset({date(2027, 1, 30), date(2027, 2, 20), date(2027, 5, 8), date(2027, 9, 26)}),
    holidays=frozenset(
        {
            *(date(2027, 1, day) for day in (1, 2, 3)),
            *(date(2027, 2, day) for day in range(5, 13)),
            *(date(2027, 4, day) for day in (3, 4, 5)),
            *(date(2027, 5, day) for day in range(1, 6)),
            date(2027, 6, 9),
            date(2027, 9, 15),
            *(date(2027, 10, day) for day in range(1, 8)),
        }
    ),
    complete=True,
)
"""An invented notice of the usual shape."""

TABLES: tuple[tuple[date, Table], ...] = (
    (date(2025, 4, 15), Table(2025, frozenset(), frozenset({date(2025, 4, 28), date(2025, 4, 29)}), complete=False)),
    (date(2025, 6, 17), Table(2025, frozenset({date(2025, 6, 21)}), frozenset({date(2025, 6, 18)}), complete=False)),
    (date(2025, 11, 3), Table(2025, frozenset(), frozenset(), complete=False)),
    (date(2026, 8, 5), Table(2026, frozenset(), frozenset({date(2026, 8, 6), date(2026, 8, 7)}), complete=False)),
    (date(2026, 8, 10), Table(2026, frozenset({date(2026, 8, 15)}), frozenset(), complete=False)),
    (date(2026, 11, 16), Table(2027, frozenset(), frozenset({date(2027, 1, 4)}), complete=False)),
    (date(2026, 12, 21), NOTICE_2027),
)
"""Typhoon days, days to make up for them, a foretaste of the next year and then its notice."""


@dataclass(slots=True)
class People:
    """Who acts; `towns` are the supervisors and the contacts of single towns."""

    chief: Caller
    head: Caller
    deputy: Caller
    contact: Caller
    second_contact: Caller
    platform: Caller
    towns: dict[str, tuple[Caller, Caller]] = field(default_factory=dict)


@dataclass(slots=True)
class County:
    people: People
    units: list[str]
    """Codes of all units but the root."""
    towns: dict[UUID, str]
    """Codes of the towns that have a supervisor of their own, by id."""
    ledgers: dict[str, UUID]


async def build(service: Service, size: Size, now: datetime) -> County:
    """Found the tenant and all that does not change."""
    founded = await tenants.found_tenant(service, code=tenants.DEFAULT_TENANT, name="模拟县", admin_key=None, now=now)
    assert founded.admin_key is not None
    doorkeeper = Doorkeeper(service, Tokens(service))
    chief = await doorkeeper.admit(founded.admin_key, now=now, clock=0.0)
    call = Call.of(chief, now)
    made: dict[str, UUID] = {}
    for level in _tree(size):
        for start in range(0, len(level), TOGETHER):
            found = await asyncio.gather(
                *(
                    units.create(service, call, code=code, name=name, parent=Named(parent, "/parent"), level=kind)
                    for code, name, parent, kind in level[start : start + TOGETHER]
                )
            )
            made |= {unit.code: unit.id for unit in found if not hasattr(unit, "answer")}

    async def person(name: str, role: str, unit: str = "root") -> Caller:
        key = await tenants.create_key(
            service, tenant=tenants.DEFAULT_TENANT, principal=name, role=role, unit_code=unit, now=now
        )
        assert key is not None
        return await doorkeeper.admit(key, now=now, clock=0.0)

    people = People(
        chief,
        await person("县督办专班", "supervisor"),
        await person("县督办专班副组长", "supervisor"),
        await person("联络员甲", "responsible"),
        await person("联络员乙", "responsible"),
        await person("县智慧治理平台", "platform"),
    )
    towns = {}
    for code in [code for code, *_ in _towns(size)][: max(2, size.towns // 2)]:
        people.towns[code] = (
            await person(f"{code}督办员", "supervisor", code),
            await person(f"{code}联络员", "responsible", code),
        )
        towns[made[code]] = code
    safety = await ledgers.create(
        service, call, code="safety", name="安全隐患台账", owner=Named("root", "/owner"), listing="any", policy=STRICT
    )
    default = next(ledger for ledger in await ledgers.page(service, call, "", 10) if ledger.code == "default")
    return County(people, list(made), towns, {"default": default.id, "safety": safety.id})


def _towns(size: Size) -> list[tuple[str, str, str, str]]:
    return [(f"t{n:02}", f"{n}号镇", "root", "town") for n in range(1, size.towns + 1)]


def _tree(size: Size) -> Iterator[list[tuple[str, str, str, str]]]:
    departments = [(f"d{n:02}", f"{n}号局", "root", "department") for n in range(1, size.departments + 1)]
    yield [*_towns(size), *departments]
    yield [
        (f"{town}v{n:02}", f"{name}{n}村", town, "village")
        for town, name, *_ in _towns(size)
        for n in range(1, size.villages + 1)
    ]


@dataclass(frozen=True, slots=True)
class Outage:
    """No worker is up from `first` to `last`."""

    first: datetime
    last: datetime


def outages(size: Size, random: Random, days: list[datetime]) -> list[Outage]:
    """Hours to two weeks, at any time."""
    found = []
    for n in range(size.outages):
        begins = random.choice(days[5:-20]) + timedelta(minutes=random.randrange(24 * 60))
        lasts = timedelta(hours=random.choice([5, 9, 30])) if n % 2 else timedelta(days=random.choice([3, 6, 10, 14]))
        found.append(Outage(begins, begins + lasts))
    return found
