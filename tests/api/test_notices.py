"""Notices over HTTP: issued by hand, signed for, cancelled; who sees them, and how they are listed."""

import pytest

from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.api.office import VERIFIED, on

KINDS = {"reminder": None, "urging": "催", "supervision": "督", "warning": "告", "circular": "通"}


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


def send(office, *items, by=None, **given):
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [each["id"] for each in items], **given}
    return (by or office.town).post("/v1/notices", json=body)


async def notice(office, *items, **given):
    """About these items, or about a new one."""
    return ok(await send(office, *(items or [await office.claimed()]), **given), 201)


def sign(office, sent, by=None):
    return (by or office.village).post(f"/v1/notices/{sent['id']}/receipt", json={"signed_by": "张伟"})


def cancel(office, sent, by=None):
    return (by or office.town).post(f"/v1/notices/{sent['id']}/cancel", json={"reason": "误发"})


# -- by hand


@pytest.mark.parametrize("what", KINDS)
async def test_a_supervisor_issues_a_notice_of_each_kind(office, what):
    ledger = await office.ledger(receipt_within=3, reply_within=4)
    item, other = [await office.claimed(ledger=ledger) for _ in range(2)]
    answer = await send(office, item, other, kind=what, text="请抓紧整改。")
    sent, me = ok(answer, 201), await read(office.town, "/v1/me")
    reminder = what == "reminder"
    assert sent == {
        "id": sent["id"], "number": None if reminder else f"{ledger}{KINDS[what]}〔2026〕1号", "kind": what,
        "state": "issued", "ledger_id": item["ledger_id"], "unit_id": office.units["t1v1"],
        "supervising_unit_id": office.units["t1"], "copy_unit_ids": [], "item_ids": [item["id"], other["id"]],
        "rungs": [], "text": "请抓紧整改。", "issued_by": me["principal_id"], "issuer": me["name"],
        "created_at": "2026-03-02T02:00:00Z", "issued_at": "2026-03-02T02:00:00Z", "reply_by": on("03-06"),
        "receipt_due": None if reminder else on("03-05"), "receipt": None, "cancelled_at": None, "cancel_reason": None,
    }  # fmt: skip
    assert answer.headers["location"] == f"/v1/notices/{sent['id']}"
    assert await read(office.village, answer.headers["location"]) == sent
    for each in (item, other):
        (told,) = await office.events(each, "notice.issued")
        assert (told["data"]["notice_id"], told["data"]["items"]) == (sent["id"], 2)
        assert told["item_version"] == each["version"] == (await office.look(each))["version"]
        assert await office.notices(each) == [sent]
    if reminder:
        refused(await sign(office, sent), "guard_refused", guard="awaits_receipt")
    else:
        assert ok(await sign(office, sent))["receipt"]["signed_by"] == "张伟"


async def test_what_a_person_says_goes_before_the_policy(office):
    sent = await notice(office, reply_by=on("03-02"), unit="t1v1", text=None, copy_unit_ids=[office.units["t1v2"]])
    assert (sent["reply_by"], sent["copy_unit_ids"]) == (on("03-02"), [office.units["t1v2"]])
    sent = await notice(office, copy_unit_ids=[office.units["t1v1"]])
    assert sent["copy_unit_ids"] == [], "the unit has the notice itself"


async def test_a_notice_is_about_open_items_of_one_unit(office):
    item = await office.claimed()
    ledger = await office.ledger()
    elsewhere = await office.item(responsible_unit="t1v2")
    higher = await office.item(supervising_unit="root")
    for other, pointer, code in (
        (await office.claimed(ledger=ledger), "/item_ids/1", "other_ledger"),
        (await office.fire(office.town, await office.claimed(), "close", verification=VERIFIED), "/item_ids/1",
         "closed_item"),
        (elsewhere, "/item_ids/1", "other_unit"),
        (higher, "/item_ids/1", "other_unit"),
        ({"id": NOBODY}, "/item_ids/1", "unknown_reference"),
    ):  # fmt: skip
        answer = await send(office, item, other, by=office.county)
        refused(answer, "invalid_request", (pointer, code))
    refused(await send(office, elsewhere), "invalid_request", ("/item_ids/0", "other_unit"))
    refused(await send(office, item, unit="nowhere"), "invalid_request", ("/unit", "unknown_reference"))
    refused(
        await send(office, item, copy_unit_ids=[NOBODY]), "invalid_request", ("/copy_unit_ids/0", "unknown_reference")
    )
    assert await office.notices(item) == [], "all or nothing"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "interview"}, ("/kind", "not_allowed")),
        ({"item_ids": []}, ("/item_ids", "too_short")),
        ({"item_ids": [NOBODY] * 2}, ("/item_ids", "repeated")),
        ({"unit": None}, ("/unit_id", "missing")),
        ({"reply_by": on("03-01")}, ("/reply_by", "in_past")),
        ({"text": ""}, ("/text", "too_short")),
        ({"number": "我的1号"}, ("/number", "unknown_field")),
    ],
)
async def test_a_notice_of_another_shape_is_refused(office, given, error):
    item = await office.claimed()
    refused(await send(office, **{"item_ids": [item["id"]], **given}), "invalid_request", error)


