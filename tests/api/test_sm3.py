"""A tenant whose record is hashed with SM3 (国密): all of it, whoever writes it, and that of no other tenant."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select, update

from service.actions import audit, tenants
from service.outside.vault import verifier
from service.settings import Settings
from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.events import EventRow
from service.workers import clock, sequencer
from service.workflow import merkle, notes
from service.workflow.merkle import SHA256, SM3, Hashing
from service.workflow.signers import Signers
from tests.api.calls import Place, Side, item_at, moved, side
from tests.api.calls_clock import long_ago
from tests.api.helpers import day, ok, read, refused
from tests.cli.test_verify import xiaohao
from tests.world import World

pytestmark = pytest.mark.skipif(not SM3.available(), reason="this OpenSSL has no SM3")

events = table(EventRow)


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    """Everybody who writes has written: people, the operator, the clock, and those who give things up."""
    at = await side(world, await world.tenant("guomi", SM3))
    place = Place(at, "t1v1")
    item = await moved(place, "claim", "escalate", "record", "resume")
    ok(await at.admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已更换主管道"}), 201)
    with long_ago():
        late = await item_at(place, due_on=day(3))
        ok(await world.fire(at.hand, late["id"], "claim", signed_by="张三"))
    assert (await clock.run_until_done(world.service, datetime.now(UTC))).passed >= 1
    await _given_up(world, at)
    assert await tenants.create_key(
        world.service, tenant="guomi", principal="审计员", role="auditor", unit_code="root", now=datetime.now(UTC)
    )
    await sequencer.run_until_done(world.service)
    return at


async def _given_up(world: World, at: Side) -> None:
    """A key that is used once it is over, and a webhook whose owner may see nothing any more."""
    made = ok(await at.admin.post("/v1/principals", json={"name": "平台", "kind": "platform"}), 201)
    url = f"/v1/principals/{made['id']}"
    grant = ok(await at.admin.post(f"{url}/grants", json={"role": "platform", "unit": "root"}), 201)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    keys = [ok(await at.admin.post(f"{url}/keys", json=body), 201)["key"] for body in ({}, {"expires_at": later})]
    body = {"url": "https://hook.invalid/", "types": ["*"]}
    ok(await world.with_key(keys[0]).post("/v1/webhooks", json=body), 201)
    assert (await at.admin.delete(f"{url}/grants/{grant['id']}")).status_code == 204
    dead = ok(await at.admin.get(f"{url}/keys"))["items"][-1]
    assert (await at.admin.delete(f"{url}/keys/{dead['id']}")).status_code == 204
    refused(await world.with_key(keys[1]).get("/v1/me"), "unauthenticated")
    await sequencer.run_until_done(world.service)


async def tenant_of(at: Side) -> UUID:
    return UUID((await read(at.admin, "/v1/me"))["tenant_id"])


async def written(world: World, tenant_id: UUID) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The body of every event of a tenant, and what lies beside it."""
    every = Statement(
        select(events.c.body, events.c.beside).where(
            events.c.tenant_id == bindparam("tenant_id", type_=events.c.tenant_id.type)
        )
    )

    async def action(tx: Tx) -> list[Any]:
        return [(json.loads(bytes(body)), beside) for body, beside in await tx.all(every, tenant_id=tenant_id)]

    return await world.service.read(action)


