"""Interviews over HTTP: said when and where, held, put on record, one by one or several in one talk."""

import asyncio

import pytest

from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.api.office import MINUTES, VERIFIED, on

AT = {"at": "2026-03-05T01:30:00Z", "place": "县督查室"}


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def summoned(office, **given):
    """An escalated item."""
    item = await office.item(**given)
    return await office.fire(office.county, item, "escalate", reason="久拖不决")


def schedule(office, item, by=None, **given):
    return (by or office.town).post(f"/v1/interviews/{item['interview_id']}/schedule", json={**AT, **given})


def together(office, *items, by=None, key=None, **given):
    body = {"interview_ids": [each["interview_id"] for each in items], "held_on": on("03-02"), **MINUTES, **given}
    headers = {"Idempotency-Key": key} if key else {}
    return (by or office.town).post("/v1/interviews/record", json=body, headers=headers)


# -- when and where


async def test_a_talk_is_scheduled_and_scheduled_anew(office):
    item = await summoned(office)
    pending = await read(office.town, f"/v1/interviews/{item['interview_id']}")
    assert (pending["state"], pending["scheduled_at"], pending["place"]) == ("pending", None, None)
    assert (pending["unit_id"], pending["due_on"]) == (office.units["t1v1"], on("03-09"))
    scheduled = ok(await schedule(office, item))
    assert scheduled == pending | {"state": "scheduled", "scheduled_at": AT["at"], "place": AT["place"]}
    assert await read(office.village, f"/v1/interviews/{item['interview_id']}") == scheduled
    again = ok(await schedule(office, item, office.deputy, at="2026-03-06T09:00:00+08:00", place=None))
    assert (again["scheduled_at"], again["place"]) == ("2026-03-06T01:00:00Z", None)
    told = [each["data"] for each in await office.events(item, "interview.scheduled")]
    assert told == [
        {"interview_id": pending["id"], "scheduled_at": AT["at"], "place": AT["place"]},
        {"interview_id": pending["id"], "scheduled_at": "2026-03-06T01:00:00Z"},
    ]
    assert (await office.look(item))["version"] == item["version"]
    recorded = ok(await office.record(item["interview_id"]))
    assert (recorded["state"], recorded["scheduled_at"]) == ("recorded", "2026-03-06T01:00:00Z")
    refused(await schedule(office, item), "guard_refused", guard="interview_pending")


async def test_it_is_scheduled_for_what_is_to_come_by_those_who_hold_it(office):
    item = await summoned(office)
    refused(await schedule(office, item, at="2026-03-02T01:59:59Z"), "invalid_request", ("/at", "in_past"))
    for given, error in (({"at": None}, "/at"), ({"at": "2026-03-05"}, "/at"), ({"place": ""}, "/place"),
                         ({"at": "2026-03-05T01:30:00"}, "/at")):  # fmt: skip
        assert refused(await schedule(office, item, **given), "invalid_request")["errors"][0]["pointer"] == error
    for client in (office.village, await office.person("viewer", "t1"), await office.person("supervisor", "t1v1")):
        refused(await schedule(office, item, client), "forbidden")
    refused(await schedule(office, item, await office.person("supervisor", "t2")), "not_found")
    refused(await schedule(office, {"interview_id": NOBODY}), "not_found")
    ok(await schedule(office, item, at="2026-03-02T02:00:00Z"))


@pytest.mark.parametrize("trigger", ["annul", "close"])
async def test_a_talk_that_is_off_is_neither_scheduled_nor_held(office, trigger):
    item = await summoned(office)
    ok(await schedule(office, item))
    given = (
        {"reason": "查无此事"} if trigger == "annul" else {"verification": VERIFIED, "waive_interview": "已当面谈过"}
    )
    await office.fire(office.admin, item, trigger, **given)
    assert (await read(office.town, f"/v1/interviews/{item['interview_id']}"))["state"] == "cancelled"
    for answer in (
        await schedule(office, item), await office.record(item["interview_id"]), await together(office, item)
    ):  # fmt: skip
        refused(answer, "guard_refused", guard="interview_pending")


# -- one talk about several items


async def test_one_talk_is_put_on_record_for_each_item(office):
    items = [await summoned(office) for _ in range(3)]
    ok(await schedule(office, items[1]))
    talks = ok(await together(office, *items[::-1]))["items"]
    assert [each["item_id"] for each in talks] == [each["id"] for each in items[::-1]], (
        "in the order in which they came"
    )
    for item, talk in zip(items[::-1], talks, strict=True):
        assert {name: talk[name] for name in MINUTES} == MINUTES and talk["held_on"] == on("03-02")
        assert await read(office.village, f"/v1/interviews/{talk['id']}") == talk
        (told,) = await office.events(item, "interview.recorded")
        assert told["data"]["interview_id"] == talk["id"] and "王强" not in str(told)
        resumed = await office.fire(office.town, item, "resume", due_on=on("03-20"), signed_by="张伟")
        assert resumed["state"] == "rectifying"


async def test_all_of_one_unit_and_all_or_none(office):
    first, second = [await summoned(office) for _ in range(2)]
    held = await summoned(office)
    ok(await office.record(held["interview_id"]))
    elsewhere = await summoned(office, responsible_unit="t1v2")
    out_of_reach = await summoned(office, responsible_unit="t2v1")
    higher = await summoned(office, supervising_unit="root")
    for items, code, more in (
        ((first, second, elsewhere), "invalid_request", [("/interview_ids/2", "other_unit")]),
        ((first, out_of_reach), "invalid_request", [("/interview_ids/1", "unknown_reference")]),
        (({"interview_id": NOBODY}, first), "invalid_request", [("/interview_ids/0", "unknown_reference")]),
        ((first, first), "invalid_request", [("/interview_ids", "repeated")]),
        ((), "invalid_request", [("/interview_ids", "too_short")]),
        ((first, higher), "forbidden", []),
        ((first, second, held), "guard_refused", []),
    ):
        refused(await together(office, *items), code, *more)
    refused(await together(office, first, held_on=on("03-03")), "invalid_request", ("/held_on", "in_future"))
    for each in (first, second, elsewhere, higher):
        assert (await read(office.county, f"/v1/interviews/{each['interview_id']}"))["state"] == "pending"
    ok(await together(office, first, second))


