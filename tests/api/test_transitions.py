"""The life of an item over HTTP: every trigger, who may fire it, and what stands against it."""

import asyncio
import itertools

import pytest

from tests.api.helpers import NOBODY, VERIFIED, day, every_page, ids, match, ok, read, refused

TRIGGERS = ("claim", "extend", "close", "escalate", "resume", "transfer", "reopen", "annul")
INPUT = {
    "claim": {"signed_by": "张三", "measures": "更换主管道"},
    "extend": {"due_on": day(60), "reason": "汛期无法施工"},
    "close": {"verification": {**VERIFIED, "on": day(0)}, "waive_interview": "已当面说明"},
    "escalate": {"reason": "逾期未整改"},
    "resume": {"due_on": day(20), "signed_by": "张三"},
    "transfer": {"responsible_unit": "t1v2", "reason": "属地有误"},
    "reopen": {"reason": "问题反弹", "due_on": day(20)},
    "annul": {"reason": "误报"},
}
MINUTES = {
    "held_on": day(0),
    "attendees": ["王强", "李明"],
    "minutes": "责成十日内完成整改",
    "commitments": "十日内完成",
}
PATHS = {
    "open": (),
    "rectifying": ("claim",),
    "extended": ("claim", "extend"),
    "escalated": ("claim", "escalate"),
    "closed": ("claim", "close"),
    "annulled": ("annul",),
}


async def fire(world, client, item, trigger, **given):
    return await world.fire(client, item["id"], trigger, **{**INPUT[trigger], **given})


@pytest.fixture
async def people(world):
    """Two people of the village, and a supervisor of the town and of the county."""
    return {
        "village": await world.person("responsible", "t1v1"),
        "town": await world.person("supervisor", "t1"),
        "county": await world.person("supervisor", "root"),
    }


async def in_state(world, state, **given):
    """A new item brought into a state by those who usually do it."""
    item = await world.item(due_on=day(30), **given)
    village, town = await world.person("responsible", "t1v1"), await world.person("supervisor", "t1")
    for trigger in PATHS[state]:
        item = ok(await fire(world, village if trigger == "claim" else town, item, trigger))
    return item


async def record(client, item, **given):
    return await client.post(f"/v1/interviews/{item['interview_id']}/record", json={**MINUTES, **given})


async def prospects(client, item):
    return {each["trigger"]: each for each in (await read(client, f"/v1/items/{item['id']}/transitions"))["items"]}


