"""Requests decided over HTTP: an approval is its trigger, by the same rules; a return says why."""

from collections import defaultdict

import pytest

from tests import invariants
from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.api.office import ASKED, VERIFIED, on

TRIGGERS = {"extension": "item.extended", "closure": "item.closed", "transfer": "item.transferred"}


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def transactions(settings, item):
    """The types of the item's events, transaction by transaction."""
    found = (await invariants.everything(settings)).by_item("events")
    by_revision = defaultdict(list)
    for item_id, row in [(item_id, row) for item_id, rows in found.items() for row in rows]:
        if str(item_id) == item["id"]:
            by_revision[row["revision"]].append((row["ordinal"], row["type"]))
    return [[type_ for _, type_ in sorted(each)] for _, each in sorted(by_revision.items())]


# -- approved


@pytest.mark.parametrize("what", ASKED)
async def test_an_approval_and_its_trigger_are_one_transaction(office, settings, what):
    item = await office.claimed(due_on=on("04-10"))
    request = await office.pending(item, what)
    office.at("03-04")
    approved = ok(await office.approve(request, reason="情况属实"))
    me = await read(office.town, "/v1/me")
    assert approved == request | {
        "status": "approved", "decided_by": me["principal_id"], "decider": me["name"],
        "decided_at": "2026-03-04T02:00:00Z", "decision_reason": "情况属实",
    }  # fmt: skip
    assert await read(office.county, f"/v1/requests/{request['id']}") == approved
    assert await transactions(settings, item) == [
        ["item.created"], ["item.claimed"], ["request.submitted"], [TRIGGERS[what], "request.approved"]
    ]  # fmt: skip
    fired, told = (await office.events(item))[-2:]
    assert fired["item_version"] == told["item_version"] == item["version"] + 1 == (await office.look(item))["version"]
    assert fired["actor"]["principal_id"] == told["actor"]["principal_id"] == me["principal_id"]
    assert told["data"]["request_id"] == request["id"] and told["data"]["reason"] == "情况属实"
    for answer in (await office.approve(request), await office.give_back(request), await office.withdraw(request)):
        assert answer.status_code in (404, 409) if what == "transfer" else refused(answer, "conflict")


async def test_an_extension_is_granted_as_asked_or_otherwise(office):
    first, second = [await office.claimed(due_on=on("03-20")) for _ in range(2)]
    ok(await office.approve(await office.pending(first, "extension", due_on=on("04-20"), reason="汛期")))
    item = await office.look(first)
    assert (item["state"], item["deadline"]["due_on"], item["extension_count"]) == ("extended", on("04-20"), 1)
    extended, told = (await office.events(first))[-2:]
    assert extended["data"]["reason"] == "汛期", "the decider adds nothing"
    assert (told["data"]["asked_due_on"], told["data"]["due_on"]) == (on("04-20"), on("04-20"))

    request = await office.pending(second, "extension", due_on=on("04-20"))
    approved = ok(await office.approve(request, due_on=on("03-30"), reason="十日足够"))
    assert approved["due_on"] == on("04-20"), "what was asked stays"
    assert (await office.look(second))["deadline"]["due_on"] == on("03-30")
    extended, told = (await office.events(second))[-2:]
    assert extended["data"]["reason"] == "十日足够"
    assert (told["data"]["asked_due_on"], told["data"]["due_on"]) == (on("04-20"), on("03-30"))


