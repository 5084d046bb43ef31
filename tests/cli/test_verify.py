"""`xiaohao verify`: a whole record is found whole, and whatever was done to it behind the service's back is named."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, bindparam, delete, insert, or_, select, update

from service import cli as _commands  # noqa: F401  (adds the commands)
from service.actions import record as records
from service.composition import running
from service.settings import Settings
from service.store import migrations
from service.store.attachments import AttachmentRow
from service.store.database import Changes, Statement, Tx
from service.store.events import INSERT, EventRow
from service.store.log import Head, LogEntry, LogHead, LogNode
from service.store.reports import ReportRow
from service.workers import sequencer
from service.workflow import merkle
from tests import commands
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
        erased = await world.item(description="张三家水压不足")
        order = {"fields": ["description"], "reason": "本人申请"}
        assert (await world.admin.post(f"/v1/items/{erased['id']}/redactions", json=order)).is_success
        month = f"{datetime.now(UTC).date().replace(day=1) - timedelta(days=2):%Y-%m}"
        published = await world.admin.post("/v1/statistics/reports", json={"month": month, "unit": "root"})
        assert published.is_success, published.text
        await sequencer.run_until_done(world.service)
        assert (await world.admin.post("/v1/log/checkpoints")).is_success
        await sequencer.run_until_done(world.service)
        await world.item()
        await sequencer.run_until_done(world.service)
        (kept / "late").write_text((await world.admin.get("/v1/log/checkpoint")).text)
        receipt = await world.admin.get("/v1/log/receipt", params={"position": 9})
        (kept / "receipt").write_text(receipt.text)
        auditor = await world.key("auditor")
        head = (await world.admin.get("/v1/log/checkpoint")).text.splitlines()
    return {"kept": kept, "settings": settings, "auditor": auditor, "size": int(head[1])}


def environment(record: dict[str, Any]) -> dict[str, str]:
    settings: Settings = record["settings"]
    url = {"XIAOHAO_DATABASE_URL": settings.database_url} if settings.database_url else {}
    return {"XIAOHAO_DATA_DIR": str(settings.data_dir), **url}


def xiaohao(record: dict[str, Any], *arguments: object) -> tuple[int, str]:
    """The command: its exit status and all that it said."""
    done = commands.xiaohao(environment(record), Path.cwd(), *arguments)
    return done.returncode, done.stdout + done.stderr


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


@asynccontextmanager
async def rewritten(record: dict[str, Any], position: int) -> AsyncIterator[None]:
    """Another event in the place of one, and the whole tree made anew over it."""
    event = await event_at(record, position)
    before = await rewrite(record)
    await change(record, event["id"], body=bytes(event["body"]).replace(b'"revision":', b'"revision": '))
    try:
        await rewrite(record)
        yield
    finally:
        await change(record, event["id"], body=event["body"])
        assert await rewrite(record) == before


async def test_a_record_rewritten_from_end_to_end_is_caught_by_a_checkpoint_that_it_holds_itself(
    record: dict[str, Any], tmp_path: Path
) -> None:
    """Whoever has the database but not the keys cannot sign another. Copies are caught by it as well."""
    async with rewritten(record, 11):
        alone, said = xiaohao(record, "verify")
        assert xiaohao(record, "export-log", tmp_path / "log.jsonl")[0] == 0
        copied, _ = xiaohao(record, "verify", "--export", tmp_path / "log.jsonl", "--key", record["kept"] / "key")
    assert (alone, copied) == (1, 1)
    assert "are not those of" in said


async def test_behind_the_last_checkpoint_that_it_holds_only_one_kept_outside_catches_it(
    record: dict[str, Any],
) -> None:
    """A false log that is in itself whole: that is what witnesses are for."""
    async with rewritten(record, record["size"]):
        alone, _ = xiaohao(record, "verify")
        witnessed, said = xiaohao(record, "verify", "--checkpoint", record["kept"] / "late")
    assert (alone, witnessed) == (0, 1)
    assert "are not those of" in said


async def test_a_checkpoint_in_the_log_that_nobody_signed_is_found(record: dict[str, Any]) -> None:
    position = record["size"] - 1
    event = await event_at(record, position)
    assert event["type"] == "log.checkpoint"
    before = await rewrite(record)
    forged = bytes(event["body"]).replace(b"\\ntime 20", b"\\ntime 21")
    assert forged != bytes(event["body"])
    await change(record, event["id"], body=forged)
    try:
        await rewrite(record)
        status, said = xiaohao(record, "verify")
    finally:
        await change(record, event["id"], body=event["body"])
        assert await rewrite(record) == before
    assert status == 1 and f"position {position}: its checkpoint proves nothing" in said


@pytest.mark.parametrize("part", ["head", "node", "leaf"])
async def test_a_changed_tree_over_events_that_nobody_touched_is_found(record: dict[str, Any], part: str) -> None:
    before = await rewrite(record)
    if part == "head":
        (tenant_id, frontier), *_ = await run(
            record, Statement(select(heads.c.tenant_id, heads.c.frontier)), _read=True
        )
        await run(record, _frontier, tenant_id=tenant_id, new=bytes(len(frontier)))
    elif part == "node":
        await run(record, _hash_of_node, place=1 << 56 | 2, new=bytes(32))
    else:
        await run(record, _hash_of_entry, position=11, new=bytes(32))
    try:
        status, said = xiaohao(record, "verify")
    finally:
        assert await rewrite(record) == before
    told = {
        "head": "the head says",
        "node": "the tree's node 1/2 is not that",
        "leaf": "position 11: the event is not the one that was sealed",
    }
    assert status == 1 and told[part] in said, said
    assert xiaohao(record, "verify")[0] == 0


async def test_a_tail_that_was_cut_off_is_missed_by_a_checkpoint_of_it(record: dict[str, Any]) -> None:
    """Events that are gone without a trace, and the tree made as if they had never been."""
    position = record["size"]
    event = await event_at(record, position)
    entry = (await run(record, Statement(select(log).where(log.c.position == position)), _read=True))[0]
    leaves = [
        bytes(row[0])
        for row in await run(record, Statement(select(log.c.leaf_hash).order_by(log.c.position)), _read=True)
    ]
    whole, less = (merkle.extend(merkle.SHA256, 0, (), some) for some in (leaves, leaves[:-1]))
    of_tail = or_(*(nodes.c.place == (node.level << 56 | node.index) for node in whole.nodes if node not in less.nodes))
    gone = await run(record, Statement(select(nodes).where(of_tail)), _read=True)
    by_tenant = heads.c.tenant_id == event["tenant_id"]
    for statement in (
        delete(events).where(events.c.id == event["id"]),
        delete(log).where(log.c.position == position),
        delete(nodes).where(of_tail),
        update(heads).where(by_tenant).values(size=position - 1, frontier=b"".join(less.frontier)),
    ):
        await run(record, Statement(statement))
    try:
        alone, _ = xiaohao(record, "verify")
        witnessed, said = xiaohao(record, "verify", "--checkpoint", record["kept"] / "late")
    finally:
        await run(record, INSERT, **event)
        await run(record, Statement(insert(log).values(dict(zip(log.c.keys(), entry, strict=True)))))
        for row in gone:
            await run(record, Statement(insert(nodes).values(dict(zip(nodes.c.keys(), row, strict=True)))))
        whole_head = update(heads).where(by_tenant).values(size=position, frontier=b"".join(whole.frontier))
        await run(record, Statement(whole_head))
    assert (alone, witnessed) == (0, 1)
    assert f"the log has {position - 1} events, and had {position} at" in said
    assert xiaohao(record, "verify", "--checkpoint", record["kept"] / "late")[0] == 0


async def test_a_checkpoint_of_another_log_is_not_of_this_one(record: dict[str, Any], tmp_path: Path) -> None:
    async with running(record["settings"]) as service:
        head, key = Head(0, (), merkle.SHA256.name), await records.key(service)
        other = records.signed(service, UUID(int=7), head, key, datetime.now(UTC))
    (tmp_path / "other").write_text(other)
    status, said = xiaohao(record, "verify", "--checkpoint", tmp_path / "other")
    assert status == 1 and "the checkpoint is of xiaohao/00000000-" in said


# -- what is gone


async def test_a_text_that_is_gone_without_a_lawful_erasure_is_found(record: dict[str, Any], tmp_path: Path) -> None:
    event = await event_at(record, 11)
    await change(record, event["id"], beside={})
    try:
        status, said = xiaohao(record, "verify")
        assert xiaohao(record, "export-log", tmp_path / "log.jsonl")[0] == 0
        copied, _ = xiaohao(record, "verify", "--export", tmp_path / "log.jsonl", "--key", record["kept"] / "key")
    finally:
        await change(record, event["id"], beside=event["beside"])
    assert (status, copied) == (1, 1)
    assert "position 11: its text actor/name is gone, and no erasure tells of it" in said


async def test_an_erasure_covers_what_it_names_and_nothing_else(record: dict[str, Any]) -> None:
    found = await run(record, Statement(select(events).where(events.c.type == "item.redacted")), _read=True)
    erasure = dict(zip(events.c.keys(), found[0], strict=True))
    of_item = (events.c.item_id == erasure["item_id"], events.c.type == "item.created")
    created = dict(
        zip(events.c.keys(), (await run(record, Statement(select(events).where(*of_item)), _read=True))[0], strict=True)
    )
    assert "description" not in created["beside"] and b'"description":{"sealed"' in bytes(created["body"])
    left = {path: text for path, text in created["beside"].items() if path != "title"}
    await change(record, created["id"], beside=left)
    try:
        status, said = xiaohao(record, "verify")
    finally:
        await change(record, created["id"], beside=created["beside"])
    assert status == 1 and "its text title is gone" in said and "description" not in said


async def _erased_and_not_sequenced(settings: Settings) -> None:
    async with World.running(settings) as world:
        item = await world.item(description="李四家水压不足")
        await sequencer.run_until_done(world.service)
        order = {"fields": ["description"], "reason": "本人申请"}
        assert (await world.admin.post(f"/v1/items/{item['id']}/redactions", json=order)).is_success


def test_an_erasure_that_has_no_position_yet_is_none_without_a_trace(tmp_path: Path, kind: str) -> None:
    if kind != "sqlite":
        pytest.skip("tests/api/test_erasure.py has it on either database")
    own, path = Settings(data_dir=tmp_path, **UNLIMITED), tmp_path / "log.jsonl"
    migrations.upgrade(f"sqlite:///{own.sqlite_path}")
    asyncio.run(_erased_and_not_sequenced(own))
    assert xiaohao({"settings": own}, "verify")[0] == 0
    status, said = xiaohao({"settings": own}, "export-log", path)
    assert status == 2 and "write it again" in said and not path.exists()


@pytest.mark.parametrize("deed", ["changed", "deleted"])
async def test_a_published_month_is_held_against_its_digest_in_the_log(record: dict[str, Any], deed: str) -> None:
    reports = ReportRow.__table__  # type: ignore[attr-defined]
    (row,) = await run(record, Statement(select(reports)), _read=True)
    kept = dict(zip(reports.c.keys(), row, strict=True))
    spoil = delete(reports) if deed == "deleted" else update(reports).values(document=kept["document"] + " ")
    await run(record, Statement(spoil))
    try:
        status, said = xiaohao(record, "verify")
    finally:
        await run(record, Statement(delete(reports)))
        await run(record, Statement(insert(reports).values(kept)))
    assert status == 1
    assert ("that was published is gone" if deed == "deleted" else "is not the document that was published") in said
    assert xiaohao(record, "verify")[0] == 0


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


async def test_a_live_server_whose_past_was_changed_is_found(record: dict[str, Any], tmp_path: Path) -> None:
    kept = record["kept"]
    async with rewritten(record, 11):
        with Server(record["settings"], tmp_path / "home") as server:
            asked = ("verify", "--url", server.url, "--key", kept / "key", "--api-key", record["auditor"])
            status, said = xiaohao(record, *asked, "--checkpoint", kept / "early")
    assert status == 1 and "some were changed" in said.replace("\n", " "), said


@contextmanager
def answering(checkpoint: str, proof: str) -> Iterator[str]:
    """The address of something that answers these, whatever it is."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = (checkpoint if "checkpoint" in self.path else proof).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *given: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


PAGE = "<!doctype html><title>Sign in</title>\n\n<p>— to go on —</p>\n"


@pytest.mark.parametrize("proof", ["page", PAGE, "[]", '{"hashes": 5}', '{"hashes": [5]}', '{"hashes": ["zz"]}'])
def test_an_answer_that_makes_no_sense_proves_nothing_either_way(record: dict[str, Any], proof: str) -> None:
    kept = record["kept"]
    checkpoint = PAGE if proof == "page" else (kept / "late").read_text()
    with answering(checkpoint, proof) as url:
        asked = ("verify", "--url", url, "--key", kept / "key", "--api-key", "x", "--checkpoint", kept / "early")
        status, said = xiaohao(record, *asked)
    assert status == 2 and "could not check" in said, said


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
