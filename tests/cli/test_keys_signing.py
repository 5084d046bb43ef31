"""`xiaohao keys rotate --signing`: another key signs the log, and who trusts the old one is led to it by the log."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.actions import publishing, rekeying
from service.actions import record as records
from service.composition import running
from service.outside.keys_file import KeysUnusable
from service.settings import Settings
from service.store.database import Tx
from service.workers import sequencer
from service.workflow import merkle
from service.workflow.notes import Checkpoint, Key
from tests.api.helpers import ok, read
from tests.cli.test_verify import xiaohao
from tests.servers import Server
from tests.world import World

Record = dict[str, Any]


@pytest.fixture(scope="module")
def record(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A county's record that two keys have signed, one after the other, and what an auditor kept of it by both."""
    return asyncio.run(make(settings, tmp_path_factory.mktemp("kept")))


async def make(settings: Settings, kept: Path) -> Record:
    told: Record = {"settings": settings, "kept": kept}
    async with World.running(settings) as world:
        admin = world.admin
        for name in ("first", "second"):
            item = await world.item()
            await world.fire(admin, item["id"], "claim", signed_by="李村长")
            await sequencer.run_until_done(world.service)
            ok(await admin.post("/v1/log/checkpoints"), 201)
            await sequencer.run_until_done(world.service)
            for path in ("key", "checkpoint", "receipt"):
                answer = await admin.get(f"/v1/log/{path}", params={"position": 3} if path == "receipt" else {})
                (kept / f"{name}-{path}").write_text(answer.text)
            told[f"{name}-file"] = settings.keys_path.read_bytes()
            if name == "first":
                status, told["said"] = xiaohao(told, "keys", "rotate", "--signing")
                assert status == 0, told["said"]
                await sequencer.run_until_done(world.service)
        (told["event"],) = (await read(admin, "/v1/events", type="log.key_rotated"))["items"]
        (kept / "announcement").write_text(told["event"]["data"]["announcement"])
        told["auditor"] = await world.key("auditor")
        other = await world.tenant("another")
        await world.item()
        await sequencer.run_until_done(world.service)
        told["other"] = (await read(other, "/v1/events", type="log.key_rotated"))["items"]
    return told


def verify(record: Record, *words: object) -> tuple[int, str]:
    return xiaohao(record, "verify", *words)


def test_the_log_says_which_key_signs_from_then_on(record: Record) -> None:
    first, second = ((record["kept"] / f"{name}-key").read_text().strip() for name in ("first", "second"))
    assert first != second and record["said"].endswith("signs from now on: announced in 1 logs\n")
    event = record["event"]
    assert (event["data"]["old_key"], event["data"]["new_key"]) == (first, second)
    assert event["actor"]["name"] == "xiaohao" and event["unit_id"] is event["item_id"] is None
    assert record["other"] == [], "a log that the old key never signed says nothing of it"


@pytest.mark.parametrize("key", ["first", "second", None])
def test_whichever_key_somebody_trusts_leads_to_the_other(record: Record, key: str | None, tmp_path: Path) -> None:
    kept = record["kept"]
    trusted = ["--key", kept / f"{key}-key"] if key else []
    checkpoints = ["--checkpoint", kept / "first-checkpoint", "--checkpoint", kept / "second-checkpoint"]
    status, said = verify(record, *trusted, *checkpoints)
    assert status == 0 and "held against 5 signed checkpoints" in said, said
    assert xiaohao(record, "export-log", tmp_path / "log.jsonl")[0] == 0
    status, said = verify(record, "--export", tmp_path / "log.jsonl", *trusted, *checkpoints)
    assert status == 0, said


def test_a_receipt_is_checked_by_the_old_key_and_the_announcement(record: Record) -> None:
    kept = record["kept"]
    receipt = ["--receipt", kept / "second-receipt"]
    assert verify(record, *receipt, "--key", kept / "second-key")[0] == 0
    status, said = verify(record, *receipt, "--key", kept / "first-key")
    assert status == 1 and "the note is not signed by xiaohao+" in said
    assert verify(record, *receipt, "--key", kept / "first-key", "--announcement", kept / "announcement")[0] == 0
    status, said = verify(record, *receipt, "--key", kept / "first-key", "--announcement", kept / "first-checkpoint")
    assert status == 1 and "it announces no key" in said


def test_a_live_service_leads_from_the_old_key_to_the_new_one(record: Record, tmp_path: Path) -> None:
    kept = record["kept"]
    with Server(record["settings"], tmp_path / "home") as server:
        for name in ("first", "second"):
            words = ["--url", server.url, "--api-key", record["auditor"], "--checkpoint", kept / "first-checkpoint"]
            status, said = verify(record, *words, "--key", kept / f"{name}-key")
            assert status == 0, said