async def test_a_transfer_is_granted_as_asked_or_otherwise(office):
    asked, free = [await office.claimed(due_on=on("04-10")) for _ in range(2)]
    request = await office.pending(asked, "transfer", responsible_unit="t1v2")
    ok(await office.approve(request, responsible_unit="d1"))
    (told,) = await office.events(asked, "request.approved")
    units = office.units
    assert (told["data"]["asked_unit_id"], told["data"]["responsible_unit_id"]) == (units["t1v2"], units["d1"])
    item = await office.look(asked)
    assert (item["state"], item["responsible_unit_id"], item["claim"]) == ("open", units["d1"], None)
    for client in (office.village, office.town):
        refused(await client.get(f"/v1/requests/{request['id']}"), "not_found")
    receiver = await office.person("viewer", "d1")
    assert (await read(receiver, f"/v1/requests/{request['id']}"))["status"] == "approved"

    request = await office.pending(free, "transfer")
    answer = await office.town.post(f"/v1/requests/{request['id']}/decision", json={"verdict": "approve"})
    refused(answer, "invalid_request", ("/responsible_unit_id", "missing"))
    refused(await office.approve(request, responsible_unit="t1v1"), "guard_refused", guard="other_unit")
    answer = await office.approve(request, responsible_unit="nowhere")
    refused(answer, "invalid_request", ("/responsible_unit", "unknown_reference"))
    answer = await office.approve(request, supervising_unit="t1v2")
    refused(answer, "guard_refused", guard="supervising_unit")
    answer = await office.approve(request, supervising_unit_id=NOBODY)
    refused(answer, "invalid_request", ("/supervising_unit_id", "unknown_reference"))
    ok(await office.approve(request, due_on=on("04-15"), supervising_unit="t1"))
    item = await office.look(free)
    assert (item["responsible_unit_id"], item["supervising_unit_id"]) == (units["t1v2"], units["t1"])
    assert item["deadline"]["due_on"] == on("04-15")


async def test_a_closure_is_granted_with_its_verification(office):
    item = await office.claimed(due_on=on("03-13"))
    request = await office.pending(item, "closure")
    url = f"/v1/requests/{request['id']}/decision"
    answer = await office.town.post(url, json={"verdict": "approve"})
    refused(answer, "invalid_request", ("/verification", "missing"))
    answer = await office.approve(request, verification={**VERIFIED, "on": on("03-03")})
    refused(answer, "invalid_request", ("/verification/on", "in_future"))
    ok(await office.approve(request))
    closed = (await office.events(item, "item.closed"))[0]
    assert closed["data"]["verification"] == VERIFIED
    assert (await office.look(item))["resolution"] == "rectified"


FOREIGN = {
    "extension": ("verification", "waive_interview", "responsible_unit", "supervising_unit"),
    "closure": ("due_on", "responsible_unit", "supervising_unit"),
    "transfer": ("verification", "waive_interview"),
}


@pytest.mark.parametrize("what", ASKED)
async def test_an_approval_takes_what_its_trigger_takes_and_nothing_else(office, what):
    item = await office.claimed(due_on=on("04-10"))
    request = await office.pending(item, what)
    values = {"due_on": on("04-20"), "verification": VERIFIED, "waive_interview": "已当面谈过",
              "responsible_unit": "t1v2", "supervising_unit": "t1"}  # fmt: skip
    for name in FOREIGN[what]:
        refused(await office.approve(request, **{name: values[name]}), "invalid_request", (f"/{name}", "unknown_field"))
    everything = await office.approve(request, **{name: values[name] for name in FOREIGN[what]})
    refused(everything, "invalid_request", *((f"/{name}", "unknown_field") for name in sorted(FOREIGN[what])))
    assert (await read(office.town, f"/v1/requests/{request['id']}"))["status"] == "pending"
    ok(await office.approve(request, **dict.fromkeys(FOREIGN[what])))
    (told,) = await office.events(item, "request.approved")
    assert not told["data"].keys() & ({"responsible_unit_id"} if what != "transfer" else {"verification"})


@pytest.mark.parametrize(("asked", "late"), [("03-12", 0), ("03-13", 0), ("03-17", 4)])
async def test_waiting_for_the_decider_makes_no_closing_late(office, asked, late):
    item = await office.claimed(due_on=on("03-13"))
    office.at(asked, "17:00")
    request = await office.pending(item, "closure")
    office.at("03-20")
    ok(await office.approve(request))
    assert (await office.look(item))["closed_days_late"] == late


# -- the rules of the trigger


async def test_a_closure_needs_the_evidence_and_other_eyes(office):
    """Whoever asked, claimed or reported for the unit in this cycle does not approve, whatever its grants are."""
    ledger = await office.ledger(closure={"min_evidence": 1})
    reporter, item = await office.person("admin", "root"), await office.claimed(ledger=ledger)
    request = await office.pending(item, "closure")
    refused(await office.approve(request), "guard_refused", guard="evidence", needed=1, present=0)
    ok(await reporter.post(f"/v1/items/{item['id']}/progress", json={"text": "已更换"}), 201)
    refused(await office.approve(request, reporter), "guard_refused", guard="four_eyes")
    ok(await office.approve(request))