async def test_an_item_lives_from_listing_to_its_second_closing(world, people):
    village, town, county = people["village"], people["town"], people["county"]
    item = await world.item(town, due_on=day(30))

    item = ok(await fire(world, village, item, "claim"))
    assert (item["state"], item["measures"], item["claim"]["signed_by"]) == ("rectifying", "更换主管道", "张三")
    assert item["claim"]["at"] == item["updated_at"] and item["claim"]["principal_id"]

    item = ok(await fire(world, town, item, "extend"))
    assert (item["state"], item["extension_count"], item["deadline"]["due_on"]) == ("extended", 1, day(60))

    item = ok(await fire(world, town, item, "escalate"))
    assert (item["state"], item["escalation_count"]) == ("escalated", 1)
    interview = await read(village, f"/v1/interviews/{item['interview_id']}")
    assert (interview["state"], interview["item_id"], interview["unit_id"]) == (
        "pending",
        item["id"],
        world.units["t1v1"],
    )

    refused(await fire(world, town, item, "resume"), "guard_refused", guard="interview_recorded")
    recorded = ok(await record(town, item))
    assert (recorded["state"], recorded["minutes"], recorded["held_on"]) == ("recorded", MINUTES["minutes"], day(0))
    refused(await record(town, item), "guard_refused", guard="interview_pending")
    assert (await read(town, f"/v1/items/{item['id']}"))["version"] == item["version"], (
        "a talk is no change of the item"
    )

    item = ok(await fire(world, town, item, "resume"))
    assert (item["state"], item["deadline"]["due_on"], item["claim"]["signed_by"]) == ("rectifying", day(20), "张三")
    assert item["extension_count"] == item["escalation_count"] == 1, "resume begins nothing anew"

    item = ok(await fire(world, town, item, "close"))
    assert (item["state"], item["resolution"], item["closed_days_late"]) == ("closed", "rectified", 0)
    assert (item["lamp"], item["overdue"], item["closed_at"]) == (None, False, item["updated_at"])

    item = ok(await fire(world, town, item, "reopen"))
    assert (item["state"], item["cycle"], item["claim"], item["interview_id"]) == ("open", 2, None, None)
    assert item["extension_count"] == item["escalation_count"] == 0
    assert item["resolution"] is item["closed_at"] is item["closed_days_late"] is None

    item = ok(await fire(world, town, item, "transfer"))
    assert (item["state"], item["cycle"], item["responsible_unit_id"]) == ("open", 2, world.units["t1v2"])
    assert item["deadline"]["due_on"] == day(20), "the deadline stays unless one is given"
    refused(await fire(world, village, item, "claim"), "not_found")
    item = ok(await fire(world, await world.person("responsible", "t1v2"), item, "claim"))
    item = ok(await fire(world, county, item, "annul"))
    assert (item["state"], item["resolution"]) == ("closed", "annulled")
    refused(await fire(world, town, item, "reopen"), "guard_refused", guard="was_rectified")

    events = await every_page(county, f"/v1/items/{item['id']}/events", limit=4)
    changes = [event["type"] for event in events if event["type"].startswith("item.")]
    assert changes == [
        "item.created", "item.claimed", "item.extended", "item.escalated", "item.resumed", "item.closed",
        "item.reopened", "item.transferred", "item.claimed", "item.annulled",
    ]  # fmt: skip
    versions = [event["item_version"] for event in events if event["type"].startswith("item.")]
    assert versions == list(range(1, item["version"] + 1))
    assert [event["type"] for event in events if event["type"].startswith("interview.")] == [
        "interview.opened", "interview.recorded",
    ]  # fmt: skip


ROLES = {
    "admin": ("admin", "root"),
    "county": ("supervisor", "root"),
    "town": ("supervisor", "t1"),
    "village supervisor": ("supervisor", "t1v1"),
    "village": ("responsible", "t1v1"),
    "town responsible": ("responsible", "t1"),
    "platform": ("platform", "t1"),
    "viewer": ("viewer", "t1"),
    "auditor": ("auditor", "root"),
}


@pytest.mark.parametrize("state", list(PATHS))
@pytest.mark.parametrize("role", list(ROLES))
async def test_what_is_said_to_be_allowed_is_what_then_happens(world, state, role):
    """Each caller is told beforehand for every trigger what the trigger then answers."""
    client = await world.person(*ROLES[role])
    item = await in_state(world, state)
    if state == "escalated":
        ok(await record(await world.person("supervisor", "t1"), item))
    told = await prospects(client, item)
    assert list(told) == list(TRIGGERS)
    shown = await read(client, f"/v1/items/{item['id']}")
    assert shown["allowed_triggers"] == [trigger for trigger in TRIGGERS if told[trigger]["allowed"]]
    for trigger in TRIGGERS:
        expected = told[trigger]
        answer = await fire(world, client, item, trigger, **({"due_on": day(80)} if trigger == "extend" else {}))
        if expected["allowed"]:
            assert answer.status_code == 200, (trigger, answer.text)
            item = await in_state(world, state)
            if state == "escalated":
                ok(await record(await world.person("supervisor", "t1"), item))
        else:
            problem = refused(answer, expected["code"])
            assert problem.get("guard") == expected["guard"]
            assert problem["detail"] == expected["detail"]