async def test_an_announcement_that_was_moved_leads_no_further(record: Record, tmp_path: Path) -> None:
    """Events made up behind what the old key may sign, a head by it, and the true announcement at their end."""
    assert xiaohao(record, "export-log", tmp_path / "log.jsonl")[0] == 0
    head, *lines = (tmp_path / "log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    own = record["event"]["position"] - 1
    told, others = entries.pop(own), entries
    moved = [*others[: own + 3], told]
    for position, entry in enumerate(moved, 1):
        entry["position"] = position
    tree = merkle.extend(merkle.SHA256, 0, (), [merkle.SHA256.leaf(each["body"].encode()) for each in moved])
    origin = json.loads(head)["checkpoint"].splitlines()[0]
    async with running(record["settings"]) as service:
        key = records.key_named(service, service.vault.log_fingerprints[0])
        root, now = merkle.root(merkle.SHA256, tree.frontier), datetime.now(UTC).replace(microsecond=0)
        checkpoint = Checkpoint(origin, tree.size, root, now)
        forged = {"key": key.text, "checkpoint": records.sign(service, checkpoint, key)}
    (tmp_path / "forged").write_text("\n".join(map(json.dumps, (forged, *moved))))
    for name in ("first", "second"):
        status, said = verify(record, "--export", tmp_path / "forged", "--key", record["kept"] / f"{name}-key")
        assert status == 1 and "and no further" in said, said


def test_a_file_with_more_than_its_checkpoint_is_not_whole(record: Record, tmp_path: Path) -> None:
    assert xiaohao(record, "export-log", tmp_path / "log.jsonl")[0] == 0
    head, *lines = (tmp_path / "log.jsonl").read_text().splitlines()
    shorter = json.dumps({**json.loads(head), "checkpoint": (record["kept"] / "second-checkpoint").read_text()})
    (tmp_path / "longer").write_text("\n".join([shorter, *lines]))
    status, said = verify(record, "--export", tmp_path / "longer")
    assert status == 1 and "events, and its checkpoint is of" in said


async def test_a_change_that_was_broken_off_is_brought_to_its_end_first(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = record["settings"]
    before = settings.keys_path.read_bytes()
    async with running(settings) as service:
        held = await rekeying.known(service)

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(rekeying, "_announce", dies)
            await rekeying.rotate_signing(service, datetime.now(UTC))
        broken = await rekeying.known(service)
        assert broken.signer != held.signer and not broken.announced
        with pytest.raises(rekeying.Unannounced):
            await asyncio.gather(*(rekeying.rotate_signing(service, datetime.now(UTC)) for _ in range(2)))
        after = await rekeying.known(service)
        assert (after.signer, after.announced) == (broken.signer, True), "told of once, and no other change was begun"
        status, said = verify(record)
        assert status == 2 or status == 0, said
        await sequencer.run_until_done(service)
    status, said = verify(record, "--key", record["kept"] / "first-key")
    assert status == 0, said
    record["second-file"] = settings.keys_path.read_bytes()
    assert before != record["second-file"]


async def test_a_checkpoint_that_the_old_key_signs_later_is_a_fault(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody would who got hold of the old key and the database."""

    async def old(service: Any, tx: Tx) -> Key:
        return records.key_named(service, service.vault.log_fingerprints[0])

    assert verify(record)[0] == 0
    async with running(record["settings"]) as service:
        monkeypatch.setattr(publishing, "signer", old)
        assert await publishing.publish_due(service, datetime(2030, 1, 1, tzinfo=UTC)) >= 1
        await sequencer.run_until_done(service)
    for key in ("first", "second"):
        status, said = verify(record, "--key", record["kept"] / f"{key}-key")
        assert status == 1 and "events, and no further" in said


async def test_the_file_must_hold_the_key_that_signs(record: Record) -> None:
    settings: Settings = record["settings"]
    settings.keys_path.write_bytes(record["first-file"])
    try:
        with pytest.raises(KeysUnusable, match="lacks a key that this database needs"):
            async with running(settings):
                pass
    finally:
        settings.keys_path.write_bytes(record["second-file"])
    async with running(settings) as service:
        # The log says so once for all processes: one that has not got the file yet signs nothing.
        settings.keys_path.write_bytes(record["first-file"])
        fresh = type(service.vault)(settings.keys_path)
        service.vault = fresh
        with pytest.raises(KeysUnusable, match="lacks the key that signs the log now"):
            await records.key(service)
        settings.keys_path.write_bytes(record["second-file"])
        assert await records.key(service)


async def test_the_old_key_leaves_the_file_and_nothing_that_it_signed_is_lost(record: Record) -> None:
    settings: Settings = record["settings"]
    async with running(settings) as service:
        assert len(await rekeying.retire(service, datetime.now(UTC))) == 2
        assert len(service.vault.log_fingerprints) == 1
    content = json.loads(settings.keys_path.read_text())
    assert len(content["log_keys"]) == 1
    kept = record["kept"]
    checkpoints = ["--checkpoint", kept / "first-checkpoint", "--checkpoint", kept / "second-checkpoint"]
    status, said = verify(record, "--key", kept / "first-key", *checkpoints)
    # The forged one of the test before is all that is wrong.
    assert status == 1 and len(said.splitlines()) == 1, said
