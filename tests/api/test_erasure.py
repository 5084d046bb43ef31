"""Lawful erasure: the words are found nowhere any more, all else stays, and every proof holds."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.actions import audit, erasure
from service.outside.vault import verifier
from service.settings import Settings
from service.workers import sequencer
from service.workflow import notes, receipts
from service.workflow.erasure import ERASED, FACTS, Erasable
from service.workflow.signers import Signers
from tests.api.helpers import day, match, ok, read, refused
from tests.api.lives import Life
from tests.api.stored import places, stored
from tests.world import World

SEARCH = ("search_words_data", "search_texts")


@pytest.fixture
async def life(world: World) -> Life:
    lived = await Life.lived(world)
    await sequencer.run_until_done(world.service)
    return lived


async def tenant_of(world: World) -> UUID:
    return UUID((await read(world.admin, "/v1/me"))["tenant_id"])


async def whole(world: World) -> None:
    await sequencer.run_until_done(world.service)
    _, faults = await audit.check(world.service, await tenant_of(world))
    assert faults == []


def erased_in(event: dict[str, Any]) -> set[str]:
    data, nested = event["data"], ("changes", "verification", "attachment_names")
    flat = {name: value for name, value in data.items() if name not in nested}
    for outer in nested:
        flat |= {f"{outer}/{name}": value for name, value in data.get(outer, {}).items()}
    return {path for path, value in flat.items() if value == {"erased": True}}


@pytest.mark.parametrize("field", Erasable)
async def test_what_is_erased_is_found_nowhere_and_nothing_else_is_gone(
    world: World, settings: Settings, life: Life, field: Erasable
) -> None:
    before = await stored(settings)
    assert life.words.keys() == set(Erasable)
    assert all(places(before, each) for said in life.words.values() for each in said)

    changed = ok(await life.redact(field, **{"Idempotency-Key": f"erase-{life.item['id']}"}))

    after = await stored(settings)
    gone = life.words[field] if field != Erasable.ACTORS else []
    assert [each for each in gone if places(after, each)] == []
    in_index = "\n".join(after.get(name, "") for name in SEARCH)
    assert not set("".join(gone)) & set(in_index), "the pairs of characters of the search index"
    kept = [each for other, said in life.words.items() if other != field for each in said]
    assert [each for each in kept if not places(after, each)] == []
    assert changed["version"] == life.item["version"] + 1
    await whole(world)
    last = (await life.history())[-1]
    files = last["data"].pop("attachment_ids", [])
    assert (last["type"], last["data"]) == ("item.redacted", {"fields": [field], "reason": "当事人申请"})
    assert len(files) == (3 if field == Erasable.ATTACHMENTS else 0)


async def test_the_names_of_those_who_did_it_go_from_the_items_record_and_stay_with_the_principals(
    world: World, settings: Settings, life: Life
) -> None:
    ok(await life.redact("actors"))

    (name,) = life.words[Erasable.ACTORS]
    assert places(await stored(settings), name) & {"progress", "requests", "idempotency", "notices"} == set()
    history = await life.history()
    assert {event["actor"]["name"] for event in history[:-1]} == {None}
    assert all(event["actor"]["principal_id"] for event in history)
    (entry,) = (await read(world.admin, f"{life.url}/progress"))["items"]
    assert (entry["name"], entry["text"]) == (ERASED, life.words[Erasable.PROGRESS][0])


async def test_everything_at_once_leaves_nothing_beside_the_items_events(
    world: World, settings: Settings, life: Life
) -> None:
    """A text that no field names would be one that nobody could ever erase."""
    shown = ok(await life.redact(*Erasable))

    after = await stored(settings)
    assert [each for field in FACTS for each in life.words[field] if places(after, each)] == []
    for event in (await life.history())[:-1]:
        assert "value" not in json.dumps(event["data"])
        texts = {name for name, value in event["data"].items() if isinstance(value, str) and value.startswith("（")}
        assert not texts
    assert shown["title"] == ERASED
    assert {shown[name] for name in ("description", "category", "external_ref", "goal", "measures")} == {None}
    assert (shown["labels"], shown["attributes"], shown["claim"]["signed_by"]) == ([], {}, None)
    assert (shown["source"]["ref"], shown["deadline"]["text"]) == (None, None)
    assert shown["source"]["contact"] == "匿名"
    await whole(world)
    again = await life.redact(*Erasable)
    # What the first erasure said of itself is a reason, and its name an actor's: those two can be erased as well.
    assert ok(again)["version"] == shown["version"] + 1


async def test_the_history_and_the_feed_say_where_a_text_stood(world: World, life: Life) -> None:
    ok(await life.redact("title", "progress", "interviews", "requests"))
    await sequencer.run_until_done(world.service)

    history = await life.history()

    assert erased_in(history[0]) == {"title"}
    assert {(event["type"], path) for event in history for path in erased_in(event)} == {
        ("item.created", "title"), ("item.updated", "changes/title"), ("item.progressed", "text"),
        ("request.submitted", "reason"), ("request.returned", "reason"), ("item.extended", "reason"),
        ("interview.scheduled", "place"),
    }  # fmt: skip
    feed: list[Any] = []
    after = 0
    while page := (await read(world.admin, "/v1/events", after=after, limit=200))["items"]:
        feed += page
        after = page[-1]["position"]
    assert [event for event in feed if event["item_id"] == life.item["id"]] == history
    for talk in [each for each in history if each["type"] == "interview.recorded"]:
        kept = await read(world.admin, f"/v1/interviews/{talk['data']['interview_id']}")
        assert (kept["state"], kept["minutes"], kept["attendees"], kept["place"]) == ("recorded", None, [], None)
        assert kept["held_on"] == talk["data"]["held_on"] == day(0)


async def test_every_proof_is_the_same_as_before_and_earlier_checkpoints_hold(world: World, life: Life) -> None:
    key = notes.parse_key((await world.admin.get("/v1/log/key")).text.strip())
    note = (await world.admin.get("/v1/log/checkpoint")).text
    kept = Signers(key, verifier).checkpoint(note)
    positions = [event["position"] for event in await life.history()]

    async def proofs() -> list[Any]:
        path = "/v1/log/proof/inclusion"
        return [await read(world.admin, path, position=each, size=kept.size) for each in positions]

    async def given() -> list[dict[str, Any]]:
        return [await read(world.admin, "/v1/log/receipt", position=each) for each in positions]

    before, old = await proofs(), await given()
    ok(await life.redact(*Erasable))

    assert await proofs() == before
    for receipt, was in zip(await given(), old, strict=True):
        assert receipt["body"] == was["body"]
        assert receipt["beside"] == {}
        assert receipts.check(receipts.Receipt.parse(receipt), Signers(key, verifier))
        assert receipts.check(receipts.Receipt.parse(was), Signers(key, verifier))
    for _ in ("while what tells of it has no position yet", "when it has"):
        _, faults = await audit.check(world.service, await tenant_of(world), (note,))
        assert faults == []
        await sequencer.run_until_done(world.service)


async def test_a_notice_is_erased_in_the_record_of_every_item_that_it_covers(
    world: World, settings: Settings, life: Life
) -> None:
    twin = f"/v1/items/{life.twin['id']}"
    before = (await read(world.admin, twin))["version"]

    ok(await life.redact("notices"))

    told = [
        each for each in (await read(world.admin, f"{twin}/events", limit=200))["items"] if "notice" in each["type"]
    ]
    texts = [each["data"]["text"] for each in told if "text" in each["data"]]
    assert texts == [{"erased": True}] * 2
    for notice in (await read(world.admin, "/v1/notices", item_id=life.item["id"]))["items"]:
        assert notice["text"] is None
    assert (await read(world.admin, twin))["version"] == before, "nothing of the other item has changed"
    assert (await life.history())[-1]["type"] == "item.redacted"


async def test_what_was_erased_can_be_said_anew_and_erased_again(world: World, life: Life) -> None:
    item = ok(await life.redact("title"))
    item = ok(await world.admin.patch(life.url, json={"title": "新的标题"}, headers=match(item)))
    assert item["title"] == "新的标题"
    assert (await read(world.admin, "/v1/items", q="新的标题"))["items"]
    item = ok(await life.redact("title"))
    assert item["title"] == ERASED
    assert (await read(world.admin, "/v1/items", q="新的标题"))["items"] == []
    assert {each["title"] for each in (await read(world.admin, "/v1/items", q="已依法删除"))["items"]} >= {ERASED}
    await whole(world)


async def test_where_nothing_is_left_nothing_is_written(world: World, life: Life) -> None:
    item = ok(await life.redact("title", "interviews"))
    count = len(await life.history())
    again = await life.redact("interviews", "title")
    assert ok(again) == item
    assert again.headers["etag"] == f'"{item["version"]}"'
    assert len(await life.history()) == count


# -- who, and how


async def test_it_is_for_admins(world: World, life: Life) -> None:
    for role in ("supervisor", "responsible", "platform", "viewer", "auditor"):
        person = await world.person(role)
        assert (
            "admin"
            in refused(await life.redact("title", by=person, **{"Accept-Language": "en"}), "forbidden")["detail"]
        )
        refused(await person.delete(f"{life.url}/contact"), "forbidden")
    refused(await life.redact("title", by=await world.tenant(f"other-{life.item['id']}")), "not_found")
    assert life.item == await read(world.admin, life.url)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"fields": [], "reason": "x"}, ("/fields", "too_short")),
        ({"fields": ["contact"], "reason": "x"}, ("/fields/0", "not_allowed")),
        ({"fields": ["title", "title"], "reason": "x"}, ("/fields", "repeated")),
        ({"fields": ["title"]}, ("/reason", "missing")),
        ({"fields": ["title"], "reason": " "}, ("/reason", "bad_format")),
        ({"fields": ["title"], "reason": "x", "all": True}, ("/all", "unknown_field")),
    ],
)
async def test_what_is_no_order_is_refused(world: World, body: dict[str, Any], error: tuple[str, str]) -> None:
    item = await world.item()
    refused(await world.admin.post(f"/v1/items/{item['id']}/redactions", json=body), "invalid_request", error)


async def test_a_stale_version_is_refused_and_a_key_gives_the_first_answer_again(world: World) -> None:
    item = await world.item(description="某某的电话")
    url, body = f"/v1/items/{item['id']}/redactions", {"fields": ["description"], "reason": "申请"}
    refused(await world.admin.post(url, json=body, headers={"If-Match": '"9"'}), "stale_version")
    refused(await world.admin.delete(f"/v1/items/{item['id']}/contact", headers={"If-Match": '"9"'}), "stale_version")
    headers = {"Idempotency-Key": "erase-once", **match(item)}
    first = await world.admin.post(url, json=body, headers=headers)
    ok(await world.admin.patch(f"/v1/items/{item['id']}", json={"title": "另"}, headers=match(first.json())))
    again = await world.admin.post(url, json=body, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again) == ok(first)


async def test_who_complained_is_erased_by_a_call_of_its_own(world: World) -> None:
    item = await world.item(source={"kind": "petition", "contact": "举报人钱守义"})
    url = f"/v1/items/{item['id']}"
    supervisor = await world.person("supervisor", "t1")
    assert (await read(supervisor, url))["source"]["contact"] == "举报人钱守义"

    assert (await world.admin.delete(f"{url}/contact")).status_code == 204

    after = await read(supervisor, url)
    assert (after["source"], after["version"]) == ({**item["source"], "contact": None}, 2)
    last = (await read(world.admin, f"{url}/events"))["items"][-1]
    assert (last["type"], last["data"]) == ("item.redacted", {"fields": ["contact"], "reason": None})
    assert (await world.admin.delete(f"{url}/contact")).status_code == 204
    assert await read(supervisor, url) == after, "nothing to erase is no change"
    await whole(world)


# -- at the same time


async def test_two_erasures_at_once_both_happen_and_none_brings_back_what_the_other_took(
    world: World, settings: Settings, life: Life
) -> None:
    answers = await asyncio.gather(
        life.redact("title", "notices"), life.redact("title", "progress"), life.redact("notices", "signatures")
    )
    assert [answer.status_code for answer in answers] == [200] * 3
    after = await stored(settings)
    gone = ("title", "notices", "progress", "signatures")
    assert [each for field in gone for each in life.words[Erasable(field)] if places(after, each)] == []
    versions = [event["item_version"] for event in await life.history() if event["type"].startswith("item.")]
    assert versions == list(range(1, len(versions) + 1))
    await whole(world)


async def test_the_same_erasure_twice_at_once_is_written_down_once(world: World, life: Life) -> None:
    answers = await asyncio.gather(*(life.redact("title") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [event["type"] for event in await life.history()].count("item.redacted") == 1


@pytest.mark.parametrize("round_", range(5))
async def test_a_correction_at_the_same_time_does_not_bring_the_text_back(
    world: World, settings: Settings, round_: int
) -> None:
    item = await world.item(title=f"原来的标题{round_}姓名")
    url = f"/v1/items/{item['id']}"
    body = {"fields": ["title"], "reason": "申请"}
    patched, erased = await asyncio.gather(
        world.admin.patch(url, json={"title": f"改后的标题{round_}"}, headers=match(item)),
        world.admin.post(f"{url}/redactions", json=body),
    )
    ok(erased)
    assert patched.status_code in (200, 412)
    assert places(await stored(settings), f"原来的标题{round_}姓名") == set()
    history = (await read(world.admin, f"{url}/events"))["items"]
    assert [event["item_version"] for event in history] == list(range(1, len(history) + 1))
    assert (await read(world.admin, url))["title"] == ERASED
    await whole(world)


Rival = Callable[[Life], Awaitable[httpx.Response]]


async def of_the_twin(life: Life) -> httpx.Response:
    """Its history tells of the same notices: so this one's loses the names of those who issued and signed."""
    body = {"fields": ["notices", "actors"], "reason": "申请"}
    return await life.world.admin.post(f"/v1/items/{life.twin['id']}/redactions", json=body)