@pytest.mark.parametrize(
    ("role", "unit", "code"),
    [("responsible", "t1v1", "forbidden"), ("responsible", "root", "forbidden"), ("supervisor", "t1v1", "forbidden"),
     ("viewer", "t1", "forbidden"), ("platform", "root", "forbidden"), ("auditor", "root", "forbidden")],
)  # fmt: skip
async def test_only_the_supervising_side_issues_and_cancels(office, role, unit, code):
    client, item = await office.person(role, unit), await office.claimed()
    refused(await send(office, item, by=client), code)
    sent = await notice(office, item)
    refused(await cancel(office, sent, client), code)
    refused(await client.post(f"/v1/notices/{sent['id']}/issue", json={}), code)
    stranger = await office.person("supervisor", "t2")
    refused(await send(office, item, by=stranger), "invalid_request", ("/item_ids/0", "unknown_reference"))
    refused(await cancel(office, sent, stranger), "not_found")


# -- the receipt


async def test_the_unit_signs_once(office):
    item = await office.claimed()
    sent = await notice(office, item)
    for role, unit in (("supervisor", "t1"), ("viewer", "t1v1"), ("platform", "root"), ("auditor", "root")):
        refused(await sign(office, sent, await office.person(role, unit)), "forbidden")
    refused(await sign(office, sent, await office.person("responsible", "t1v2")), "not_found")
    office.at("03-03")
    signed, me = ok(await sign(office, sent)), await read(office.village, "/v1/me")
    receipt = {"signed_by": "张伟", "at": "2026-03-03T02:00:00Z", "principal_id": me["principal_id"]}
    assert signed == {**sent, "receipt": receipt}
    refused(await sign(office, sent, office.colleague), "guard_refused", guard="awaits_receipt")
    (told,) = await office.events(item, "notice.receipted")
    assert (told["data"]["notice_id"], told["data"]["signed_by"]) == (sent["id"], "张伟")
    assert told["actor"]["principal_id"] == me["principal_id"]


async def test_those_who_have_a_copy_do_not_sign(office):
    """A helper's unit sees the notice through its item, a copy's unit by its copy."""
    item = await office.claimed(co_units=["t2v1"])
    sent = await notice(office, item, kind="circular", copy_unit_ids=[office.units["t2"]], by=office.county)
    for unit in ("t2v1", "t2"):
        client = await office.person("responsible", unit)
        assert await read(client, f"/v1/notices/{sent['id']}")
        refused(await sign(office, sent, client), "forbidden")


# -- cancelled


@pytest.mark.parametrize("signed", [False, True])
async def test_a_cancelled_notice_keeps_its_number(office, signed):
    ledger = await office.ledger()
    item = await office.claimed(ledger=ledger)
    first = await notice(office, item)
    if signed:
        first = ok(await sign(office, first))
    cancelled = ok(await cancel(office, first))
    assert cancelled == first | {
        "state": "cancelled", "cancelled_at": "2026-03-02T02:00:00Z", "cancel_reason": "误发"
    }  # fmt: skip
    refused(await cancel(office, first), "guard_refused", guard="notice_cancelled")
    refused(await sign(office, first), "guard_refused", guard="awaits_receipt")
    refused(await office.town.post(f"/v1/notices/{first['id']}/issue", json={}), "guard_refused", guard="notice_draft")
    assert (await notice(office, item))["number"] == f"{ledger}催〔2026〕2号"
    (told,) = await office.events(item, "notice.cancelled")
    assert (told["data"]["number"], told["data"]["reason"]) == (first["number"], "误发")


async def test_an_escalation_by_hand_brings_its_summons(office):
    ledger = await office.ledger()
    item = await office.fire(office.town, await office.claimed(ledger=ledger), "escalate", reason="久拖不决")
    (summons,) = await office.notices(item)
    assert (summons["kind"], summons["number"], summons["rungs"]) == ("interview", f"{ledger}约〔2026〕1号", [])
    talk = await read(office.town, f"/v1/interviews/{item['interview_id']}")
    assert talk["notice_id"] == summons["id"]
    ok(await sign(office, summons))


# -- who sees it


