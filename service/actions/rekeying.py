"""Other keys while the service runs: another data key, by which all ciphertexts are made anew; another key that signs
the log; and giving up what nothing needs any more."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from service.actions.record import EMPTY, checkpoint_of, key_named
from service.actions.service import Service, record_events
from service.actions.tenants import OPERATOR
from service.outside.keys_file import KeysUnusable
from service.outside.vault import ID_BYTES
from service.store import ciphertexts, keyring, log, tenants
from service.store.ciphertexts import Ciphertext, Column
from service.store.database import Changes, Duplicate, Tx
from service.store.keyring import Known
from service.workflow import signers
from service.workflow.signers import Announcement

BATCH = 500
PASSES = 5
"""Whoever read a row before its turn and stores it afterwards stores what it read: such stragglers are few."""


class Unannounced(Exception):
    """There is no change of the signing key to tell of: somebody else did, or there is no tenant yet."""


class StillNeeded(Exception):
    """Something stands encrypted by a key that was to be given up."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """How many ciphertexts were made anew, and which could not be read: table, column and id."""

    count: int
    unreadable: tuple[tuple[str, str, UUID], ...]


async def known(service: Service) -> Known:
    """The keys that the database knows."""
    return await service.read(keyring.known)


async def prepare(service: Service, *, signing: bool) -> str:
    """The fingerprint of the key that will be next: one of the keys file that was never used, or one put there now."""
    held = await known(service)
    used = {held.signer, *held.succeeded} if signing else {*held.data, *held.retired}
    there = service.vault.log_fingerprints if signing else service.vault.data_fingerprints
    return next((each for each in there if each not in used), None) or service.vault.add(signing=signing)


async def rotate(service: Service, now: datetime) -> tuple[str, Encrypted]:
    """Have another data key encrypt what is new, and make anew what is there. Broken off, it may be called again."""
    fingerprint = await prepare(service, signing=False)

    async def admit(tx: Tx) -> None:
        # From now on no process starts without it.
        changes = Changes()
        keyring.remember_data(changes, fingerprint, now)
        await tx.apply(changes)

    # Whoever rotates at the same time may have admitted the same one.
    with suppress(Duplicate):
        await service.database.write(admit)
    service.vault.put_first(fingerprint)
    return fingerprint, await encrypt_anew(service)


async def encrypt_anew(service: Service) -> Encrypted:
    """Have every ciphertext made by the first data key, a batch at a time, while others read and write."""
    current = bytes.fromhex(service.vault.data_fingerprints[0])
    count, unreadable = 0, set()
    for _ in range(PASSES):
        found = 0
        for home in await service.read(tenants.homes):
            for column in ciphertexts.COLUMNS:
                done, failed = await _encrypt_column(service, home.tenant_id, column, current)
                found += done
                unreadable |= {(column.table, column.name, each) for each in failed}
        if not found:
            break
        count += found
    return Encrypted(count, tuple(sorted(unreadable)))


async def _encrypt_column(service: Service, tenant_id: UUID, column: Column, current: bytes) -> tuple[int, list[UUID]]:
    done, failed = 0, []
    page = await service.read(partial(column.page, tenant_id=tenant_id, current=current, limit=BATCH))
    while page:
        anew = []
        for each in page:
            try:
                anew.append((each, _anew(service, tenant_id, column.table, each)))
            except KeysUnusable:
                failed.append(each.id)

        async def action(tx: Tx, anew: list[tuple[Ciphertext, bytes]] = anew) -> None:
            changes = Changes()
            column.replace(changes, tenant_id, anew)
            await tx.apply(changes)

        await service.database.write(action)
        done += len(anew)
        page = await service.read(
            partial(column.page, tenant_id=tenant_id, current=current, after=page[-1].id, limit=BATCH)
        )
    return done, failed


def _anew(service: Service, tenant_id: UUID, table: str, text: Ciphertext) -> bytes:
    plain = service.vault.decrypt(text.sealed, tenant_id=tenant_id, table=table, row=text.id)
    return service.vault.encrypt(plain, tenant_id=tenant_id, table=table, row=text.id)


async def count(service: Service) -> Counter[str]:
    """How many ciphertexts there are by the fingerprint of their key."""
    found: Counter[str] = Counter()
    for home in await service.read(tenants.homes):
        for column in ciphertexts.COLUMNS:
            by_key = await service.read(partial(column.count, tenant_id=home.tenant_id, id_bytes=ID_BYTES))
            found.update({key.hex(): number for key, number in by_key.items()})
    return found


async def rotate_signing(service: Service, now: datetime) -> tuple[str, int]:
    """Have all logs signed by another key, and each say so; its fingerprint, and how many logs.

    Where a change was broken off before the logs said so, it is brought to its end, and is all that is done.
    """
    if (await known(service)).announced:
        fingerprint = await prepare(service, signing=True)

        async def change(tx: Tx) -> None:
            held, changes = await keyring.known(tx), Changes()
            # Where somebody else was first, his change is to be told of before there is another.
            if held.announced:
                keyring.remember_signer(changes, fingerprint, now, instead_of=held.signer)
                await tx.apply(changes)

        await service.database.write(change)
    return await _announce(service, now)


async def _announce(service: Service, now: datetime) -> tuple[str, int]:
    """Have each log say by whom it is signed, and how far it had come.

    In a transaction behind that of the change: the heads that are read here are beyond all that the old key signed.
    """

    async def action(tx: Tx) -> tuple[str, int]:
        held = await keyring.known(tx)
        if held.signer is None or held.announced:
            raise Unannounced
        old, new = key_named(service, held.succeeded[-1]), key_named(service, held.signer)
        changes = Changes()
        keyring.announce(changes, held.signer, now)
        homes = await tenants.homes(tx)
        for home in homes:
            head = await log.head(tx, home.tenant_id) or EMPTY
            announcement = Announcement(checkpoint_of(service, home.tenant_id, head, now), old, new)
            note = signers.announce(
                announcement, partial(service.vault.sign, old.public), partial(service.vault.sign, new.public)
            )
            draft = signers.rotated(announcement, note)
            record_events(changes, home.tenant_id, [draft], hashing=home.hashing, actor=OPERATOR, now=now)
        await tx.apply(changes.merged())
        return held.signer, len(homes)

    return await service.database.write(action)


async def retire(service: Service, now: datetime) -> list[str]:
    """Take out of the keys file the data keys that nothing needs any more, and the signing keys that were succeeded.

    Raises StillNeeded where a data key but the first still has ciphertexts.
    """
    held = await known(service)
    first, *others = service.vault.data_fingerprints
    needed = await count(service)
    if left := {each: needed[each] for each in others if needed[each]}:
        told = ", ".join(f"{number} by {fingerprint}" for fingerprint, number in left.items())
        raise StillNeeded(
            f"not all is encrypted by {first} yet ({told}): rotate again, which names what it cannot read"
        )

    async def action(tx: Tx) -> None:
        changes = Changes()
        for each in set(others) & set(held.data):
            keyring.retire(changes, each, now)
        await tx.apply(changes)

    # First the database: a key that it does not ask for may be gone, one that it asks for may not.
    await service.database.write(action)
    gone = [each for each in others if each in (*held.data, *held.retired)]
    if held.announced:
        gone += [each for each in service.vault.log_fingerprints if each in held.succeeded]
    service.vault.drop(gone)
    return gone