@pytest.mark.parametrize("what", ASKED)
async def test_nobody_decides_what_he_asked_for(office, what):
    """Whatever the policy says of closing."""
    ledger, both = await office.ledger(closure={"four_eyes": False}), await office.person("admin", "root")
    item = await office.claimed(ledger=ledger, due_on=on("04-10"))
    request = await office.pending(item, what, by=both)
    for answer in (await office.approve(request, both), await office.give_back(request, both)):
        refused(answer, "guard_refused", guard="four_eyes")
    assert (await read(office.town, f"/v1/requests/{request['id']}"))["status"] == "pending"
    ok(await office.approve(request))


async def test_a_second_extension_is_decided_a_level_higher(office):
    item = await office.claimed(due_on=on("03-20"))
    ok(await office.approve(await office.pending(item, "extension", due_on=on("03-27"))))
    request = await office.pending(item, "extension", due_on=on("04-10"))
    refused(await office.approve(request), "forbidden")
    ok(await office.approve(request, office.county))
    assert (await office.look(item))["extension_count"] == 2
    lenient = await office.ledger(extension={"second_needs_parent": False})
    item = await office.claimed(ledger=lenient, due_on=on("03-20"))
    for due_on in ("03-27", "04-10"):
        ok(await office.approve(await office.pending(item, "extension", due_on=on(due_on))))
    answer = await office.ask(item, "extension", due_on=on("04-17"))
    refused(answer, "guard_refused", guard="extension_count")


async def test_a_second_extension_may_be_returned_by_the_same_level(office):
    item = await office.claimed(due_on=on("03-20"))
    ok(await office.approve(await office.pending(item, "extension", due_on=on("03-27"))))
    ok(await office.give_back(await office.pending(item, "extension", due_on=on("04-10"))))


async def test_the_budget_is_judged_again_when_it_is_decided(office):
    ledger = await office.ledger(extension={"max_total_days": 30, "apply_before": 0})
    item = await office.claimed(ledger=ledger, due_on=on("03-13"))
    request = await office.pending(item, "extension", due_on=on("03-20"))
    answer = await office.approve(request, due_on=on("04-13"))
    refused(answer, "guard_refused", guard="extension_days", total=31, max=30)
    refused(await office.approve(request, due_on=on("03-13")), "guard_refused", guard="later_deadline")
    office.at("03-20")
    refused(await office.approve(request), "guard_refused", guard="later_deadline")
    assert (await read(office.town, f"/v1/requests/{request['id']}"))["status"] == "pending"
    ok(await office.approve(request, due_on=on("03-21")))
    extended = (await office.events(item, "item.extended"))[0]
    assert extended["data"]["late"] is True, "it is counted where it was decided after the deadline"


async def test_an_escalated_item_is_closed_on_request_after_its_talk(office):
    item = await office.claimed(due_on=on("03-20"))
    request = await office.pending(item, "closure")
    item = await office.fire(office.town, item, "escalate", reason="久拖不决")
    refused(await office.approve(request), "guard_refused", guard="interview_recorded")
    other = await office.claimed(due_on=on("03-20"))
    other = await office.fire(office.town, other, "escalate", reason="久拖不决")
    asked = await office.pending(other, "closure")
    ok(await office.approve(asked, waive_interview="已当面说明"))
    assert (await read(office.town, f"/v1/interviews/{other['interview_id']}"))["state"] == "cancelled"
    ok(await office.record(item["interview_id"]))
    ok(await office.approve(request))


# -- who decides


@pytest.mark.parametrize(
    ("role", "unit", "code"),
    [("responsible", "t1v1", "forbidden"), ("responsible", "root", "forbidden"), ("supervisor", "t1v1", "forbidden"),
     ("viewer", "t1", "forbidden"), ("platform", "root", "forbidden"), ("auditor", "root", "forbidden"),
     ("supervisor", "t2", "not_found")],
)  # fmt: skip
async def test_only_the_supervising_side_decides(office, role, unit, code):
    request = await office.pending(await office.claimed(due_on=on("04-10")), "closure")
    client = await office.person(role, unit)
    for answer in (await office.approve(request, client), await office.give_back(request, client)):
        refused(answer, code)
    ok(await office.give_back(request, office.deputy))


# -- returned


