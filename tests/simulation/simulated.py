"""Running a county on a fresh database, and saying in numbers what it was."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

from service.composition import running
from service.settings import Settings
from tests.simulation import county as counties
from tests.simulation import reading
from tests.simulation.county import Size
from tests.simulation.driver import Driver, Run
from tests.simulation.record import ZONE, Record


async def county(settings: Settings, size: Size) -> tuple[Run, Record]:
    """Let a county live on the database of `settings`, which nobody else uses."""
    async with running(settings) as service:
        first = datetime.combine(size.first, clock_time(), ZONE).astimezone(UTC)
        built = await counties.build(service, size, first - timedelta(days=2))
        began = time.monotonic()
        run = await Driver(service, size, built).live()
        run.seconds = time.monotonic() - began
    return run, await reading.read(settings, run.log)


def numbers(kind: str, run: Run, record: Record, faults: list[str], checked_in: float) -> str:
    fired = Counter(event.data["action"] for event in record.events if event.type == "rung.fired")
    skipped = Counter(row["reason"] for row in record["firings"] if row["outcome"] == "skipped")
    types = Counter(event.type for event in record.events)
    states = Counter(row["state"] for row in record["notices"])
    hours = sum((outage.last - outage.first).total_seconds() / 3600 for outage in run.outages)
    lines = [
        f"{kind}: {len(record['units'])} units, {len(record['items'])} items, {run.size.first} to {run.size.last}, "
        f"{len(record.events)} events; lived in {run.seconds:.0f} s, checked in {checked_in:.0f} s",
        f"  looks {len(run.log.ticks)} ({_listed(run.looks)}), outages {len(run.outages)} ({hours:.0f} h), "
        f"policies {len(run.log.policies)}, calendars {len(run.log.calendars)}",
        f"  rungs fired {sum(fired.values())} ({_listed(fired)}), skipped {sum(skipped.values())} ({_listed(skipped)})",
        f"  deadlines passed {types['deadline.passed']}, rescheduled {types['item.rescheduled']}, "
        f"notices {sum(states.values())} ({_listed(states)}), requests {len(record['requests'])}, "
        f"interviews {len(record['interviews'])}",
        f"  acts {sum(run.tally.acts.values())}, refused {sum(run.tally.refusals.values())} "
        f"({_listed(run.tally.refusals, 8)})",
        f"  faults {len(faults)}",
    ]
    return "\n".join(lines)


def _listed(counts: Counter[str], most: int | None = None) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(most))
