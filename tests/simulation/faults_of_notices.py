"""Notices without the right number, day, unit or item."""

from random import Random

from tests.simulation.planting import (
    fault,
    numbered,
    some,
)
from tests.simulation.record import Record, local
from tests.simulation.workdays import ONE_DAY


@fault
def a_gap_in_the_numbers(record: Record, random: Random) -> str:
    """Every later one of the series is one higher, the counter too."""
    first = some(numbered(record, later=1), random)
    key = (first["ledger_id"], first["kind"], first["year"])
    for row in record["notices"]:
        if (row["ledger_id"], row["kind"], row["year"]) == key and row["seq"] > first["seq"]:
            row["seq"] += 1
    for counter in record["counters"]:
        if (counter["ledger_id"], counter["kind"], counter["year"]) == key:
            counter["next"] += 1
    return "numbers of"


@fault
def a_number_given_twice(record: Record, random: Random) -> str:
    first = some(numbered(record, later=1), random)
    second = next(
        row
        for row in record["notices"]
        if row["seq"] == first["seq"] + 1
        and (row["ledger_id"], row["kind"], row["year"]) == (first["ledger_id"], first["kind"], first["year"])
    )
    second |= {"seq": first["seq"], "number": first["number"]}
    return "numbers of"


@fault
def a_number_of_last_year(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["seq"] is not None), random)
    row["year"] -= 1
    return str(row["number"])


@fault
def a_notice_to_another_unit(record: Record, random: Random) -> str:
    row = some(record["notices"], random)
    row["unit_id"] = next(unit["id"] for unit in record["units"] if unit["id"] != row["unit_id"])
    return str(row["number"] or row["id"])


@fault
def a_notice_about_an_item_of_another_unit(record: Record, random: Random) -> str:
    row = some(record["notices"], random)
    strange = next(each for each in record["items"] if each["id"] not in row["item_ids"])
    row["item_ids"] = [*row["item_ids"], strange["id"]]
    record["notice_items"].append({"notice_id": row["id"], "item_id": strange["id"]})
    return str(row["number"] or row["id"])


@fault
def a_wrong_day_to_sign(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["receipt_due"] is not None), random)
    row["receipt_due"] += ONE_DAY
    return str(row["number"])


@fault
def a_wrong_day_to_reply(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["rungs"] and row["reply_by"] is not None), random)
    row["reply_by"] -= ONE_DAY
    return str(row["number"])


@fault
def a_draft_with_a_number(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["issued_at"] is None), random)
    row |= {"seq": 1, "number": "督1号", "year": local(row["created_at"]).year}
    return "督1号"


@fault
def a_notice_that_is_not_there(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["issued_at"] is None), random)
    record["notices"].remove(row)
    return str(row["id"])


@fault
def a_notice_for_each_where_one_was_due(record: Record, random: Random) -> str:
    """Two items of one look, and two notices: the second bears the next number of its series."""
    looked = {tick.at for tick in record.log.ticks if tick.workers == 1 and not tick.raced}
    shared = some((r for r in record["notices"] if len(r["item_ids"]) > 1 and r["created_at"] in looked), random)
    split = shared | {"id": "another", "item_ids": shared["item_ids"][1:]}
    shared["item_ids"] = shared["item_ids"][:1]
    record["notices"].append(split)
    for event in record.events:
        if event.data.get("notice_id") == shared["id"] and event.item_id in split["item_ids"]:
            event.data["notice_id"] = split["id"]
    for row in (*record["notice_items"], *record["firings"]):
        if row["notice_id"] == shared["id"] and row["item_id"] in split["item_ids"]:
            row["notice_id"] = split["id"]
    return "should be one"


@fault
def a_copy_that_nobody_gets(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["rungs"] and row["copy_unit_ids"]), random)
    row["copy_unit_ids"] = []
    return str(row["number"] or row["id"])


@fault
def an_interview_without_its_notice(record: Record, random: Random) -> str:
    row = some(record["interviews"], random)
    others = (each["id"] for each in record["notices"] if each["id"] != row["notice_id"])
    row["notice_id"] = some(others, random) if random.random() < 0.5 else None
    return str(row["id"])
