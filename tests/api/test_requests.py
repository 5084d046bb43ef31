"""Requests over HTTP: what the responsible side may ask, when, and how often; and taking it back."""

import asyncio

import pytest

from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.api.office import ASKED, on

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def in_state(office, state, **given):
    """A new item of t1v1 in a state, due on 10 April."""
    item = await office.item(due_on=on("04-10"), **given)
    if state in ("rectifying", "extended", "escalated", "closed"):
        item = await office.fire(office.village, item, "claim", signed_by="张伟")
    match state:
        case "extended":
            item = await office.fire(office.town, item, "extend", due_on=on("04-17"), reason="汛期")
        case "escalated":
            item = await office.fire(office.town, item, "escalate", reason="久拖不决")
        case "closed":
            done = {"method": "phone", "on": on("03-02"), "note": "已通水"}
            item = await office.fire(office.town, item, "close", verification=done)
    assert item["state"] == state
    return item


# -- what is asked


@pytest.mark.parametrize("what", ASKED)
async def test_a_request_waits_to_be_decided(office, what):
    item = await in_state(office, "rectifying")
    answer = await office.ask(item, what)
    request = ok(answer, 201)
    me = await read(office.village, "/v1/me")
    assert request == {
        "id": request["id"], "item_id": item["id"], "cycle": 1, "kind": what, "status": "pending",
        "requested_by": me["principal_id"], "requester": me["name"], "requested_at": "2026-03-02T02:00:00Z",
        "asked_on": on("03-02"), "reason": ASKED[what].get("summary") or ASKED[what]["reason"],
        "due_on": ASKED[what].get("due_on"), "responsible_unit_id": None, "decide_due": on("03-09"),
        "decided_by": None, "decider": None, "decided_at": None, "decision_reason": None, "attachment_ids": [],
    }  # fmt: skip
    assert answer.headers["location"] == f"/v1/requests/{request['id']}"
    for client in (office.village, office.town, office.county, await office.person("viewer", "t1v1")):
        assert await read(client, answer.headers["location"]) == request
        assert await every_page(client, f"/v1/items/{item['id']}/requests") == [request]
    refused(await (await office.person("viewer", "t2")).get(answer.headers["location"]), "not_found")
    (told,) = await office.events(item, "request.submitted")
    expected = {name: request[name] for name in ("kind", "cycle", "decide_due", "reason", "due_on")}
    assert told["data"] == {"request_id": request["id"], **{k: v for k, v in expected.items() if v is not None}}
    assert told["actor"]["principal_id"] == me["principal_id"]
    assert told["item_version"] == item["version"] == (await office.look(item))["version"], "no change of the item"


STATES = {
    "open": {"transfer"},
    "rectifying": {"extension", "closure", "transfer"},
    "extended": {"extension", "closure", "transfer"},
    "escalated": {"closure"},
    "closed": set(),
}
TRIGGERS = {"extension": "extend", "closure": "close", "transfer": "transfer"}


@pytest.mark.parametrize("state", STATES)
async def test_it_is_asked_in_the_states_of_its_trigger(office, state):
    item = await in_state(office, state)
    allowed = (await read(office.village, f"/v1/items/{item['id']}"))["allowed_triggers"]
    for kind, trigger in TRIGGERS.items():
        answer = await office.ask(item, kind)
        if kind in STATES[state]:
            assert ok(answer, 201)["status"] == "pending"
        else:
            refused(answer, "invalid_transition", state=state, trigger=trigger, allowed_triggers=allowed)
    pending = {row["kind"] for row in await every_page(office.town, f"/v1/items/{item['id']}/requests")}
    assert pending == STATES[state]


async def test_one_of_a_kind_waits_at_a_time(office):
    item = await in_state(office, "rectifying")
    asked = {kind: await office.pending(item, kind) for kind in ASKED}
    for kind in ASKED:
        assert "同类" in refused(await office.ask(item, kind, office.colleague), "conflict")["detail"]
    assert [row["kind"] for row in await every_page(office.town, f"/v1/items/{item['id']}/requests")] == list(asked)
    ok(await office.withdraw(asked["closure"]))
    again = await office.pending(item, "closure")
    rows = await every_page(office.town, f"/v1/items/{item['id']}/requests", limit=1)
    assert [row["status"] for row in rows] == ["pending", "withdrawn", "pending", "pending"]
    assert rows[-1] == again