async def test_no_talk_is_held_before_it_was_opened(office):
    early, late = [await summoned(office) for _ in range(2)]
    office.at("03-04", "00:30")
    last = await summoned(office)
    before = ("/held_on", "before_opening")
    refused(await office.record(last["interview_id"], held_on=on("03-03")), "invalid_request", before)
    refused(await office.record(early["interview_id"], held_on=on("03-01")), "invalid_request", before)
    refused(await together(office, early, last, held_on=on("03-03")), "invalid_request", before)
    for each in (early, last):
        assert (await read(office.county, f"/v1/interviews/{each['interview_id']}"))["state"] == "pending"
    # Its day is the county's: by UTC it is still the third.
    assert ok(await office.record(last["interview_id"], held_on=on("03-04")))["held_on"] == on("03-04")
    ok(await together(office, early, late, held_on=on("03-03")))


async def test_the_minutes_are_read_by_those_concerned(office):
    first, second = [await summoned(office, co_units=["t2v1"]) for _ in range(2)]
    ok(await together(office, first, second))
    for role, unit, reads in (
        ("supervisor", "t1", True), ("supervisor", "root", True), ("responsible", "t1v1", True),
        ("auditor", "root", True), ("viewer", "t1v1", False), ("platform", "t1", False), ("supervisor", "t1v1", False),
        ("responsible", "t2v1", False), ("supervisor", "t2", False),
    ):  # fmt: skip
        client = await office.person(role, unit)
        for each in (first, second):
            talk = await read(client, f"/v1/interviews/{each['interview_id']}")
            assert (talk["minutes"] is not None, talk["held_on"]) == (reads, on("03-02")), (role, unit)
            listed = [row for row in await every_page(client, "/v1/interviews", limit=200) if row["id"] == talk["id"]]
            assert listed == [talk]


async def test_interviews_are_listed_newest_first_by_state(empty_office):
    office = empty_office
    items = [await summoned(office) for _ in range(4)]
    ok(await schedule(office, items[1]))
    ok(await office.record(items[2]["interview_id"]))
    await office.fire(office.admin, items[3], "annul", reason="查无此事")
    ids = [each["interview_id"] for each in items]

    async def listed(**params):
        found = [each["id"] for each in await every_page(office.town, "/v1/interviews", **params)]
        assert found == [each["id"] for each in await every_page(office.town, "/v1/interviews", limit=1, **params)]
        return [ids.index(each) for each in found]

    assert await listed() == [3, 2, 1, 0]
    for place, state in enumerate(("pending", "scheduled", "recorded", "cancelled")):
        assert await listed(state=state) == [place]
    assert await listed(state=["pending", "scheduled"]) == [1, 0]
    answer = await office.town.get("/v1/interviews", params={"state": "held"})
    refused(answer, "invalid_request", ("/query/state/0", "not_allowed"))


# -- once more, and at once


@pytest.mark.parametrize("at_once", [False, True])
async def test_what_is_sent_again_under_a_key_is_done_once(office, at_once):
    items = [await summoned(office) for _ in range(2)]
    keys = {"Idempotency-Key": f"when-{items[0]['id']}"}
    url = f"/v1/interviews/{items[0]['interview_id']}/schedule"

    async def answers(send):
        return await asyncio.gather(*(send() for _ in range(3))) if at_once else [await send() for _ in range(3)]

    scheduled = await answers(lambda: office.town.post(url, json=AT, headers=keys))
    assert {ok(each)["state"] for each in scheduled} == {"scheduled"}
    assert len(await office.events(items[0], "interview.scheduled")) == 1
    recorded = await answers(lambda: together(office, *items, key=f"talk-{items[0]['id']}"))
    assert all([talk["state"] for talk in ok(each)["items"]] == ["recorded"] * 2 for each in recorded)
    assert sum("idempotent-replayed" in each.headers for each in recorded) == 2
    for each in items:
        assert len(await office.events(each, "interview.recorded")) == 1


async def test_talks_that_overlap_end_in_one_record_each(office, full):
    """Of two records that share an item one is refused as a whole; nobody waits for the other forever."""
    for _ in range(20 if full else 4):
        items = [await summoned(office) for _ in range(3)]
        answers = await asyncio.gather(
            together(office, *items[:2], minutes="一"), together(office, *items[:0:-1], by=office.deputy, minutes="二"),
            together(office, *items[::-1], by=office.county, minutes="三"),
            office.record(items[1]["interview_id"], minutes="四"), schedule(office, items[1]),
        )  # fmt: skip
        done = [place for place, each in enumerate(answers[:4]) if each.is_success]
        assert len(done) == 1, "all of them are about the second item"
        for each in answers:
            if each.is_error:
                refused(each, "guard_refused", guard="interview_pending")
        (place,) = done
        about = [{0, 1}, {1, 2}, {0, 1, 2}, {1}][place]
        for number, item in enumerate(items):
            talk = await read(office.county, f"/v1/interviews/{item['interview_id']}")
            assert talk["state"] == ("recorded" if number in about else "pending")
            assert talk["minutes"] == ("一二三四"[place] if number in about else None)
            assert len(await office.events(item, "interview.recorded")) == (number in about)