def sealed(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and digest of every text in a body."""
    yield "actor/name", body["actor"]["name"]["sealed"]
    for key, value in body["data"].items():
        inner = value.items() if key in ("changes", "verification") else [(None, value)]
        for name, each in inner:
            if isinstance(each, dict) and each.keys() == {"sealed"}:
                yield key if name is None else f"{key}/{name}", each["sealed"]


async def test_every_text_is_sealed_by_sm3_whoever_wrote_it(world: World, home: Side) -> None:
    found = await written(world, await tenant_of(home))

    types = {body["type"] for body, _ in found}
    assert types >= {
        "item.claimed", "item.progressed", "interview.recorded", "deadline.passed", "notice.issued",
        "webhook.disabled", "access.key_refused", "access.principal_created", "unit.created",
    }  # fmt: skip
    for body, beside in found:
        paths = dict(sealed(body))
        assert paths.keys() == beside.keys()
        for path, digest in paths.items():
            said = json.dumps(beside[path]["value"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            salted = bytes.fromhex(beside[path]["salt"]) + said.encode()
            assert hashlib.new("sm3", salted).hexdigest() == digest, (body["type"], path)


async def test_the_log_is_whole_and_its_checkpoint_says_sm3(world: World, home: Side, settings: Settings) -> None:
    passing, faults = await audit.check(world.service, await tenant_of(home))
    assert (faults, passing.hashing) == ([], SM3)

    key = notes.parse_key((await home.admin.get("/v1/log/key")).text.strip())
    checkpoint = Signers(key, verifier).checkpoint((await home.admin.get("/v1/log/checkpoint")).text)
    assert checkpoint.origin == f"xiaohao/{await tenant_of(home)}/sm3"
    assert (checkpoint.size, checkpoint.root) == (passing.size, passing.root)
    for position in range(1, checkpoint.size + 1, 7):
        proof = await read(home.admin, "/v1/log/proof/inclusion", position=position)
        leaf, hashes = bytes.fromhex(proof["leaf_hash"]), [bytes.fromhex(each) for each in proof["hashes"]]
        claim = (leaf, position - 1, proof["tree_size"], hashes, checkpoint.root)
        assert merkle.verify_inclusion(SM3, *claim)
        assert not merkle.verify_inclusion(SHA256, *claim)
    status, said = xiaohao({"settings": settings}, "verify", "--tenant", "guomi")
    assert (status, said[:6]) == (0, "whole:"), said


async def test_a_receipt_of_it_is_checked_away_from_here(
    world: World, home: Side, settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text((await home.admin.get("/v1/log/key")).text)
    told = await read(home.admin, "/v1/log/receipt", position=9)
    (tmp_path / "good").write_text(json.dumps(told))
    path, text = next(iter(told["beside"].items()))
    changed = told | {"beside": told["beside"] | {path: text | {"value": "另一句"}}}
    (tmp_path / "changed").write_text(json.dumps(changed))

    def verified(name: str) -> int:
        arguments = ("verify", "--receipt", tmp_path / name, "--key", tmp_path / "key")
        return xiaohao({"settings": settings}, *arguments)[0]

    assert (verified("good"), verified("changed")) == (0, 1)
    monkeypatch.setattr(Hashing, "available", lambda self: self == SHA256)
    assert verified("good") == 2
    assert xiaohao({"settings": settings}, "verify", "--tenant", "guomi")[0] == 2


async def test_a_text_changed_in_the_database_is_found(world: World, home: Side) -> None:
    tenant_id = await tenant_of(home)
    body, beside = next(found for found in await written(world, tenant_id) if found[0]["type"] == "item.progressed")

    async def put(texts: dict[str, Any]) -> None:
        change = Statement(
            update(events)
            .where(events.c.id == bindparam("event_id", type_=events.c.id.type))
            .values(beside=bindparam("texts", type_=events.c.beside.type))
        )

        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.many(change, [{"event_id": UUID(body["id"]), "texts": texts}])
            await tx.apply(changes)

        await world.service.database.write(action)

    await put({**beside, "text": {**beside["text"], "value": "一切完好"}})
    _, faults = await audit.check(world.service, tenant_id)
    await put(beside)
    assert [fault.what for fault in faults] == ["its text text is not the one that was sealed"]
    assert (await audit.check(world.service, tenant_id))[1] == []


async def test_an_erasure_leaves_it_whole_and_other_tenants_keep_their_own(world: World, home: Side) -> None:
    item = await item_at(Place(home, "t1"), description="王某的电话")
    body = {"fields": ["title", "description", "actors"], "reason": "当事人申请"}
    ok(await home.admin.post(f"/v1/items/{item['id']}/redactions", json=body))
    ok(await home.admin.post("/v1/log/checkpoints"), 201)
    await world.item()
    await sequencer.run_until_done(world.service)
    for admin, hashing in ((home.admin, SM3), (world.admin, SHA256)):
        passing, faults = await audit.check(world.service, UUID((await read(admin, "/v1/me"))["tenant_id"]))
        assert (passing.hashing, faults) == (hashing, [])


# -- on the server itself


def test_a_tenant_is_made_with_it_by_the_command(world: World, settings: Settings) -> None:
    status, said = xiaohao({"settings": settings}, "tenant", "create", "guomi2", "--hash", "sm3")
    assert (status, said[:3]) == (0, "xh_"), said


def test_where_openssl_lacks_it_nothing_is_made(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hashing, "available", lambda self: False)
    status, said = xiaohao({"settings": settings}, "tenant", "create", "guomi3", "--hash", "sm3")
    assert (status, said.strip()) == (2, "--hash sm3: the OpenSSL of this Python does not have it")
    monkeypatch.undo()
    assert xiaohao({"settings": settings}, "verify", "--tenant", "guomi3")[0] == 2, "there is no such tenant"


def test_another_algorithm_is_refused(settings: Settings) -> None:
    assert xiaohao({"settings": settings}, "tenant", "create", "guomi4", "--hash", "md5")[0] == 2
