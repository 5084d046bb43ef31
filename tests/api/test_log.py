"""Checkpoints, proofs and receipts over HTTP, each verified as somebody would who does not trust the service."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from service.actions import audit
from service.outside.vault import verifier
from service.workers import sequencer
from service.workflow import merkle, notes, receipts
from service.workflow.merkle import SHA256
from service.workflow.notes import Checkpoint, Key
from service.workflow.signers import Signers
from tests.world import World


@pytest.fixture(scope="module")
async def told(world: World) -> World:
    for _ in range(5):
        item = await world.item()
        await world.fire(world.admin, item["id"], "claim", signed_by="李村长")
    await sequencer.run_until_done(world.service)
    return world


async def key_of(world: World) -> Key:
    answer = await world.with_key(None).get("/v1/log/key")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    return notes.parse_key(answer.text.strip())


async def checkpoint_of(world: World, by: httpx.AsyncClient | None = None) -> Checkpoint:
    answer = await (by or world.admin).get("/v1/log/checkpoint")
    assert answer.status_code == 200
    key = await key_of(world)
    return Signers(key, verifier).checkpoint(answer.text)


async def asked(world: World, path: str, **query: Any) -> dict[str, Any]:
    answer = await world.admin.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def unhex(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in hashes]


async def test_every_event_is_proved_in_the_tree_of_the_checkpoint(told: World) -> None:
    checkpoint = await checkpoint_of(told)

    for position in range(1, checkpoint.size + 1):
        proof = await asked(told, "/v1/log/proof/inclusion", position=position, size=checkpoint.size)
        assert (proof["position"], proof["leaf_index"], proof["tree_size"]) == (position, position - 1, checkpoint.size)
        leaf, hashes = bytes.fromhex(proof["leaf_hash"]), unhex(proof["hashes"])
        assert merkle.verify_inclusion(SHA256, leaf, position - 1, checkpoint.size, hashes, checkpoint.root)


async def test_every_earlier_log_is_the_beginning_of_the_later(told: World) -> None:
    earlier = await checkpoint_of(told)
    await told.item()
    await sequencer.run_until_done(told.service)
    later = await checkpoint_of(told)
    assert later.size > earlier.size

    proof = await asked(told, "/v1/log/proof/consistency", **{"from": earlier.size})

    assert (proof["from"], proof["to"]) == (earlier.size, later.size)
    receipts.grown(earlier, later, tuple(unhex(proof["hashes"])))
    with pytest.raises(notes.BadNote):
        receipts.grown(earlier, later, tuple(unhex(proof["hashes"]))[1:])


async def test_a_receipt_proves_an_event_to_whoever_has_the_key(told: World) -> None:
    key = await key_of(told)
    given = await asked(told, "/v1/log/receipt", position=3)

    checkpoint = receipts.check(receipts.Receipt.parse(given), Signers(key, verifier))

    assert checkpoint.size == given["tree_size"]
    changed = given | {"body": given["body"].replace('"type":"', '"type":"x')}
    with pytest.raises(notes.BadNote, match="position 3"):
        receipts.check(receipts.Receipt.parse(changed), Signers(key, verifier))


async def test_the_checkpoint_names_its_log_and_each_tenant_has_its_own(told: World) -> None:
    me = (await told.admin.get("/v1/me")).json()
    other = await told.tenant("witness")

    mine, theirs = await checkpoint_of(told), await checkpoint_of(told, other)

    assert mine.origin == f"xiaohao/{me['tenant_id']}"
    assert theirs.origin != mine.origin


async def test_a_log_without_events_has_a_checkpoint_too(told: World) -> None:
    fresh = await told.tenant("fresh")

    checkpoint = await checkpoint_of(told, fresh)

    assert (checkpoint.size, checkpoint.root) == (0, SHA256.empty())


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("supervisor", 403), ("viewer", 403)])
async def test_the_log_is_for_admin_and_auditor(told: World, role: str, status: int) -> None:
    reader = await told.person(role)

    for path in ("checkpoint", "proof/inclusion?position=1", "proof/consistency?from=1", "receipt?position=1"):
        assert (await reader.get(f"/v1/log/{path}")).status_code == status, path


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("proof/inclusion?position=100000", "/query/position"),
        ("proof/inclusion?position=0", "/query/position"),
        ("proof/inclusion?position=1&size=100000", "/query/size"),
        ("proof/inclusion?position=3&size=2", "/query/position"),
        ("proof/consistency?from=100000", "/query/from"),
        ("proof/consistency?from=3&to=2", "/query/from"),
        ("proof/consistency?from=1&to=100000", "/query/to"),
        ("receipt?position=100000", "/query/position"),
    ],
)
async def test_what_the_log_has_not_reached_is_refused(told: World, path: str, pointer: str) -> None:
    answer = await told.admin.get(f"/v1/log/{path}")

    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, "out_of_range")]


async def test_whatever_numbers_were_listed_the_log_stays_whole(told: World) -> None:
    """A database may write a number down in another way than it was sealed."""
    numbers = '{"a": -0.0, "b": [1.50, {"c": -0.0}], "d": 1e-7, "e": 123456.0e2, "f": 5e-324, "g": 0, "h": 1E3}'
    body = f'{{"ledger": "default", "title": "数", "responsible_unit": "t1v1", "attributes": {numbers}}}'
    made = await told.admin.post("/v1/items", content=body, headers={"Content-Type": "application/json"})
    assert made.status_code == 201, made.text
    await sequencer.run_until_done(told.service)

    _, faults = await audit.check(told.service, UUID((await asked(told, "/v1/me"))["tenant_id"]))

    assert faults == []