@pytest.mark.parametrize(
    ("role", "unit", "code"),
    [
        ("supervisor", "t1", "forbidden"), ("supervisor", "t1v1", "forbidden"), ("viewer", "t1v1", "forbidden"),
        ("platform", "root", "forbidden"), ("auditor", "root", "forbidden"), ("responsible", "t1v2", "not_found"),
        ("responsible", "t2", "not_found"), ("responsible", "t1", None), ("responsible", "root", None),
        ("admin", "root", None),
    ],
)  # fmt: skip
async def test_only_the_responsible_side_asks_and_takes_back(office, role, unit, code):
    item, client = await in_state(office, "rectifying"), await office.person(role, unit)
    if code is None:
        ok(await office.ask(item, "transfer", client), 201)
    else:
        refused(await office.ask(item, "transfer", client), code)
    request = await office.pending(item, "closure")
    answer = await office.withdraw(request, client)
    if code is None:
        assert ok(answer)["status"] == "withdrawn"
    else:
        refused(answer, code)
        assert (await read(office.town, f"/v1/requests/{request['id']}"))["status"] == "pending"


async def test_a_co_unit_sees_the_request_and_may_not_ask(office):
    item = await in_state(office, "rectifying", co_units=["t2v1"])
    helper = await office.person("responsible", "t2v1")
    refused(await office.ask(item, "closure", helper), "forbidden")
    request = await office.pending(item, "closure")
    assert await read(helper, f"/v1/requests/{request['id']}") == request
    refused(await office.withdraw(request, helper), "forbidden")


# -- the extension budget


@pytest.mark.parametrize(
    ("due", "policy", "until"),
    [("03-13", 1, "03-12"), ("03-16", 1, "03-13"), ("03-13", 3, "03-10"), ("03-15", 1, "03-13"), ("03-13", 0, "03-13"),
     ("04-07", 1, "04-03")],
)  # fmt: skip
async def test_an_extension_is_asked_in_time(office, due, policy, until):
    """`until` is the last good day, whatever day of the week it is asked on."""
    ledger = await office.ledger(extension={"apply_before": policy})
    first, second = [await office.claimed(ledger=ledger, due_on=on(due)) for _ in range(2)]
    office.at(until, "23:59")
    ok(await office.ask(first, "extension"), 201)
    month, day = map(int, until.split("-"))
    office.at(f"{month:02}-{day + 1:02}", "00:00")
    problem = refused(await office.ask(second, "extension"), "guard_refused", guard="apply_before", until=on(until))
    assert on(until) in problem["detail"]
    ok(await office.ask(second, "closure"), 201)
    await office.fire(office.town, second, "extend", due_on=on("04-20"), reason="主动延期"), "binds requests only"


async def test_the_budget_is_judged_when_it_is_asked(office):
    ledger = await office.ledger(extension={"max_count": 1, "max_total_days": 10})
    item = await office.claimed(ledger=ledger, due_on=on("03-20"))
    for due_on in ("03-20", "03-19", "03-02", "02-01"):
        answer = await office.ask(item, "extension", due_on=on(due_on))
        refused(answer, "guard_refused", guard="later_deadline", present=on("03-20"))
    refused(
        await office.ask(item, "extension", due_on=on("03-31")),
        "guard_refused",
        guard="extension_days",
        total=11,
        max=10,
    )
    ok(await office.ask(item, "extension", due_on=on("03-30")), 201)
    await office.fire(office.town, item, "extend", due_on=on("03-21"), reason="主动延期")
    answer = await office.ask(item, "extension", due_on=on("03-30"))
    refused(answer, "guard_refused", guard="extension_count", max=1)


async def test_what_is_kept_up_for_long_is_not_extended(office):
    item = await office.claimed(deadline={"kind": "standing"})
    refused(await office.ask(item, "extension"), "guard_refused", guard="not_standing")
    ok(await office.ask(item, "closure"), 201)


# -- a transfer


async def test_a_transfer_may_name_a_unit_or_leave_it_to_the_decider(office):
    item = await in_state(office, "open")
    refused(await office.ask(item, "transfer", responsible_unit="t1v1"), "guard_refused", guard="other_unit")
    for named, unknown in (("responsible_unit", "nowhere"), ("responsible_unit_id", NOBODY)):
        answer = await office.ask(item, "transfer", **{named: unknown})
        refused(answer, "invalid_request", (f"/{named}", "unknown_reference"))
    both = {"responsible_unit": "d1", "responsible_unit_id": office.units["d1"]}
    assert refused(await office.ask(item, "transfer", **both), "invalid_request")["errors"][0]["code"] == "one_of_two"
    request = await office.pending(item, "transfer", responsible_unit="d1")
    assert request["responsible_unit_id"] == office.units["d1"], "any active unit, in reach or not"
    (told,) = await office.events(item, "request.submitted")
    assert told["data"]["responsible_unit_id"] == office.units["d1"]


