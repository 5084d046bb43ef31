"""Standing items over HTTP: they are reviewed again and again, and late where nobody does."""

import asyncio

import pytest

from tests.api.helpers import every_page, ok, read, refused
from tests.api.office import VERIFIED, local, on

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def standing(office, **given):
    """Listed on 2 March, claimed: to be reviewed by 2 June."""
    item = await office.claimed(deadline={"kind": "standing", "text": "长期坚持"}, **given)
    assert item["deadline"]["kind"] == "standing" and item["deadline"]["due_on"] is None
    return item


def review(office, item, day, by=None, note="巡查制度正常运行", **headers):
    body = {"on": on(day), "note": note}
    return (by or office.town).post(f"/v1/items/{item['id']}/reviews", json=body, headers=headers)


@pytest.mark.parametrize(
    ("day", "following"),
    [("03-02", "2026-06-02"), ("04-15", "2026-07-15"), ("05-31", "2026-08-31"), ("08-31", "2026-11-30"),
     ("11-30", "2027-02-28")],
)  # fmt: skip
async def test_a_review_moves_the_next_one_on(office, day, following):
    item = await standing(office)
    assert item["deadline"]["review_on"] == "2026-06-02"
    office.at(day)
    answer = await review(office, item, day)
    reviewed = ok(answer)
    assert reviewed["deadline"] == {**item["deadline"], "review_on": following}
    assert (reviewed["version"], answer.headers["etag"]) == (item["version"] + 1, f'"{item["version"] + 1}"')
    assert (reviewed["overdue"], reviewed["state"]) == (False, "rectifying")
    assert await read(office.town, f"/v1/items/{item['id']}") == reviewed
    (told,) = await office.events(item, "item.reviewed")
    assert (told["data"]["on"], told["data"]["note"], told["data"]["cycle"]) == (on(day), "巡查制度正常运行", 1)
    assert told["item_version"] == reviewed["version"]
    moved = told["data"]["changes"].get("review_on")
    assert moved == ({"before": "2026-06-02", "after": following} if following != "2026-06-02" else None)


async def test_it_counts_from_the_day_of_the_review_by_the_months_of_its_listing(office):
    ledger = await office.ledger(limits={"review_months": 1})
    item = await standing(office, ledger=ledger)
    assert item["deadline"]["review_on"] == on("04-02")
    (row,) = [each for each in (await read(office.admin, "/v1/ledgers", limit=200))["items"] if each["code"] == ledger]
    body, version = {"policy": {"limits": {"review_months": 6}}}, {"If-Match": f'"{row["version"]}"'}
    ok(await office.admin.patch(f"/v1/ledgers/{row['id']}", json=body, headers=version))
    office.at("03-20")
    assert ok(await review(office, item, "03-10"))["deadline"]["review_on"] == on("04-10")


async def test_a_review_that_is_entered_late_moves_the_next_one_never_back(office):
    ledger = await office.ledger(limits={"review_months": 1})
    item = await standing(office, ledger=ledger)
    office.at("03-25")
    first = ok(await review(office, item, "03-20"))
    assert first["deadline"]["review_on"] == on("04-20")
    counted = (await office.deadline(item))["steps"]
    late = ok(await review(office, item, "03-05", note="月初亦曾复查"))
    assert late["deadline"] == first["deadline"] and late["version"] == first["version"] + 1
    assert (await office.deadline(item))["steps"] == counted
    told = (await office.events(item, "item.reviewed"))[-1]["data"]
    assert (told["on"], told["changes"]) == (on("03-05"), {})
    assert ok(await review(office, item, "03-25"))["deadline"]["review_on"] == on("04-25")


