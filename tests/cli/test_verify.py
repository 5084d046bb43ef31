"""`xiaohao verify`: a whole record is found whole, and whatever was done to it behind the service's back is named."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, bindparam, delete, select, update
from typer.testing import CliRunner

from service import cli as _commands  # noqa: F401  (adds the commands)
from service.cli.terminal import cli
from service.composition import running
from service.settings import Settings
from service.store import migrations
from service.store.attachments import AttachmentRow
from service.store.database import Changes, Statement, Tx
from service.store.events import INSERT, EventRow
from service.store.log import LogEntry, LogHead, LogNode
from service.workers import sequencer
from service.workflow import merkle
from tests.conftest import UNLIMITED
from tests.evidence import upload
from tests.servers import COMMAND, Server
from tests.world import World

events, log = EventRow.__table__, LogEntry.__table__  # type: ignore[attr-defined]
_position = bindparam("position", type_=BigInteger())
AT_POSITION = Statement(select(events).join(log, log.c.event_id == events.c.id).where(log.c.position == _position))


@pytest.fixture(scope="module")
def record(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A county's record, and what a careful auditor keeps of it elsewhere."""
    return asyncio.run(make(settings, tmp_path_factory.mktemp("kept")))


async def make(settings: Settings, kept: Path) -> dict[str, Any]:
    async with World.running(settings) as world:
        for _ in range(6):
            item = await world.item(description="二组水压不足")
            await world.fire(world.admin, item["id"], "claim", signed_by="李村长")
        await sequencer.run_until_done(world.service)
        (kept / "key").write_text((await world.admin.get("/v1/log/key")).text)
        (kept / "early").write_text((await world.admin.get("/v1/log/checkpoint")).text)
        await world.item()
        await sequencer.run_until_done(world.service)
        (kept / "late").write_text((await world.admin.get("/v1/log/checkpoint")).text)
        receipt = await world.admin.get("/v1/log/receipt", params={"position": 9})
        (kept / "receipt").write_text(receipt.text)
        auditor = await world.key("auditor")
    return {"kept": kept, "settings": settings, "auditor": auditor}


def environment(record: dict[str, Any]) -> dict[str, str]:
    settings: Settings = record["settings"]
    url = {"XIAOHAO_DATABASE_URL": settings.database_url} if settings.database_url else {}
    return {"XIAOHAO_DATA_DIR": str(settings.data_dir), **url}


def xiaohao(record: dict[str, Any], *arguments: object) -> tuple[int, str]:
    """The command: its exit status and all that it said. In a thread, because it brings an event loop of its own."""
    words = [str(each) for each in arguments]
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(CliRunner().invoke, cli, words, env=environment(record)).result()
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


async def run(record: dict[str, Any], statement: Statement, **params: Any) -> Any:
    """Straight in the database, as somebody with its password would."""
    async with running(record["settings"]) as service:

        async def action(tx: Tx) -> Any:
            if params.pop("_read", False):
                return await tx.all(statement, **params)
            changes = Changes()
            changes.many(statement, [params])
            await tx.apply(changes)

        return await service.database.write(action)


async def event_at(record: dict[str, Any], position: int) -> dict[str, Any]:
    columns = [column.name for column in events.columns]
    found = await run(record, AT_POSITION, _read=True, position=position)
    return dict(zip(columns, found[0], strict=True))


def setting(**columns: Any) -> Statement:
    return Statement(
        update(events)
        .where(events.c.id == bindparam("event_id", type_=events.c.id.type))
        .values(**{name: bindparam(f"new_{name}", type_=events.c[name].type) for name in columns})
    )


async def change(record: dict[str, Any], event_id: UUID, **columns: Any) -> None:
    params = {f"new_{name}": value for name, value in columns.items()}
    await run(record, setting(**columns), event_id=event_id, **params)


