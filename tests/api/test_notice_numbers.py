"""Numbers of notices have no gap, whoever issues how many at once; and what else is done about a notice at once."""

import asyncio
from datetime import timedelta

import pytest

from service.workers import clock
from tests.api.helpers import every_page, ok, refused
from tests.api.office import VERIFIED, instant, on

URGED = {"code": "urge+1", "anchor": "due", "offset": 1, "states": ["rectifying"], "action": "urge",
         "notify": ["responsible"], "confirm": False}  # fmt: skip


@pytest.fixture(scope="module")
def rounds(full):
    return range(20 if full else 3)


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


def send(office, item, key=None, **given):
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]], **given}
    return office.town.post("/v1/notices", json=body, headers={"Idempotency-Key": key} if key else {})


async def notice(office, item, **given):
    return ok(await send(office, item, **given), 201)


async def made(issue):
    ok(await issue, 201)


async def numbers_of(office, ledger, kind):
    """The numbers of all notices of a ledger and kind, in the order in which they were made."""
    found = [each for each in await every_page(office.county, "/v1/notices", kind=kind, limit=200)
             if each["number"] and each["number"].startswith(ledger)]  # fmt: skip
    return [each["number"] for each in found[::-1]]


async def test_numbers_are_counted_by_ledger_kind_and_year(office):
    one, two = await office.ledger(), await office.ledger(numbers={"urging": "督办{year}-{seq:03}"})
    items = {ledger: await office.claimed(ledger=ledger) for ledger in (one, two)}
    numbers = [(await notice(office, items[ledger], kind=kind))["number"] for ledger, kind in (
        (one, "urging"), (one, "warning"), (two, "urging"), (one, "urging"), (two, "urging"), (one, "warning"),
    )]  # fmt: skip
    assert numbers == [
        f"{one}催〔2026〕1号", f"{one}告〔2026〕1号", "督办2026-001", f"{one}催〔2026〕2号", "督办2026-002",
        f"{one}告〔2026〕2号",
    ]  # fmt: skip
    office.at("12-31", "23:59")
    assert (await notice(office, items[one]))["number"] == f"{one}催〔2026〕3号"
    office.wall.move_to(instant("12-31", "23:59") + timedelta(minutes=1))
    assert (await notice(office, items[one]))["number"] == f"{one}催〔2027〕1号"


async def test_many_at_once_and_the_clock_leave_no_gap(office, rounds):
    """People issue and are refused, the ladder issues of its own; each number is given once, none is lost."""
    for _ in rounds:
        office.at("03-02")
        ledger = await office.ledger(ladder=[URGED])
        late = [await office.claimed(ledger=ledger, due_on=on("03-13")) for _ in range(5)]
        later = [await office.claimed(ledger=ledger, due_on=on("03-12")) for _ in range(5)]
        closed = await office.fire(office.town, await office.claimed(ledger=ledger), "close", verification=VERIFIED)
        now = office.at("03-16")

        async def refuse(closed=closed):
            refused(await send(office, closed), "invalid_request", ("/item_ids/0", "closed_item"))

        issues = [send(office, item, kind=kind) for item in (*late, *later) for kind in ("urging", "warning")]
        looks = [clock.run_until_done(office.world.service, now) for _ in range(2)]
        await asyncio.gather(*(made(each) for each in issues), *looks, *(refuse() for _ in range(5)))
        for item in (*late, *later):
            assert sum("urge+1" in each["rungs"] for each in await office.notices(item)) == 1
        by_clock = {each["id"] for item in (*late, *later) for each in await office.notices(item) if each["rungs"]}
        for kind, mark, count in (("urging", "催", 10 + len(by_clock)), ("warning", "告", 10)):
            found = await numbers_of(office, ledger, kind)
            assert sorted(found) == sorted(f"{ledger}{mark}〔2026〕{n}号" for n in range(1, count + 1))


async def test_a_draft_that_is_dropped_takes_no_number(office):
    ledger = await office.ledger(ladder=[URGED | {"confirm": True}])
    dropped, kept = [await office.claimed(ledger=ledger, due_on=on(day)) for day in ("03-12", "03-13")]
    for day in ("03-13", "03-16"):
        await office.turn(day)
    (first,), (second,) = await office.notices(dropped), await office.notices(kept)
    ok(await office.town.post(f"/v1/notices/{first['id']}/cancel", json={"reason": "已完成"}))
    issued = ok(await office.town.post(f"/v1/notices/{second['id']}/issue", json={}))
    assert issued["number"] == f"{ledger}催〔2026〕1号"