# -- shapes


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"kind": "extension", "due_on": on("04-20")}, [("/reason", "missing")]),
        ({"kind": "extension", "reason": "汛期"}, [("/due_on", "missing")]),
        ({"kind": "closure"}, [("/summary", "missing")]),
        ({"kind": "closure", "summary": ""}, [("/summary", "too_short")]),
        ({"kind": "closure", "summary": "好了", "due_on": on("04-20")}, [("/due_on", "unknown_field")]),
        ({"kind": "transfer"}, [("/reason", "missing")]),
        ({"kind": "transfer", "reason": "x", "supervising_unit": "t1"}, [("/supervising_unit", "unknown_field")]),
        ({"kind": "annulment", "reason": "x"}, [("/kind", "not_allowed")]),
        ({"reason": "x"}, [("/kind", "missing")]),
    ],
)
async def test_a_request_of_another_shape_is_refused(office, body, errors):
    item = await in_state(office, "rectifying")
    refused(await office.village.post(f"/v1/items/{item['id']}/requests", json=body), "invalid_request", *errors)
    assert await every_page(office.village, f"/v1/items/{item['id']}/requests") == []


# -- taking it back


async def test_whoever_acts_for_the_unit_takes_it_back_once(office):
    item = await in_state(office, "rectifying")
    request = await office.pending(item, "closure")
    office.at("03-03")
    withdrawn = ok(await office.withdraw(request, office.colleague))
    me = await read(office.colleague, "/v1/me")
    assert withdrawn == request | {
        "status": "withdrawn", "decided_by": me["principal_id"], "decider": me["name"],
        "decided_at": "2026-03-03T02:00:00Z", "decision_reason": "改期",
    }  # fmt: skip
    (told,) = await office.events(item, "request.withdrawn")
    assert told["data"] == {"request_id": request["id"], "kind": "closure", "reason": "改期"}
    assert told["item_version"] == item["version"] == (await office.look(item))["version"]
    for answer in (await office.withdraw(request), await office.approve(request), await office.give_back(request)):
        refused(answer, "conflict")
    assert await read(office.town, f"/v1/requests/{request['id']}") == withdrawn


async def test_who_asked_for_closure_does_not_close_even_if_it_was_taken_back(office):
    """The mark stays for the cycle, for a direct closing too."""
    both = await office.person("admin", "root")
    item = await in_state(office, "rectifying")
    ok(await office.withdraw(await office.pending(item, "closure", by=both), both))
    done = {"trigger": "close", "verification": {"method": "phone", "on": on("03-02"), "note": "已通水"}}
    url = f"/v1/items/{item['id']}/transitions"
    refused(await both.post(url, json=done), "guard_refused", guard="four_eyes")
    assert ok(await office.town.post(url, json=done))["state"] == "closed"


# -- once more


@pytest.mark.parametrize("together", [False, True])
async def test_a_request_made_twice_under_a_key_is_made_once(office, together):
    item, key = await in_state(office, "rectifying"), {"Idempotency-Key": f"ask-{together}"}
    url, body = f"/v1/items/{item['id']}/requests", {"kind": "closure", **ASKED["closure"]}
    asking = [lambda: office.village.post(url, json=body, headers=key)] * 3
    answers = await asyncio.gather(*(ask() for ask in asking)) if together else [await ask() for ask in asking]
    assert [ok(answer, 201)["id"] for answer in answers] == [answers[0].json()["id"]] * 3
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 2
    assert {answer.headers["location"] for answer in answers} == {f"/v1/requests/{answers[0].json()['id']}"}
    assert len(await every_page(office.village, url)) == 1
    answer = await office.village.post(url, json={**body, "summary": "又改了"}, headers=key)
    refused(answer, "idempotency_key_reused")
    back, key = f"/v1/requests/{answers[0].json()['id']}/withdrawal", {"Idempotency-Key": f"back-{together}"}
    taking = [lambda: office.village.post(back, json={}, headers=key)] * 3
    answers = await asyncio.gather(*(take() for take in taking)) if together else [await take() for take in taking]
    assert [ok(answer)["status"] for answer in answers] == ["withdrawn"] * 3
    assert len(await office.events(item, "request.withdrawn")) == 1