@pytest.mark.parametrize(
    ("state", "trigger"),
    [
        ("open", "extend"), ("open", "close"), ("open", "resume"), ("open", "reopen"),
        ("rectifying", "claim"), ("rectifying", "resume"), ("extended", "claim"), ("extended", "reopen"),
        ("escalated", "claim"), ("escalated", "extend"), ("escalated", "transfer"), ("escalated", "escalate"),
        ("closed", "claim"), ("closed", "close"), ("closed", "annul"), ("closed", "transfer"),
    ],
)  # fmt: skip
async def test_a_trigger_that_the_state_does_not_take_says_what_it_takes(world, state, trigger):
    item = await in_state(world, state)
    problem = refused(await fire(world, world.admin, item, trigger), "invalid_transition", state=state, trigger=trigger)
    told = await prospects(world.admin, item)
    assert problem["allowed_triggers"] == [name for name in TRIGGERS if told[name]["allowed"]]
    assert state in problem["detail"] and trigger in problem["detail"]
    assert await read(world.admin, f"/v1/items/{item['id']}") == {
        **item,
        "allowed_triggers": problem["allowed_triggers"],
    }


@pytest.mark.parametrize("etag", ['"1"', 'W/"1"', ' "1" ', "*"])
async def test_a_trigger_takes_the_version_that_was_read(world, etag):
    item = await world.item()
    url, claim = f"/v1/items/{item['id']}/transitions", {"trigger": "claim", **INPUT["claim"]}
    refused(await world.admin.post(url, json=claim, headers={"If-Match": '"2"'}), "stale_version")
    answer = await world.admin.post(url, json=claim, headers={"If-Match": etag})
    assert (ok(answer)["version"], answer.headers["etag"]) == (2, '"2"')


