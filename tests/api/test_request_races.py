"""Many hands and the clock reach for the same request at once: one of them has it, and all that is kept agrees."""

import asyncio

import pytest

from service.workers import clock
from tests.api.helpers import every_page, ok, read, refused
from tests.api.office import ASKED, on

AT_ONCE = 6
"""Items of a round."""

ON_THE_DAY = {
    "code": "escalate-0", "anchor": "due", "offset": 0, "states": ["rectifying"], "action": "escalate",
    "notify": ["responsible", "supervising"],
}  # fmt: skip
"""Nothing holds it, for it is not after the deadline: so it meets requests that wait."""


@pytest.fixture(scope="module")
def rounds(full):
    return range(30 if full else 3)


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def asked(office, kind, **given):
    """Claimed items, each with a pending request."""

    async def one():
        return await office.pending(await office.claimed(**given), kind)

    return await asyncio.gather(*(one() for _ in range(AT_ONCE)))


async def later(seconds, act):
    await asyncio.sleep(seconds)
    return await act


async def end_of(office, request):
    """(status, the item, the events that ended the request)"""
    row = await read(office.county, f"/v1/requests/{request['id']}")
    item = await office.look({"id": request["item_id"]})
    ends = ("request.approved", "request.returned", "request.withdrawn", "request.cancelled")
    told = [each["type"] for each in await office.events(item, *ends)]
    assert told == [f"request.{row['status']}"]
    return row["status"], item


def won(answers, *codes):
    """The places of those that were let through; all others were refused with one of these codes."""
    for answer in answers:
        if answer.is_error:
            assert answer.json()["code"] in codes, answer.text
    return [place for place, answer in enumerate(answers) if answer.is_success]


@pytest.mark.parametrize("what", ASKED)
async def test_of_several_deciders_one_decides(office, rounds, what):
    for _ in rounds:

        async def race(request):
            answers = await asyncio.gather(
                office.approve(request, office.town), office.give_back(request, office.deputy),
                office.approve(request, office.county), office.give_back(request, office.county),
            )  # fmt: skip
            # Once the item is with another unit, the town sees it no more.
            (winner,) = won(answers, "conflict")
            status, item = await end_of(office, request)
            assert status == answers[winner].json()["status"] == ("returned" if winner % 2 else "approved")
            after = {"extension": "extended", "closure": "closed", "transfer": "open"}[what]
            assert item["state"] == (after if status == "approved" else "rectifying")
            assert item["version"] == (3 if status == "approved" else 2)

        await asyncio.gather(*(race(each) for each in await asked(office, what, due_on=on("04-10"))))


@pytest.mark.parametrize("what", ASKED)
async def test_it_is_decided_or_withdrawn(office, rounds, what):
    for turn in rounds:

        async def race(request, turn=turn):
            acts = [office.approve(request), office.withdraw(request), office.withdraw(request, office.colleague)]
            answers = await asyncio.gather(*(acts if turn % 2 else acts[::-1]))
            (winner,) = won(answers, "conflict", "not_found" if what == "transfer" else "conflict")
            status, item = await end_of(office, request)
            assert status == answers[winner].json()["status"]
            assert (item["version"] == 3) == (status == "approved")

        await asyncio.gather(*(race(each) for each in await asked(office, what, due_on=on("04-10"))))


async def test_of_two_that_ask_one_waits(office, rounds):
    for _ in rounds:
        items = await asyncio.gather(*(office.claimed(due_on=on("04-10")) for _ in range(AT_ONCE)))
        for item in items:
            answers = await asyncio.gather(
                *(office.ask(item, "closure", by) for by in (office.village, office.colleague))
            )
            assert len(won(answers, "conflict")) == 1
            assert len(await every_page(office.town, f"/v1/items/{item['id']}/requests")) == 1