async def test_a_missed_review_is_overdue_in_the_same_way(office):
    item = await standing(office)
    for day in ("05-22", "05-28", "06-03"):
        await office.turn(day)
    assert await office.rungs(item) == [
        "05-22 09:00 remind-7", "05-28 09:00 remind-3", "06-03 09:00 passed", "06-03 09:00 urge+1"
    ]  # fmt: skip
    late = await office.look(item)
    assert (late["overdue"], late["days_overdue"], late["lamp"]) == (True, 1, "red")
    assert item["id"] in [row["id"] for row in await every_page(office.town, "/v1/overdue", kind="item")]
    office.at("06-04")
    reviewed = ok(await review(office, item, "06-04"))
    assert (reviewed["overdue"], reviewed["deadline"]["review_on"], reviewed["lamp"]) == (False, "2026-09-04", "green")
    assert item["id"] not in [row["id"] for row in await every_page(office.town, "/v1/overdue", kind="item")]
    told = await office.deadline(item)
    assert (told["next_rung"]["rung"], local(told["next_rung"]["at"])) == ("remind-7", "08-26 09:00")
    moves = [(move["type"], move["before"], move["after"], move["reason"]) for move in told["moves"]]
    assert moves[0][:3] == ("item.created", None, "2026-06-02")
    assert moves[1] == ("item.reviewed", "2026-06-02", "2026-09-04", "巡查制度正常运行")
    for day in ("06-05", "06-30", "08-26", "09-07"):
        await office.turn(day)
    assert (await office.rungs(item))[4:] == [
        "08-26 09:00 remind-7", "09-07 09:00 passed", "09-07 09:00 remind-3 collapsed", "09-07 09:00 urge+1"
    ], "for another day each rung is another"  # fmt: skip


async def test_what_is_no_review_is_refused(office):
    item, dated = await standing(office), await office.claimed()
    old = await office.item(deadline={"kind": "standing"}, listed_at="2026-02-01T02:00:00Z")
    office.at("03-20")
    refused(await review(office, item, "03-21"), "invalid_request", ("/on", "in_future"))
    refused(await review(office, item, "03-01"), "invalid_request", ("/on", "before_listing"))
    assert ok(await review(office, old, "02-01"))["version"] == 2
    refused(await review(office, dated, "03-20"), "guard_refused", guard="standing_only")
    for body, error in (({"on": on("03-20")}, ("/note", "missing")), ({"note": "好"}, ("/on", "missing")),
                        ({"on": on("03-20"), "note": ""}, ("/note", "too_short"))):  # fmt: skip
        answer = await office.town.post(f"/v1/items/{item['id']}/reviews", json=body)
        refused(answer, "invalid_request", error)
    for role, unit, code in (("responsible", "t1v1", "forbidden"), ("supervisor", "t1v1", "forbidden"),
                             ("viewer", "t1", "forbidden"), ("platform", "root", "forbidden"),
                             ("supervisor", "t2", "not_found")):  # fmt: skip
        refused(await review(office, item, "03-20", await office.person(role, unit)), code)
    await office.fire(office.town, item, "close", verification=VERIFIED)
    refused(await review(office, item, "03-20"), "invalid_transition", state="closed")
    assert not await office.events(item, "item.reviewed")


async def test_it_is_reviewed_in_every_state_but_the_last(office):
    item = await office.item(deadline={"kind": "standing"})
    assert ok(await review(office, item, "03-02"))["state"] == "open"
    item = await office.fire(office.village, item, "claim", signed_by="张伟")
    request = await office.pending(item, "closure")
    assert ok(await review(office, item, "03-02"))["state"] == "rectifying"
    item = await office.fire(office.town, item, "escalate", reason="流于形式")
    office.at("03-10")
    assert ok(await review(office, item, "03-10"))["state"] == "escalated"
    ok(await office.record(item["interview_id"]))
    resumed = await office.fire(office.town, item, "resume", due_on=on("03-31"))
    assert (resumed["deadline"]["kind"], resumed["deadline"]["review_on"]) == ("standing", on("03-31"))
    office.at("03-20")
    assert ok(await review(office, item, "03-20"))["deadline"]["review_on"] == on("06-20")
    assert (await read(office.town, f"/v1/requests/{request['id']}"))["status"] == "pending"


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_review_sent_again_under_a_key_is_one(office, at_once):
    item = await standing(office)
    key = {"Idempotency-Key": f"review-{item['id']}"}
    sends = [lambda: review(office, item, "03-02", **key)] * 3
    answers = await asyncio.gather(*(send() for send in sends)) if at_once else [await send() for send in sends]
    assert {ok(each)["version"] for each in answers} == {item["version"] + 1}
    assert len(await office.events(item, "item.reviewed")) == 1
    others = await asyncio.gather(*(review(office, item, "03-02", note=f"第{n}次") for n in range(3)))
    assert sorted(ok(each)["version"] for each in others) == [item["version"] + n for n in (2, 3, 4)]