async def test_of_simultaneous_claims_one_is_accepted(world):
    item = await world.item()
    answers = await asyncio.gather(*(fire(world, world.admin, item, "claim") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert (await read(world.admin, f"/v1/items/{item['id']}"))["version"] == 2


# -- the guards, as they answer


@pytest.mark.parametrize(
    ("state", "trigger", "given", "guard"),
    [
        ("rectifying", "extend", {"due_on": day(30)}, "later_deadline"),
        ("rectifying", "extend", {"due_on": day(-1)}, "later_deadline"),
        ("rectifying", "extend", {"due_on": day(91)}, "extension_days"),
        ("escalated", "close", {"waive_interview": None}, "interview_recorded"),
        ("escalated", "resume", {}, "interview_recorded"),
        ("open", "transfer", {"due_on": day(-1)}, "not_before_today"),
        ("open", "transfer", {"responsible_unit": "t1v1"}, "other_unit"),
        ("open", "transfer", {"responsible_unit": "t1v2", "supervising_unit": "t1v2"}, "supervising_unit"),
        ("closed", "reopen", {"due_on": day(-1)}, "not_before_today"),
        ("annulled", "reopen", {}, "was_rectified"),
    ],
)
async def test_a_guard_that_is_not_met_is_named_and_explained(world, people, state, trigger, given, guard):
    item = await in_state(world, state)
    answer = await fire(world, people["county"], item, trigger, **given)
    problem = refused(answer, "guard_refused", guard=guard)
    assert "{" not in problem["detail"]
    assert (await read(world.admin, f"/v1/items/{item['id']}"))["version"] == item["version"]


async def test_the_extension_budget_is_counted_in_times_and_in_days(world, people):
    item = await in_state(world, "rectifying")
    item = ok(await fire(world, people["county"], item, "extend", due_on=day(40)))
    problem = refused(await fire(world, people["county"], item, "extend", due_on=day(91)), "guard_refused")
    assert (problem["guard"], problem["total"], problem["max"]) == ("extension_days", 61, 60)
    item = ok(await fire(world, people["county"], item, "extend", due_on=day(90)))
    problem = refused(await fire(world, people["county"], item, "extend", due_on=day(91)), "guard_refused")
    assert (problem["guard"], problem["max"]) == ("extension_count", 2)


async def test_a_second_extension_is_decided_above_the_supervising_unit(world, people):
    item = await in_state(world, "extended")
    refused(await fire(world, people["town"], item, "extend", due_on=day(70)), "forbidden")
    assert (await prospects(people["town"], item))["extend"]["code"] == "forbidden"
    ok(await fire(world, people["county"], item, "extend", due_on=day(70)))


async def test_standing_items_are_not_extended(world):
    item = await world.item(deadline={"kind": "standing"})
    ok(await fire(world, world.admin, item, "claim"))
    refused(await fire(world, world.admin, item, "extend", due_on=day(200)), "guard_refused", guard="not_standing")


async def test_who_claimed_or_reported_for_the_responsible_side_does_not_close(world, people):
    item = await world.item()
    both = await world.person("admin", "root")
    ok(await fire(world, both, item, "claim"))
    refused(await fire(world, both, item, "close"), "guard_refused", guard="four_eyes")
    reporter = await world.person("admin", "root")
    ok(await reporter.post(f"/v1/items/{item['id']}/progress", json={"text": "已修复"}), 201)
    refused(await fire(world, reporter, item, "close"), "guard_refused", guard="four_eyes")
    ok(await people["town"].post(f"/v1/items/{item['id']}/progress", json={"text": "现场督导"}), 201)
    item = ok(await fire(world, people["town"], item, "close"))
    ok(await fire(world, both, item, "reopen"))
    ok(await fire(world, people["village"], item, "claim"))
    ok(await fire(world, both, item, "close"))


async def test_a_ledger_may_ask_for_evidence_and_waive_four_eyes(world):
    policy = {"closure": {"min_evidence": 1, "four_eyes": False}}
    ok(await world.admin.post("/v1/ledgers", json={"code": "evidence", "name": "要佐证", "policy": policy}), 201)
    item = await world.item(ledger="evidence")
    ok(await fire(world, world.admin, item, "claim"))
    problem = refused(await fire(world, world.admin, item, "close"), "guard_refused", guard="evidence")
    assert (problem["needed"], problem["present"]) == (1, 0)


async def test_an_unclaimed_item_resumes_only_with_a_signature_which_becomes_the_claim(world, people):
    item = await world.item()
    item = ok(await fire(world, people["town"], item, "escalate"))
    ok(await record(people["town"], item))
    answer = await world.fire(people["town"], item["id"], "resume", due_on=day(20))
    refused(answer, "guard_refused", guard="signature")
    resumed = ok(await fire(world, people["town"], item, "resume"))
    assert (resumed["state"], resumed["claim"]["signed_by"]) == ("rectifying", "张三")


async def test_a_resume_far_beyond_the_budget_needs_the_higher_level(world, people):
    item = await in_state(world, "escalated")
    ok(await record(people["town"], item))
    refused(await fire(world, people["town"], item, "resume", due_on=day(61)), "forbidden")
    ok(await fire(world, people["county"], item, "resume", due_on=day(61)))


# -- transfers


async def test_a_transfer_moves_who_sees_the_item_and_its_past(world, people):
    item = await in_state(world, "rectifying")
    receiver = await world.person("responsible", "t2v1")
    refused(await receiver.get(f"/v1/items/{item['id']}"), "not_found")
    moved = ok(await fire(world, people["county"], item, "transfer", responsible_unit="t2v1", due_on=day(40)))
    assert (moved["supervising_unit_id"], moved["deadline"]["due_on"]) == (world.units["t2"], day(40))
    assert (moved["state"], moved["claim"], moved["extension_count"]) == ("open", None, 0)
    for client in (people["village"], people["town"]):
        refused(await client.get(f"/v1/items/{item['id']}"), "not_found")
        assert item["id"] not in await ids(client, limit=200)
    assert item["id"] in await ids(receiver) and item["id"] in await ids(people["county"], limit=200)
    assert len(await every_page(receiver, f"/v1/items/{item['id']}/events")) == 3
    ok(await fire(world, receiver, item, "claim"))


async def test_an_explicit_supervising_unit_stays_on_transfer_unless_another_is_given(world, people):
    item = await world.item(supervising_unit="d1")
    item = ok(await fire(world, world.admin, item, "transfer", responsible_unit="t2v1"))
    assert (item["supervising_unit_id"], item["supervising_defaulted"]) == (world.units["d1"], False)
    item = ok(await fire(world, world.admin, item, "transfer", responsible_unit="t1v1", supervising_unit="root"))
    assert item["supervising_unit_id"] == world.units["root"]
    refused(await fire(world, people["town"], item, "transfer"), "forbidden")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"responsible_unit": "nowhere"}, "/responsible_unit"),
        ({"responsible_unit": None, "responsible_unit_id": NOBODY}, "/responsible_unit_id"),
        ({"supervising_unit": "nowhere"}, "/supervising_unit"),
        ({"supervising_unit": "root"}, "/supervising_unit"),
    ],
)
async def test_a_unit_that_a_transfer_cannot_name_is_pointed_at(world, people, given, pointer):
    answer = await fire(world, people["town"], await world.item(), "transfer", **given)
    refused(answer, "invalid_request", (pointer, "unknown_reference"))