@pytest.mark.parametrize("first", ["decider", "clock", "whoever"])
@pytest.mark.parametrize("what", ASKED)
async def test_the_decider_and_the_clock_meet(office, rounds, what, first):
    """Approved, it is as asked and no escalation comes; or that comes first, and what it overtakes is off."""
    ledger = await office.ledger(ladder=[ON_THE_DAY])
    for _ in rounds if first == "whoever" else range(1):
        office.at("03-02")
        requests = await asked(office, what, ledger=ledger, due_on=on("03-11"))
        now = office.at("03-11")
        look = clock.run_until_done(office.world.service, now)
        if first == "clock":
            await look
            answers = [await office.approve(each) for each in requests]
            assert not won(answers, "conflict", "guard_refused")
        elif first == "decider":
            answers = [await office.approve(each) for each in requests]
            await look
            assert len(won(answers)) == AT_ONCE
        else:
            deciding = [later(place * 0.004, office.approve(each)) for place, each in enumerate(requests)]
            _, *answers = await asyncio.gather(look, *deciding)
        for request, answer in zip(requests, answers, strict=True):
            row = await read(office.county, f"/v1/requests/{request['id']}")
            item = await office.look({"id": request["item_id"]})
            fired = await office.events(item, "item.escalated")
            if answer.is_success:
                assert (row["status"], len(fired), item["interview_id"]) == ("approved", 0, None)
                assert item["state"] == {"extension": "extended", "closure": "closed", "transfer": "open"}[what]
            elif what == "closure":
                refused(answer, "guard_refused", guard="interview_recorded")
                assert (row["status"], len(fired), item["state"]) == ("pending", 1, "escalated")
            else:
                refused(answer, "conflict")
                assert (row["status"], len(fired), item["state"]) == ("cancelled", 1, "escalated")
            rungs = await office.events(item, "rung.fired")
            assert [each["data"]["rung"] for each in rungs] == ["escalate-0"] * len(fired)


async def test_people_come_and_go_while_clocks_look(office, rounds):
    """Asked, withdrawn, returned and asked again while three clocks turn: each rung is done once all the same."""
    ledger = await office.ledger(
        ladder=[ON_THE_DAY | {"code": f"urge{n}", "offset": n, "action": "urge"} for n in (0, 1)]
    )
    for _ in rounds:
        office.at("03-02")
        items = await asyncio.gather(*(office.claimed(ledger=ledger, due_on=on("03-11")) for _ in range(AT_ONCE)))
        for day in ("03-11", "03-12"):
            now = office.at(day)

            async def bustle(item):
                for _ in range(3):
                    answer = await office.ask(item, "transfer")
                    if answer.is_success:
                        ok(await office.withdraw(answer.json()))

            looks = [clock.run_until_done(office.world.service, now) for _ in range(3)]
            await asyncio.gather(*(bustle(each) for each in items), *looks)
        numbers = set()
        for item in items:
            rungs = [each["data"]["rung"] for each in await office.events(item, "rung.fired")]
            assert rungs == ["urge0", "urge1"]
            notices = await office.notices(item)
            assert [each["rungs"] for each in notices] == [["urge0"], ["urge1"]]
            numbers |= {each["number"] for each in notices}
    every = await every_page(office.county, "/v1/notices", kind="urging", limit=200)
    mine = {each["number"] for each in every if each["number"].startswith(ledger)}
    assert numbers <= mine == {f"{ledger}催〔2026〕{n}号" for n in range(1, len(mine) + 1)}


async def test_several_clocks_do_it_once(office, rounds):
    """The default ladder, three days late: passed once, urged no more, supervised once, by as few letters as looks."""
    for _ in rounds:
        office.at("03-02")
        ledger = await office.ledger()
        items = await asyncio.gather(*(office.claimed(ledger=ledger, due_on=on("03-11")) for _ in range(AT_ONCE)))
        now = office.at("03-16", "09:00")
        tallies = await asyncio.gather(*(clock.run_until_done(office.world.service, now) for _ in range(4)))
        assert sum(each.fired["supervise"] for each in tallies) == AT_ONCE
        assert sum(each.passed for each in tallies) == AT_ONCE
        for item in items:
            assert await office.rungs(item) == [
                "03-16 09:00 passed", "03-16 09:00 remind-7 before_creation", "03-16 09:00 remind-3 collapsed",
                "03-16 09:00 urge+1 collapsed", "03-16 09:00 supervise+3",
            ]  # fmt: skip
        notices = {each["id"]: each for item in items for each in await office.notices(item)}.values()
        assert sorted(each["number"] for each in notices) == [
            f"{ledger}督〔2026〕{n + 1}号" for n in range(len(notices))
        ]
        covered = sorted(item_id for each in notices for item_id in each["item_ids"])
        assert covered == sorted(item["id"] for item in items)