def test_a_record_that_nobody_touched_is_whole(record: dict[str, Any]) -> None:
    kept = record["kept"]

    words = ("verify", "--checkpoint", str(kept / "early"), "--checkpoint", str(kept / "late"))
    home = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(kept)}
    done = subprocess.run([*COMMAND, *words], env=home | environment(record), capture_output=True, text=True)

    assert (done.returncode, done.stdout[:6]) == (0, "whole:"), done.stderr


Deed = Callable[[dict[str, Any], dict[str, Any]], Any]


def _text_changed(body: bytes) -> bytes:
    return body.replace(b'"type":"item.', b'"type":"item.not_', 1)


async def change_a_field(record: dict[str, Any], event: dict[str, Any]) -> None:
    await change(record, event["id"], body=_text_changed(bytes(event["body"])))


async def date_it_back(record: dict[str, Any], event: dict[str, Any]) -> None:
    await change(record, event["id"], at=event["at"].replace(year=event["at"].year - 1))


async def change_a_text(record: dict[str, Any], event: dict[str, Any]) -> None:
    beside = {path: {**text, "value": "无问题"} for path, text in event["beside"].items()}
    await change(record, event["id"], beside=beside)


async def move_it_to_another_unit(record: dict[str, Any], event: dict[str, Any]) -> None:
    await change(record, event["id"], audience=[UUID(int=5)])


async def delete_it(record: dict[str, Any], event: dict[str, Any]) -> None:
    await run(record, Statement(delete(events).where(events.c.id == bindparam("event_id", type_=events.c.id.type))),
              event_id=event["id"])  # fmt: skip


DEEDS: dict[str, Deed] = {
    "a changed field": change_a_field,
    "a changed text": change_a_text,
    "a back-dated event": date_it_back,
    "an event moved to another unit": move_it_to_another_unit,
    "a deleted event": delete_it,
}


async def put_back(record: dict[str, Any], event: dict[str, Any]) -> None:
    await run(record, Statement(delete(events).where(events.c.id == bindparam("event_id", type_=events.c.id.type))),
              event_id=event["id"])  # fmt: skip
    await run(record, INSERT, **event)


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_was_done_in_the_database_is_found_and_its_position_named(record: dict[str, Any], deed: str) -> None:
    event = await event_at(record, 11)
    await DEEDS[deed](record, event)
    try:
        status, said = xiaohao(record, "verify")
    finally:
        await put_back(record, event)
    assert status == 1, said
    assert "position 11:" in said
    assert xiaohao(record, "verify")[0] == 0, "it is whole again"


async def test_two_events_that_changed_places_are_found(record: dict[str, Any]) -> None:
    places = Statement(
        update(log)
        .where(log.c.event_id == bindparam("event_id", type_=log.c.event_id.type))
        .values(event_id=bindparam("other", type_=log.c.event_id.type))
    )
    one, other = (await event_at(record, 10))["id"], (await event_at(record, 12))["id"]

    async def swap() -> None:
        for event_id, becomes in ((one, UUID(int=1)), (other, one), (UUID(int=1), other)):
            await run(record, places, event_id=event_id, other=becomes)

    await swap()
    try:
        status, said = xiaohao(record, "verify")
    finally:
        await swap()
    assert status == 1
    assert "position 10:" in said
    assert "position 12:" in said


async def test_a_record_rewritten_from_end_to_end_is_caught_by_a_checkpoint_kept_outside_and_by_nothing_else(
    record: dict[str, Any],
) -> None:
    """Whoever has the database can make a false log that is in itself whole. That is what witnesses are for."""
    event = await event_at(record, 11)
    before = await rewrite(record)
    await change(record, event["id"], body=bytes(event["body"]).replace(b'"revision":', b'"revision": '))
    try:
        await rewrite(record)
        alone, _ = xiaohao(record, "verify")
        witnessed, said = xiaohao(record, "verify", "--checkpoint", record["kept"] / "early")
    finally:
        await change(record, event["id"], body=event["body"])
        assert await rewrite(record) == before
    assert (alone, witnessed) == (0, 1)
    assert "are not those of" in said