async def test_a_return_says_why_and_changes_nothing_else(office):
    item = await office.claimed(due_on=on("04-10"))
    request = await office.pending(item, "closure")
    url = f"/v1/requests/{request['id']}/decision"
    refused(await office.town.post(url, json={"verdict": "return"}), "invalid_request", ("/reason", "missing"))
    more = {"due_on": on("05-06"), "verification": VERIFIED, "waive_interview": "免", "responsible_unit": "t1v2"}
    for name, value in more.items():
        answer = await office.town.post(url, json={"verdict": "return", "reason": "不足", name: value})
        refused(answer, "invalid_request", (f"/{name}", "needs_approval"))
    answer = await office.town.post(url, json={"verdict": "maybe", "reason": "不足"})
    refused(answer, "invalid_request", ("/verdict", "not_allowed"))
    before = await office.look(item)
    returned = ok(await office.give_back(request))
    assert await office.look(item) == before
    assert (returned["status"], returned["decision_reason"]) == ("returned", "佐证不足")
    (told,) = await office.events(item, "request.returned")
    assert told["data"] == {"request_id": request["id"], "kind": "closure", "reason": "佐证不足"}
    again = await office.pending(item, "closure")
    rows = await every_page(office.town, f"/v1/items/{item['id']}/requests")
    assert [row["id"] for row in rows] == [request["id"], again["id"]]


# -- overtaken

OVERTAKEN = {
    "extend": ({"extension"}, {"due_on": on("04-20"), "reason": "主动延期"}),
    "escalate": ({"extension", "transfer"}, {"reason": "久拖不决"}),
    "transfer": ({"extension", "closure", "transfer"}, {"responsible_unit": "t1v2", "reason": "职责不符"}),
    "close": ({"extension", "closure", "transfer"}, {"verification": VERIFIED}),
    "annul": ({"extension", "closure", "transfer"}, {"reason": "查无此事"}),
}


@pytest.mark.parametrize("trigger", OVERTAKEN)
async def test_a_trigger_cancels_what_it_overtakes(office, trigger):
    gone, given = OVERTAKEN[trigger]
    item = await office.claimed(due_on=on("04-10"))
    asked = {kind: await office.pending(item, kind) for kind in ASKED}
    await office.fire(office.town, item, trigger, **given)
    rows = {row["kind"]: row for row in await every_page(office.county, f"/v1/items/{item['id']}/requests")}
    assert {kind for kind, row in rows.items() if row["status"] == "cancelled"} == gone
    assert {kind for kind, row in rows.items() if row["status"] == "pending"} == set(ASKED) - gone
    told = await office.events(item, "request.cancelled")
    assert {(each["data"]["kind"], each["data"]["request_id"]) for each in told} == {
        (kind, asked[kind]["id"]) for kind in gone
    }
    for kind in gone:
        row = rows[kind]
        assert (row["decided_by"], row["decider"], row["decided_at"]) == (None, None, "2026-03-02T02:00:00Z")
        refused(await office.approve(asked[kind], office.county), "conflict")
    assert not await office.events(item, "request.approved"), "a direct trigger is no approval"


@pytest.mark.parametrize(
    ("what", "gone"),
    [("extension", set()), ("closure", {"extension", "transfer"}), ("transfer", {"extension", "closure"})],
)
async def test_what_is_granted_is_not_cancelled(office, what, gone):
    item = await office.claimed(due_on=on("04-10"))
    asked = {kind: await office.pending(item, kind) for kind in ASKED}
    ok(await office.approve(asked[what]))
    rows = {row["kind"]: row["status"] for row in await every_page(office.county, f"/v1/items/{item['id']}/requests")}
    expected = {kind: "cancelled" if kind in gone else "pending" for kind in ASKED} | {what: "approved"}
    assert rows == expected


async def test_requests_of_a_cycle_end_with_it(office):
    item = await office.claimed(due_on=on("04-10"))
    request = await office.pending(item, "extension")
    await office.fire(office.town, item, "close", verification=VERIFIED)
    await office.fire(office.town, item, "reopen", reason="反弹", due_on=on("04-20"))
    item = await office.fire(office.village, item, "claim", signed_by="张伟")
    again = await office.pending(item, "extension", due_on=on("04-27"))
    assert (request["cycle"], again["cycle"]) == (1, 2)