# -- annulling


async def test_a_duplicate_names_another_item_that_is_neither_annulled_nor_a_duplicate(world, people):
    original, twin, void = [await world.item() for _ in range(3)]
    ok(await fire(world, people["town"], void, "annul"))
    for target in (twin, void):
        answer = await fire(world, people["town"], twin, "annul", duplicate_of=target["id"])
        refused(answer, "guard_refused", guard="duplicate_target")
    foreign = await world.item(responsible_unit="t2v1")
    for unknown in (NOBODY, foreign["id"]):
        answer = await fire(world, people["town"], twin, "annul", duplicate_of=unknown)
        refused(answer, "invalid_request", ("/duplicate_of", "unknown_reference"))
    done = ok(await fire(world, people["town"], twin, "annul", duplicate_of=original["id"]))
    assert (done["resolution"], done["duplicate_of"]) == ("duplicate", original["id"])
    chained = await fire(world, people["town"], original, "annul", duplicate_of=twin["id"])
    refused(chained, "guard_refused", guard="duplicate_target")


async def test_two_items_are_not_made_duplicates_of_each_other_at_once(world, people):
    one, two = await world.item(), await world.item()
    answers = await asyncio.gather(
        fire(world, people["town"], one, "annul", duplicate_of=two["id"]),
        fire(world, people["county"], two, "annul", duplicate_of=one["id"]),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize("why", ["overdue", "escalated", "unclaimed"])
async def test_a_late_item_is_annulled_only_by_another_person_a_level_higher(world, people, why):
    lister = people["county"]
    given = {"overdue": {"due_on": day(-1)}, "unclaimed": {"listed_at": "2026-01-05T00:00:00Z", "due_on": day(9)}}
    item = await world.item(lister, **given.get(why, {}))
    if why == "escalated":
        item = ok(await fire(world, people["town"], item, "escalate"))
    refused(await fire(world, lister, item, "annul"), "guard_refused", guard="annul_by_other")
    refused(await fire(world, people["town"], item, "annul"), "guard_refused", guard="annul_by_higher")
    done = ok(await fire(world, world.admin, item, "annul"))
    assert (done["resolution"], done["closed_days_late"]) == ("annulled", None)
    if why == "escalated":
        talk = await read(world.admin, f"/v1/interviews/{item['interview_id']}")
        assert talk["state"] == "cancelled"


async def test_an_item_in_time_is_annulled_by_its_lister(world, people):
    ok(await fire(world, people["town"], await world.item(people["town"]), "annul"))


# -- interviews


async def test_the_minutes_are_read_by_those_concerned_only(world, people):
    item = await in_state(world, "escalated", co_units=["t2v1"])
    ok(await record(people["town"], item))
    url = f"/v1/interviews/{item['interview_id']}"
    eyes = {
        ("admin", "root"): True, ("auditor", "root"): True, ("supervisor", "t1"): True, ("responsible", "t1v1"): True,
        ("viewer", "t1"): False, ("platform", "t1"): False, ("responsible", "t2v1"): False,
        ("supervisor", "t1v1"): False,
    }  # fmt: skip
    for (role, unit), reads in eyes.items():
        client = await world.person(role, unit)
        alone = await read(client, url)
        (listed,) = [row for row in await every_page(client, "/v1/interviews") if row["id"] == alone["id"]]
        assert alone == listed
        assert (alone["minutes"] is not None, bool(alone["attendees"])) == (reads, reads), (role, unit)
        assert alone["held_on"] == day(0)
        events = await client.get(f"/v1/items/{item['id']}/events")
        assert MINUTES["minutes"] not in events.text and "王强" not in events.text
    refused(await (await world.person("viewer", "t2v1")).get(f"/v1/interviews/{NOBODY}"), "not_found")
    refused(await (await world.person("viewer", "t1v2")).get(url), "not_found")


async def test_a_talk_is_recorded_by_the_supervising_side_and_not_for_the_future(world, people):
    item = await in_state(world, "escalated")
    refused(await record(people["village"], item), "forbidden")
    refused(await record(await world.person("supervisor", "t2"), item), "not_found")
    refused(await record(people["town"], {"interview_id": NOBODY}), "not_found")
    refused(await record(people["town"], item, held_on=day(1)), "invalid_request", ("/held_on", "in_future"))
    refused(await record(people["town"], item, attendees=[]), "invalid_request", ("/attendees", "too_short"))
    refused(
        await record(people["town"], item, attendees=["a", "b\n"]), "invalid_request", ("/attendees/1", "bad_format")
    )
    ok(await record(people["town"], item))


async def test_of_simultaneous_records_of_one_talk_one_is_kept(world, people):
    item = await in_state(world, "escalated")
    answers = await asyncio.gather(
        *(record(client, item, minutes=f"纪要 {n}") for n, client in enumerate((people["town"], people["county"]) * 3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    (kept,) = [answer.json()["minutes"] for answer in answers if answer.is_success]
    assert (await read(people["town"], f"/v1/interviews/{item['interview_id']}"))["minutes"] == kept
    events = await every_page(people["town"], f"/v1/items/{item['id']}/events")
    assert [event["type"] for event in events].count("interview.recorded") == 1


async def test_closing_with_a_waiver_cancels_the_talk(world, people):
    item = await in_state(world, "escalated")
    ok(await fire(world, people["town"], item, "close"))
    assert (await read(world.admin, f"/v1/interviews/{item['interview_id']}"))["state"] == "cancelled"
    refused(await record(people["town"], item), "guard_refused", guard="interview_pending")


async def test_interviews_are_listed_newest_first_by_state_and_page(world, people):
    items = [await in_state(world, "escalated") for _ in range(4)]
    ok(await record(people["town"], items[0]))
    pending = [row["id"] for row in await every_page(people["town"], "/v1/interviews", state="pending", limit=2)]
    assert pending[:3] == [item["interview_id"] for item in reversed(items[1:])]
    recorded = [row["id"] for row in await every_page(people["town"], "/v1/interviews", state="recorded")]
    assert items[0]["interview_id"] in recorded and not set(recorded) & set(pending)
    assert len(set(pending)) == len(pending)
    both = await every_page(people["town"], "/v1/interviews", state=["pending", "recorded"], limit=3)
    assert sorted(row["id"] for row in both) == sorted(pending + recorded)


async def test_every_trigger_counts_exactly_one_version(world, people):
    item = await world.item()
    for version, trigger in zip(itertools.count(2), ("claim", "extend", "transfer", "annul"), strict=False):
        client = people["village"] if trigger == "claim" else people["town"]
        answer = await client.post(
            f"/v1/items/{item['id']}/transitions", json={"trigger": trigger, **INPUT[trigger]}, headers=match(item)
        )
        item = ok(answer)
        assert item["version"] == version
