"""A county lives through simulated days, and an independent check finds every rung, deadline and number right.

Random people act, workers are away for hours or weeks, two of them look at once, policies and calendars change. The
full size is 400 units with 5,000 items over two years.
"""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from service.settings import Settings
from tests import invariants
from tests.simulation import oracle, simulated
from tests.simulation.county import FULL, SMALL
from tests.simulation.driver import Run
from tests.simulation.record import Record

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
async def lived(settings: Settings, full: bool) -> tuple[Run, Record]:
    """A finished run, and what it left behind."""
    return await simulated.county(settings, FULL if full else SMALL)


async def test_every_rung_deadline_and_number_is_right(
    lived: tuple[Run, Record], kind: str, record_property: Callable[[str, object], None]
) -> None:
    run, record = lived
    began = time.monotonic()
    faults = oracle.faults(record)
    print("\n" + simulated.numbers(kind, run, record, faults, time.monotonic() - began))
    for name, count in (("simulated items", len(record["items"])), ("simulated rungs", len(record["firings"]))):
        record_property(name, count)
    assert faults == [], f"{len(faults)} faults, the first of them: " + "\n".join(faults[:20])


async def test_everything_happened(lived: tuple[Run, Record]) -> None:
    """What a run is meant to try did happen in it, each at least once."""
    run, record = lived
    fired = Counter(event.data["action"] for event in record.events if event.type == "rung.fired")
    assert fired.keys() == {"remind", "urge", "supervise", "warn", "circulate", "escalate"}
    skipped = Counter(row["reason"] for row in record["firings"] if row["outcome"] == "skipped")
    assert skipped.keys() == {"before_creation", "collapsed", "held"}
    types = Counter(event.type for event in record.events)
    assert {
        "item.claimed", "item.extended", "item.closed", "item.escalated", "item.resumed", "item.transferred",
        "item.reopened", "item.annulled", "item.updated", "item.progressed", "item.rescheduled", "item.reviewed",
        "deadline.passed", "request.submitted", "request.approved", "request.returned", "request.withdrawn",
        "request.cancelled", "notice.drafted", "notice.issued", "notice.receipted", "notice.cancelled",
        "interview.opened", "interview.scheduled", "interview.recorded", "interview.cancelled",
    } <= types.keys()  # fmt: skip
    by_clock = Counter(event.type for event in record.events if event.clock)
    assert by_clock["item.escalated"] > 0 and by_clock["item.rescheduled"] > 0
    assert {"issued", "cancelled"} <= {row["state"] for row in record["notices"]}
    assert run.looks["two workers"] > 0
    assert len(run.log.calendars) > 1 and len(run.log.policies) > 3


async def test_nothing_contradicts_itself(lived: tuple[Run, Record], settings: Settings) -> None:
    assert await invariants.contradictions(settings) == []
