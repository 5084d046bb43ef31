"""`xiaohao keys`: other keys while the service runs, and nothing unreadable at any moment."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from service.actions import rekeying
from service.actions.service import Service
from service.composition import running
from service.outside import keys_file
from service.outside.keys_file import Keys, KeysUnusable
from service.outside.vault import Vault
from service.settings import Settings
from service.store import ciphertexts, tenants
from service.store.database import Changes
from tests.api.helpers import ok, read, refused
from tests.cli.test_verify import xiaohao
from tests.world import World

HEAD = "序号,存在问题,责任单位,整改措施,整改时限,整改进展\n"
REFUSED = HEAD + "001,管网漏损,没有的单位,修,2027年6月底,\n"


@pytest.fixture(scope="module")
async def secrets(world: World) -> dict[str, str]:
    """Something in every column that is encrypted: the items' contacts by their ids, and what else there is."""
    made = [
        await world.item(source={"kind": "inspection", "contact": f"李女士 1380000000{number}"}) for number in range(3)
    ]
    hook = ok(await world.admin.post("/v1/webhooks", json={"url": "https://consumer.invalid/", "types": ["*"]}), 201)
    ok(await world.admin.post(f"/v1/webhooks/{hook['id']}/rotate", json={}))
    files = {"file": ("台账.csv", REFUSED.encode())}
    params = {"ledger": "default", "mode": "accepted_rows"}
    report = ok(await world.admin.post("/v1/imports", files=files, params=params))
    return {item["id"]: item["source"]["contact"] for item in made} | {"import": report["id"], "webhook": hook["id"]}


async def everything_is_read(world: World, secrets: dict[str, str]) -> bool:
    told = {id_: (await read(world.admin, f"/v1/items/{id_}"))["source"]["contact"] for id_ in list(secrets)[:3]}
    table = await world.admin.get(f"/v1/imports/{secrets['import']}/refused.xlsx")
    rotated = await world.admin.post(f"/v1/webhooks/{secrets['webhook']}/rotate", json={})
    return told.items() <= secrets.items() and table.is_success and rotated.is_success


async def encrypted_by(world: World) -> Counter[str]:
    return await rekeying.count(world.service)


def keys(settings: Settings, *words: str) -> str:
    status, said = xiaohao({"settings": settings}, "keys", *words)
    assert status == 0, said
    return said


def listed(settings: Settings, kind: str) -> list[list[str]]:
    """What `keys list` says of the keys of one kind: fingerprint, state, texts."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in keys(settings, "list").splitlines()]
    return [cell[1:] for cell in cells if len(cell) == 4 and cell[0] == kind]


# -- what encrypts


async def test_every_encrypted_column_is_known(world: World, secrets: dict[str, str]) -> None:
    """A column more that nobody encrypts anew would be lost with its key."""
    (tenant_id,) = [home.tenant_id for home in await world.service.read(tenants.homes)]
    for column in ciphertexts.COLUMNS:
        found = await world.service.read(lambda tx, column=column: column.count(tx, tenant_id, 4))
        assert sum(found.values()) > 0, f"nothing stands in {column.table}.{column.name}"
    sealed = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert sealed == {f"{column.table}.{column.name}" for column in ciphertexts.COLUMNS}


async def test_everything_is_encrypted_anew_while_the_service_goes_on(
    world: World, settings: Settings, secrets: dict[str, str]
) -> None:
    (before,) = await encrypted_by(world)
    texts = (await encrypted_by(world))[before]
    said = keys(settings, "rotate")
    (after,) = await encrypted_by(world)
    assert said == f"{after} encrypts from now on: {texts} texts encrypted anew\n" and after != before
    assert await everything_is_read(world, secrets)
    # The service that runs has taken up the new key: what it wrote since is encrypted by it as well.
    assert set(await encrypted_by(world)) == {after}
    assert listed(settings, "data") == [[after, "encrypting", str(texts)], [before, "decrypting", "0"]]


async def test_a_prepared_key_is_the_next_one(world: World, settings: Settings, secrets: dict[str, str]) -> None:
    present = set(await encrypted_by(world))
    prepared = keys(settings, "prepare").split()[0]
    assert keys(settings, "prepare").split()[0] == prepared, "prepared twice is prepared once"
    assert [prepared, "prepared", "0"] in listed(settings, "data")
    assert set(await encrypted_by(world)) == present and await everything_is_read(world, secrets)
    assert keys(settings, "rotate").startswith(f"{prepared} encrypts from now on")
    assert set(await encrypted_by(world)) == {prepared} and await everything_is_read(world, secrets)


async def test_what_was_stored_meanwhile_by_the_old_key_is_found_at_the_next_pass(
    world: World, settings: Settings, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transition that read its item before and stores it after its turn brings the old ciphertext back."""
    id_ = next(iter(secrets))
    encrypt, turns = rekeying._encrypt_column, 0

    async def late(service: Service, tenant_id: Any, column: ciphertexts.Column, current: bytes) -> Any:
        nonlocal turns
        turns += 1
        if turns == 1:
            (was,) = [each for each in await page(service, tenant_id, column, current) if str(each.id) == id_]
            done = await encrypt(service, tenant_id, column, current)
            (now,) = [each for each in await page(service, tenant_id, column, b"none") if str(each.id) == id_]
            await put(service, tenant_id, column, now, was.sealed)
            return done
        return await encrypt(service, tenant_id, column, current)

    monkeypatch.setattr(rekeying, "_encrypt_column", late)
    async with running(settings) as service:
        fingerprint, _ = await rekeying.rotate(service, datetime.now(UTC))
    assert set(await encrypted_by(world)) == {fingerprint} and await everything_is_read(world, secrets)


