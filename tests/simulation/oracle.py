"""The independent check of a finished run: what domain.md asks for, worked out again from what the run left behind.

Nothing of the service is imported, neither its ladder nor its calendar. What is not as it should be comes back as a
list of sentences, empty where all is well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.simulation.circumstances import Circumstances
from tests.simulation.lives import met_by
from tests.simulation.papers import Papers
from tests.simulation.record import Record, Row
from tests.simulation.timeline import Timeline, Walk

COLUMNS = (
    "state", "cycle", "due_on", "review_on", "provisional", "claim_due", "extension_count", "extension_days",
    "extended_late", "escalation_count", "responsible_unit_id", "supervising_unit_id",
)  # fmt: skip


def faults(record: Record) -> list[str]:
    """What in `record` is not as domain.md has it."""
    circumstances = Circumstances(record.log)
    histories = record.histories()
    parents = {row["id"]: row["parent_id"] for row in record["units"]}
    found: list[str] = []
    walks: list[Walk] = []
    rows = Rows(record)
    for item in record["items"]:
        history = histories.pop(item["id"], [])
        if not history or history[0].type != "item.created":
            found.append(f"item {item['id']}: its history does not begin with its creation")
            continue
        timeline = Timeline(history, circumstances, parents)
        walks.append(timeline.walk)
        found += [f"item {item['id']}: {sentence}" for sentence in timeline.faults()]
        found += [f"item {item['id']}: {sentence}" for sentence in rows.faults(item, timeline.walk)]
    found += [f"item {item_id}: has a history and is not there" for item_id in histories]
    found += _firings(record)
    found += Papers(record, circumstances, walks).faults()
    return found


class Rows:
    """The rows of an item against what its history comes to."""

    def __init__(self, record: Record) -> None:
        self._requests: dict[str, list[Row]] = defaultdict(list)
        self._interviews: dict[str, list[Row]] = defaultdict(list)
        self._timers = {row["item_id"]: row["look_at"] for row in record["timers"]}
        for row in record["requests"]:
            self._requests[row["item_id"]].append(row)
        for row in record["interviews"]:
            self._interviews[row["item_id"]].append(row)

    def faults(self, item: Row, walk: Walk) -> Iterator[str]:
        life = walk.life
        for name in COLUMNS:
            if item[name] != life.columns[name]:
                yield f"{name} is {item[name]}, by its history {life.columns[name]}"
        if (item["passed_on"] == life.deadline) != (life.passed_on == life.deadline) and life.deadline is not None:
            yield f"passed_on is {item['passed_on']}, by its history {life.passed_on}"
        waits = {row["id"]: row["decide_due"] for row in self._requests[item["id"]]}
        waits |= {row["id"]: row["due_on"] for row in self._interviews[item["id"]]}
        for wait_id in waits.keys() | life.waits.keys():
            if waits.get(wait_id) != life.waits.get(wait_id):
                yield f"request or interview {wait_id} is due on {waits.get(wait_id)}, not {life.waits.get(wait_id)}"
        pending = [row["kind"] for row in self._requests[item["id"]] if row["status"] == "pending"]
        pending += ["interview" for row in self._interviews[item["id"]] if row["state"] in ("pending", "scheduled")]
        if sorted(pending) != sorted(life.pending):
            yield f"waits for {sorted(pending)}, by its history for {sorted(life.pending)}"
        yield from self._timer(item, walk)

    def _timer(self, item: Row, walk: Walk) -> Iterator[str]:
        """It may ring too early, never too late, and not at all once the item is closed."""
        look_at = self._timers.get(item["id"])
        if (look_at is None) != walk.life.closed:
            yield f"is {walk.life.state}, its timer at {look_at}"
        elif look_at is not None and walk.awaits is not None and look_at > walk.awaits:
            yield f"wants a look at {walk.awaits}, its timer is at {look_at}"


def _firings(record: Record) -> Iterator[str]:
    """Each rung that an event tells of stands among the firings once, and no other does."""
    told: Counter[tuple[object, ...]] = Counter()
    for event in record.events:
        if event.type in ("rung.fired", "rung.skipped"):
            fired, data = event.type == "rung.fired", event.data
            reason = None if fired else data.get("reason", data.get("why"))
            outcome = ("fired" if fired else "skipped", reason, data["anchor"], data.get("notice_id"), event.at)
            told[(event.item_id, *met_by(event), *outcome)] += 1
    stored = Counter(
        (
            row["item_id"], row["cycle"], row["rung"], row["anchor_on"], row["ref"],
            row["outcome"], row["reason"], row["anchor"], row["notice_id"], row["at"],
        )
        for row in record["firings"]
    )  # fmt: skip
    for firing in (told - stored) + (stored - told):
        item_id, cycle, rung, day = firing[:4]
        where = "events" if told[firing] > stored[firing] else "firings"
        yield f"item {item_id}: rung {rung} of {day}, cycle {cycle}, stands among the {where} only"