async def of_the_same(life: Life) -> httpx.Response:
    return await life.redact("notices", "reasons")


async def a_correction(life: Life) -> httpx.Response:
    return await life.world.admin.patch(life.url, json={"title": life.say(Erasable.TITLE)}, headers=match(life.item))


async def a_cancelled_notice(life: Life) -> httpx.Response:
    """Whoever cancels a notice stores all of it again."""
    (first,) = [
        each
        for each in (await read(life.world.admin, "/v1/notices", item_id=life.item["id"], kind="urging"))["items"]
        if each["state"] == "issued"
    ]
    return await life.town.post(f"/v1/notices/{first['id']}/cancel", json={"reason": life.say(Erasable.NOTICES)})


RIVALS: dict[str, tuple[Rival, tuple[Erasable, ...]]] = {
    "an erasure of another item": (of_the_twin, (Erasable.NOTICES,)),
    "an erasure of the same item": (of_the_same, (Erasable.NOTICES, Erasable.REASONS)),
    "a correction": (a_correction, ()),
    "a cancelled notice": (a_cancelled_notice, ()),
}


@pytest.mark.parametrize("name", RIVALS)
async def test_what_another_wrote_between_its_reading_and_its_writing_is_read_again(
    world: World, settings: Settings, kind: str, life: Life, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if kind == "sqlite":
        pytest.skip("one writer: nothing is written between its reading and its writing")
    rival, rivals = RIVALS[name]
    has_read, go_on = asyncio.Event(), asyncio.Event()
    gather = erasure._gather

    async def slowly(*arguments: Any) -> Any:
        found = await gather(*arguments)
        if not has_read.is_set():
            has_read.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(erasure, "_gather", slowly)
    fields = [Erasable.TITLE, Erasable.SIGNATURES, *([Erasable.NOTICES] if not rivals else [])]
    erasing = asyncio.create_task(life.redact(*fields))
    await has_read.wait()
    assert (await rival(life)).is_success
    go_on.set()
    ok(await erasing)

    after = await stored(settings)
    assert [each for field in (*fields, *rivals) for each in life.words[field] if places(after, each)] == []
    if rival is of_the_twin:
        told = [event for event in await life.history() if event["data"].get("kind") == "urging"]
        assert {event["actor"]["name"] for event in told} == {None}
    await whole(world)