async def rewrite(record: dict[str, Any]) -> bytes:
    """The tree made anew over the events as they are; its root."""
    rows = await run(
        record,
        Statement(
            select(log.c.tenant_id, log.c.position, events.c.body)
            .join(events, (events.c.tenant_id == log.c.tenant_id) & (events.c.id == log.c.event_id))
            .order_by(log.c.position)
        ),
        _read=True,
    )
    leaves = [merkle.SHA256.leaf(bytes(body)) for _, _, body in rows]
    for (_, position, _), leaf_hash in zip(rows, leaves, strict=True):
        await run(record, _hash_of_entry, position=position, new=leaf_hash)
    whole = merkle.extend(merkle.SHA256, 0, (), leaves)
    for node in whole.nodes:
        await run(record, _hash_of_node, place=node.level << 56 | node.index, new=node.hash)
    await run(record, _frontier, tenant_id=rows[0][0], new=b"".join(whole.frontier))
    return merkle.root(merkle.SHA256, whole.frontier)


heads, nodes = LogHead.__table__, LogNode.__table__  # type: ignore[attr-defined]
_hash_of_entry = Statement(
    update(log).where(log.c.position == bindparam("position", type_=BigInteger()))
    .values(leaf_hash=bindparam("new", type_=log.c.leaf_hash.type))
)  # fmt: skip
_hash_of_node = Statement(
    update(nodes).where(nodes.c.place == bindparam("place", type_=BigInteger()))
    .values(hash=bindparam("new", type_=nodes.c.hash.type))
)  # fmt: skip
_frontier = Statement(
    update(heads).where(heads.c.tenant_id == bindparam("tenant_id", type_=heads.c.tenant_id.type))
    .values(frontier=bindparam("new", type_=heads.c.frontier.type))
)  # fmt: skip


def test_a_forged_checkpoint_is_refused(record: dict[str, Any], tmp_path: Path) -> None:
    lines = (record["kept"] / "early").read_text().split("\n")
    lines[1] = str(int(lines[1]) - 1)
    forged = tmp_path / "forged"
    forged.write_text("\n".join(lines))

    status, said = xiaohao(record, "verify", "--checkpoint", forged)

    assert status == 1
    assert "the note was changed" in said


# -- away from the database


@pytest.fixture(scope="module")
def exported(record: dict[str, Any]) -> Iterator[Path]:
    path = record["kept"] / "log.jsonl"
    status, said = xiaohao(record, "export-log", path)
    assert status == 0, said
    yield path


