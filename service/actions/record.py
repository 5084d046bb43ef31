"""The log as its readers may hold it to account: signed checkpoints, proofs, receipts."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from service.actions.service import Call, Service
from service.errors import Refused, invalid
from service.store import keyring, log
from service.store.database import Tx
from service.store.log import Head
from service.workflow import merkle, notes, receipts
from service.workflow.merkle import HASHINGS, Hashing, Recipe
from service.workflow.notes import Checkpoint, Key
from service.workflow.permissions import holds_anywhere

EMPTY = Head(0, (), merkle.SHA256.name)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That the event at a position is in the tree of `size` leaves."""

    position: int
    size: int
    leaf_hash: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that it takes to prove one event. `beside` are its texts with their salts, as far as they are not erased."""

    checkpoint: str
    inclusion: Inclusion
    body: bytes
    beside: dict[str, Any]


async def key(service: Service) -> Key:
    """The key that signs the checkpoints of this installation."""

    return await service.read(lambda tx: signer(service, tx))


async def standing(service: Service, tx: Tx, tenant_id: UUID) -> tuple[Head, Key]:
    """The head of a log, and the key that signs it."""
    return await log.head(tx, tenant_id) or EMPTY, await signer(service, tx)


async def signer(service: Service, tx: Tx) -> Key:
    """The key that signs now, in a transaction that has read the head already: so no head that tells of a change of
    keys is signed by the old one. Raises KeysUnusable where the keys file of this process does not hold it.
    """
    return key_named(service, (await keyring.known(tx)).signer or service.vault.log_fingerprints[0])


def key_named(service: Service, fingerprint: str) -> Key:
    """A signing key of the keys file. Raises KeysUnusable where it does not hold it."""
    return Key(service.log_name, service.vault.public(fingerprint))


def _may_read(call: Call) -> None:
    if not holds_anywhere(call.grants, "log:read"):
        raise Refused("forbidden", "log")


async def checkpoint(service: Service, call: Call) -> str:
    """How far the tenant's log has come, signed. Refuses `forbidden`."""
    _may_read(call)

    head, key = await service.read(lambda tx: standing(service, tx, call.tenant_id))
    return signed(service, call.tenant_id, head, key, call.now)


def signed(service: Service, tenant_id: UUID, head: Head, key: Key, now: datetime) -> str:
    """The head of a log as a signed note."""
    return sign(service, checkpoint_of(service, tenant_id, head, now), key)


def checkpoint_of(service: Service, tenant_id: UUID, head: Head, now: datetime) -> Checkpoint:
    """The head of a log as it is said to others."""
    hashing = HASHINGS[head.hashing]
    root = merkle.root(hashing, head.frontier)
    origin = receipts.origin_of(service.log_name, tenant_id, hashing)
    return Checkpoint(origin, head.size, root, now.replace(microsecond=0))


def sign(service: Service, checkpoint: Checkpoint, key: Key) -> str:
    """A checkpoint as a signed note."""
    return notes.sign_note(checkpoint.text, key, partial(service.vault.sign, key.public))


async def inclusion(service: Service, call: Call, position: int, size: int | None) -> Inclusion:
    """That an event is in the log, as it was when it had `size` events, or as it is. Refuses `forbidden`,
    `invalid_request`."""
    _may_read(call)

    async def action(tx: Tx) -> Inclusion:
        head = await log.head(tx, call.tenant_id) or EMPTY
        return await _inclusion(tx, call.tenant_id, head, position, head.size if size is None else size)

    return await service.read(action)


async def consistency(service: Service, call: Call, old: int, new: int | None) -> tuple[int, tuple[bytes, ...]]:
    """That the log of `new` events, or as it is, begins with what it was at `old`: its size and the proof.

    Refuses `forbidden`, `invalid_request`.
    """
    _may_read(call)

    async def action(tx: Tx) -> tuple[int, tuple[bytes, ...]]:
        head = await log.head(tx, call.tenant_id) or EMPTY
        size = head.size if new is None else new
        _within(size, head.size, "/query/to")
        _within(old, size, "/query/from")
        recipe = merkle.consistency(old, size)
        return size, await _fold(tx, call.tenant_id, HASHINGS[head.hashing], recipe)

    return await service.read(action)


async def receipt(service: Service, call: Call, position: int) -> Receipt:
    """An event with all that proves it. Refuses `forbidden`, `invalid_request`."""
    _may_read(call)

    async def action(tx: Tx) -> tuple[Head, Key, Inclusion, Any]:
        head, key = await standing(service, tx, call.tenant_id)
        proof = await _inclusion(tx, call.tenant_id, head, position, head.size)
        return head, key, proof, await tx.one(log.ENTRY, tenant_id=call.tenant_id, position=position)

    head, key, proof, row = await service.read(action)
    if row is None:
        raise LookupError(f"the event at position {position} is gone")
    return Receipt(signed(service, call.tenant_id, head, key, call.now), proof, bytes(row[1]), row[2])


async def _inclusion(tx: Tx, tenant_id: UUID, head: Head, position: int, size: int) -> Inclusion:
    _within(size, head.size, "/query/size")
    if not 1 <= position <= size:
        raise invalid(("/query/position", "out_of_range"))
    leaf = (0, position - 1)
    recipe = (*merkle.inclusion(position - 1, size), (leaf,))
    *hashes, leaf_hash = await _fold(tx, tenant_id, HASHINGS[head.hashing], recipe)
    return Inclusion(position, size, leaf_hash, tuple(hashes))


async def _fold(tx: Tx, tenant_id: UUID, hashing: Hashing, recipe: Recipe) -> tuple[bytes, ...]:
    nodes = await log.tree(tx, tenant_id, (place for places in recipe for place in places))
    return merkle.fold(hashing, recipe, nodes)


def _within(size: int, whole: int, pointer: str) -> None:
    if not 0 <= size <= whole:
        raise invalid((pointer, "out_of_range"))