async def test_a_notice_is_seen_by_its_units_and_through_its_items(office):
    ledger = await office.ledger()
    kept, moved = [await office.claimed(ledger=ledger) for _ in range(2)]
    sent = await notice(office, kept, moved)
    people = {unit: await office.person("viewer", unit) for unit in ("root", "t1", "t1v1", "t1v2", "t2", "t2v1", "d1")}
    url = f"/v1/notices/{sent['id']}"

    async def seen():
        found = {}
        for unit, client in people.items():
            answer = await client.get(url)
            found[unit] = ok(answer)["item_ids"] if answer.is_success else refused(answer, "not_found")["status"]
            listed = [row for row in await every_page(client, "/v1/notices", limit=200) if row["id"] == sent["id"]]
            if listed:
                assert listed == [answer.json()]
        return found

    both = [kept["id"], moved["id"]]
    assert await seen() == {"root": both, "t1": both, "t1v1": both} | dict.fromkeys(("t1v2", "t2", "t2v1", "d1"), 404)
    await office.fire(office.county, moved, "transfer", responsible_unit="t2v1", reason="属地有误")
    assert await seen() == {
        "root": both, "t1": both, "t1v1": both, "t1v2": 404, "t2": [moved["id"]], "t2v1": [moved["id"]], "d1": 404
    }  # fmt: skip
    for unit in ("t2", "t2v1"):
        (row,) = await every_page(people[unit], "/v1/notices", item_id=moved["id"])
        assert row == await read(people[unit], url)
        refused(await people[unit].get("/v1/notices", params={"item_id": kept["id"]}), "not_found")
    refused(await sign(office, sent, await office.person("responsible", "t2v1")), "forbidden")
    ok(await sign(office, sent)), "it is still addressed to the village"


async def test_a_replay_shows_no_more_than_is_seen_now(office):
    """Who issued it and now stands elsewhere sees it through one item: the first answer named the other one, too."""
    kept, moved = [await office.claimed() for _ in range(2)]
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [kept["id"], moved["id"]]}
    key, client = {"Idempotency-Key": f"issue-{kept['id']}"}, await office.person("supervisor", "t1")
    first = ok(await client.post("/v1/notices", json=body, headers=key), 201)
    await office.fire(office.county, moved, "transfer", responsible_unit="t2v1", reason="属地有误")
    me = (await read(client, "/v1/me"))["principal_id"]
    (grant,) = await every_page(office.admin, f"/v1/principals/{me}/grants")
    await office.admin.delete(f"/v1/principals/{me}/grants/{grant['id']}")
    ok(await office.admin.post(f"/v1/principals/{me}/grants", json={"role": "viewer", "unit": "t2"}), 201)
    office.world.app.state.doorkeeper.forget_everyone()
    assert (await read(client, f"/v1/notices/{first['id']}"))["item_ids"] == [moved["id"]]
    refused(await client.post("/v1/notices", json=body, headers=key), "not_found")


async def test_a_circular_is_read_by_those_who_have_a_copy(office):
    sent = await notice(office, kind="circular", copy_unit_ids=[office.units[unit] for unit in ("t2v1", "d1")],
                        by=office.county)  # fmt: skip
    for unit, sees in (("t2v1", True), ("t2", True), ("d1", True), ("t1v2", False)):
        client = await office.person("viewer", unit)
        answer = await client.get(f"/v1/notices/{sent['id']}")
        listed = [row["id"] for row in await every_page(client, "/v1/notices")]
        assert (answer.status_code, sent["id"] in listed) == ((200, True) if sees else (404, False)), unit


# -- lists


async def test_notices_are_listed_newest_first_by_kind_and_state(empty_office):
    office = empty_office
    item, other = await office.claimed(), await office.claimed()
    sent = [await notice(office, each, kind=kind) for each, kind in (
        (item, "urging"), (other, "urging"), (item, "warning"), (item, "reminder"), (other, "circular"),
    )]  # fmt: skip
    ok(await cancel(office, sent[1]))
    ids = [each["id"] for each in sent]

    async def listed(**params):
        found = [each["id"] for each in await every_page(office.town, "/v1/notices", **params)]
        assert found == [each["id"] for each in await every_page(office.town, "/v1/notices", limit=1, **params)]
        return [ids.index(each) for each in found]

    assert await listed() == [4, 3, 2, 1, 0]
    assert await listed(kind="urging") == [1, 0]
    assert await listed(kind=["urging", "warning", "interview"]) == [2, 1, 0]
    assert await listed(state="cancelled") == [1]
    assert await listed(state=["issued", "draft"], kind="urging") == [0]
    assert await listed(item_id=item["id"]) == [3, 2, 0]
    assert await listed(item_id=other["id"], state="issued") == [4]
    assert await listed(state="draft") == []
    for params, pointer, code in (
        ({"kind": "letter"}, "/query/kind/0", "not_allowed"), ({"state": "signed"}, "/query/state/0", "not_allowed"),
        ({"item_id": "x"}, "/query/item_id", "bad_format"), ({"unit": "t1"}, "/query/unit", "unknown_parameter"),
    ):  # fmt: skip
        refused(await office.town.get("/v1/notices", params=params), "invalid_request", (pointer, code))
    cursor = (await read(office.town, "/v1/notices", limit=1))["next_cursor"]
    answer = await office.town.get("/v1/notices", params={"limit": 1, "kind": "urging", "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