async def page(service: Service, tenant_id: Any, column: ciphertexts.Column, current: bytes) -> Any:
    return await service.read(lambda tx: column.page(tx, tenant_id, current, limit=100))


async def put(service: Service, tenant_id: Any, column: ciphertexts.Column, was: Any, sealed: bytes) -> None:
    async def action(tx: Any) -> None:
        changes = Changes()
        column.replace(changes, tenant_id, [(was, sealed)])
        await tx.apply(changes)

    await service.database.write(action)


async def test_what_cannot_be_decrypted_is_named_and_left(
    world: World, settings: Settings, secrets: dict[str, str]
) -> None:
    (tenant_id,) = [home.tenant_id for home in await world.service.read(tenants.homes)]
    column, id_ = ciphertexts.COLUMNS[0], next(iter(secrets))
    (was,) = [each for each in await page(world.service, tenant_id, column, b"none") if str(each.id) == id_]
    spoilt = ciphertexts.Ciphertext(was.id, was.sealed[:-1] + bytes([was.sealed[-1] ^ 1]))
    await put(world.service, tenant_id, column, was, spoilt.sealed)
    status, said = xiaohao({"settings": settings}, "keys", "rotate")
    assert status == 1 and f"items.contact_sealed of {id_} cannot be decrypted: left as it is" in said
    status, said = xiaohao({"settings": settings}, "keys", "retire")
    assert status == 1 and f"(1 by {spoilt.sealed[:4].hex()}): rotate again" in said
    await put(world.service, tenant_id, column, spoilt, was.sealed)
    assert await everything_is_read(world, secrets)
    keys(settings, "rotate")


async def test_what_nothing_needs_leaves_the_file(world: World, settings: Settings, secrets: dict[str, str]) -> None:
    old = settings.keys_path.read_bytes()
    prepared = keys(settings, "prepare").split()[0]
    (present,) = await encrypted_by(world)
    said = keys(settings, "retire")
    assert [row[:2] for row in listed(settings, "data")] == [[present, "encrypting"], [prepared, "prepared"]]
    assert prepared not in said and present not in said
    assert keys(settings, "retire") == "0 keys taken out\n"
    assert await everything_is_read(world, secrets)
    async with running(settings):
        pass
    # A copy of the file from before has all that is needed; what was given up is not the next key there.
    kept = settings.keys_path.read_bytes()
    settings.keys_path.write_bytes(old)
    try:
        async with running(settings) as service:
            retired = (await rekeying.known(service)).retired
            assert len(retired) > 1 and await rekeying.prepare(service, signing=False) not in retired
    finally:
        settings.keys_path.write_bytes(kept)


async def test_a_process_without_the_key_that_signs_says_so_and_goes_on(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys_file.make(tmp_path / "keys.json")
    data = keys_file.load(settings.keys_path).data
    keys_file.change(tmp_path / "keys.json", lambda held: Keys(data, held.log))
    with monkeypatch.context() as patched:
        patched.setattr(world.service, "vault", Vault(tmp_path / "keys.json"))
        refused(await world.admin.get("/v1/log/checkpoint"), "unavailable")
        ok(await world.admin.get("/v1/items"))
    assert (await world.admin.get("/v1/log/checkpoint")).is_success


async def test_a_process_without_the_key_that_encrypts_does_not_start(
    world: World, settings: Settings, secrets: dict[str, str]
) -> None:
    keys(settings, "rotate")
    before = settings.keys_path.read_bytes()
    keys(settings, "rotate")
    after = settings.keys_path.read_bytes()
    settings.keys_path.write_bytes(before)
    try:
        with pytest.raises(KeysUnusable, match="lacks a key that this database needs: the keys were rotated"):
            async with running(settings):
                pass
    finally:
        settings.keys_path.write_bytes(after)
    assert await everything_is_read(world, secrets)