def elsewhere(record: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Where there is no database, and no keys file."""
    return {**record, "settings": Settings(data_dir=tmp_path / "nothing")}


def test_an_exported_log_is_checked_where_there_is_no_database(
    record: dict[str, Any], exported: Path, tmp_path: Path
) -> None:
    away = elsewhere(record, tmp_path)
    key, early = record["kept"] / "key", record["kept"] / "early"

    status, said = xiaohao(away, "verify", "--export", exported, "--key", key, "--checkpoint", early)

    assert (status, said[:6]) == (0, "whole:"), said
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("deed", ["changed", "left out", "swapped"])
def test_an_exported_log_that_was_touched_is_not_whole(
    record: dict[str, Any], exported: Path, tmp_path: Path, deed: str
) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    if deed == "changed":
        lines[8] = lines[8].replace('"at\\":\\"20', '"at\\":\\"19', 1)
    elif deed == "left out":
        del lines[8]
    else:
        lines[8], lines[9] = lines[9], lines[8]
    touched = tmp_path / "touched"
    touched.write_text("".join(lines))

    assert xiaohao(record, "verify", "--export", touched, "--key", record["kept"] / "key")[0] == 1


def test_a_receipt_is_checked_with_the_key_alone(record: dict[str, Any], tmp_path: Path) -> None:
    away = elsewhere(record, tmp_path)
    receipt, key = record["kept"] / "receipt", record["kept"] / "key"
    changed = tmp_path / "changed"
    changed.write_text(json.dumps(json.loads(receipt.read_text()) | {"position": 8}))

    whole, said = xiaohao(away, "verify", "--receipt", receipt, "--key", key)
    touched, _ = xiaohao(away, "verify", "--receipt", changed, "--key", key)
    without_key, _ = xiaohao(away, "verify", "--receipt", receipt)

    assert (whole, touched, without_key) == (0, 1, 2), said
    assert "position 9 of xiaohao/" in said


async def test_a_live_server_is_held_against_an_earlier_checkpoint(record: dict[str, Any], tmp_path: Path) -> None:
    kept = record["kept"]
    with Server(record["settings"], tmp_path / "home") as server:
        asked = ("verify", "--url", server.url, "--key", kept / "key", "--api-key", record["auditor"])
        whole, said = xiaohao(record, *asked, "--checkpoint", kept / "early")
        without, _ = xiaohao(record, *asked)
    assert (whole, without) == (0, 2), said
    assert "every checkpoint that was given is of their beginning" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("--export", "/nowhere"), ("--receipt", "/nowhere", "--key", "x"), ("--database", "--url", "http://x"),
        ("--tenant", "nowhere"), ("--key", "no key"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_neither_whole_nor_tampered_with(
    record: dict[str, Any], arguments: tuple[str, ...]
) -> None:
    assert xiaohao(record, "verify", *arguments)[0] == 2


# -- evidence


async def _with_files(settings: Settings) -> list[dict[str, Any]]:
    async with World.running(settings) as world:
        item = await world.item()
        files = [await upload(world.admin) for _ in range(3)]
        body = {"text": "见附件", "attachment_ids": [each["id"] for each in files]}
        entry = await world.admin.post(f"/v1/items/{item['id']}/progress", json=body)
        assert entry.is_success, entry.text
        order = {"fields": ["attachments"], "reason": "申请", "attachment_ids": [files[2]["id"]]}
        assert (await world.admin.post(f"/v1/items/{item['id']}/redactions", json=order)).is_success
        await sequencer.run_until_done(world.service)
    return files


def test_files_are_held_against_the_digests_that_were_sealed(settings: Settings, tmp_path: Path, kind: str) -> None:
    if kind != "sqlite":
        pytest.skip("the store of files is the same, whichever the database")
    own = Settings(data_dir=tmp_path, **UNLIMITED)
    migrations.upgrade(f"sqlite:///{own.sqlite_path}")
    files = asyncio.run(_with_files(own))
    record = {"settings": own}
    paths = [next((tmp_path / "blobs").rglob(f"{each['sha256']}.*")) for each in files[:2]]

    status, said = xiaohao(record, "verify", "--attachments")
    assert (status, "2 files" in said) == (0, True), said
    assert xiaohao(record, "verify", "--attachments", "--receipt", "x")[0] == 2

    sound = paths[0].read_bytes()
    for damage in (sound[:-1] + b"\x00" if sound[-1] else sound[:-1] + b"\x01", sound + b"more", sound[:-1], None):
        paths[0].unlink()
        if damage is not None:
            paths[0].write_bytes(damage)
        status, said = xiaohao(record, "verify", "--attachments")
        assert status == 1 and files[0]["sha256"] in said.replace("\n", ""), said
        assert files[1]["sha256"] not in said
        assert xiaohao(record, "verify")[0] == 0
        paths[0].write_bytes(sound)
    assert xiaohao(record, "verify", "--attachments")[0] == 0

    rows = AttachmentRow.__table__  # type: ignore[attr-defined]
    other = update(rows).where(rows.c.id == UUID(files[1]["id"])).values(sha256="0" * 64)
    asyncio.run(run(record, Statement(other)))
    status, said = xiaohao(record, "verify", "--attachments")
    assert status == 1 and "not the one that was sealed" in said.replace("\n", " "), said