# -- the same thing at once


async def test_a_notice_made_several_times_under_a_key_is_one(office, rounds):
    for turn in rounds:
        ledger = await office.ledger()
        item = await office.claimed(ledger=ledger)
        answers = await asyncio.gather(*(send(office, item, f"one-{ledger}-{turn}") for _ in range(5)))
        assert len({ok(answer, 201)["id"] for answer in answers}) == 1
        assert (await notice(office, item))["number"] == f"{ledger}催〔2026〕2号"


ACTS = {
    "issue": ({}, "notice.issued"),
    "receipt": ({"signed_by": "张伟"}, "notice.receipted"),
    "cancel": ({"reason": "误发"}, "notice.cancelled"),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("keyed", [True, False])
async def test_what_is_done_several_times_is_done_once(office, rounds, act, keyed):
    """Under one key all are answered alike; without, one is answered and the others are told that it is done."""
    body, told = ACTS[act]
    for turn in rounds:
        office.at("03-02")
        ledger = await office.ledger(ladder=[URGED | {"confirm": True}])
        item = await office.claimed(ledger=ledger, due_on=on("03-13"))
        await office.turn("03-16")
        (draft,) = await office.notices(item)
        url = f"/v1/notices/{draft['id']}"
        if act != "issue":
            ok(await office.town.post(f"{url}/issue", json={}))
        client = office.village if act == "receipt" else office.town
        headers = {"Idempotency-Key": f"{act}-{ledger}-{turn}"} if keyed else {}
        answers = await asyncio.gather(*(client.post(f"{url}/{act}", json=body, headers=headers) for _ in range(4)))
        assert {each.json().get("code") for each in answers} <= ({None} if keyed else {None, "guard_refused"})
        done = [each.json() for each in answers if each.is_success]
        assert len(done) == (4 if keyed else 1) and all(each == done[0] for each in done)
        assert len(await office.events(item, told)) == 1


async def test_signed_and_cancelled_at_once(office, rounds):
    """What is signed may be cancelled still; what is cancelled is not signed."""
    for _ in rounds:
        item = await office.claimed()
        sent = await notice(office, item)
        url = f"/v1/notices/{sent['id']}"
        signing = office.village.post(f"{url}/receipt", json={"signed_by": "张伟"})
        signed, cancelled = await asyncio.gather(signing, office.town.post(f"{url}/cancel", json={"reason": "误发"}))
        if signed.is_error:
            refused(signed, "guard_refused", guard="awaits_receipt")
        assert ok(cancelled)["number"] == sent["number"]
        assert (cancelled.json()["receipt"] is None) == signed.is_error
        told = [each["type"] for each in await office.events(item, "notice.receipted", "notice.cancelled")]
        assert told == (["notice.cancelled"] if signed.is_error else ["notice.receipted", "notice.cancelled"])


async def test_issued_and_dropped_at_once(office, rounds):
    """An escalation is drafted: issued, it happens; dropped, it does not; both, and it has happened."""
    for _ in rounds:
        office.at("03-02")
        ledger = await office.ledger(ladder=[URGED | {"action": "escalate", "confirm": True}])
        item = await office.claimed(ledger=ledger, due_on=on("03-13"))
        await office.turn("03-16")
        (draft,) = await office.notices(item)
        url = f"/v1/notices/{draft['id']}"
        issued, dropped = await asyncio.gather(
            office.town.post(f"{url}/issue", json={}), office.town.post(f"{url}/cancel", json={"reason": "不必"})
        )
        if issued.is_error:
            refused(issued, "guard_refused", guard="notice_draft")
        (now,) = await office.notices(item)
        assert (ok(dropped)["state"], now["state"]) == ("cancelled", "cancelled")
        assert now["number"] == (None if issued.is_error else f"{ledger}约〔2026〕1号")
        assert (await office.look(item))["state"] == ("rectifying" if issued.is_error else "escalated")
