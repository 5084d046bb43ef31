"""What a tenant's log can prove, to whoever has its verification key: that an event is in it, and that it only grew.

All of it is checked here without the service and without its database.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.workflow import merkle
from service.workflow.events import EventDraft, Subject
from service.workflow.merkle import HASHINGS, SHA256, Hashing
from service.workflow.notes import BadNote, Checkpoint
from service.workflow.signers import Signers


def origin_of(log_name: str, tenant_id: UUID, hashing: Hashing) -> str:
    """What a log is called in its checkpoints. A checkpoint is of SHA-256 where its origin names no other algorithm."""
    suffix = "" if hashing == SHA256 else f"/{hashing.name}"
    return f"{log_name}/{tenant_id}{suffix}"


def hashing_of(origin: str) -> Hashing:
    """The algorithm of the log that is called so."""
    return HASHINGS.get(origin.rpartition("/")[2], SHA256)


def published(checkpoint: Checkpoint, note: str) -> EventDraft:
    """That a checkpoint was published: for those who see the whole tenant, as all about access. Nothing of it is sealed
    apart, so that whoever has the event has the checkpoint."""
    data = {"size": checkpoint.size, "root_hash": checkpoint.root.hex(), "checkpoint": note}
    return EventDraft("log.checkpoint", Subject(), (), data)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event's sealed bytes, and the proof that they stand at a position of the log that a checkpoint is of."""

    checkpoint: str
    position: int
    body: bytes
    hashes: tuple[bytes, ...]

    @classmethod
    def parse(cls, given: Any) -> "Receipt":
        """From JSON as the service gives it. Raises BadNote where it is none."""
        try:
            return cls(
                given["checkpoint"],
                int(given["position"]),
                given["body"].encode(),
                tuple(bytes.fromhex(each) for each in given["hashes"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadNote("this is no receipt") from None


def check(receipt: Receipt, signers: Signers) -> Checkpoint:
    """The checkpoint by which the receipt holds. Raises BadNote where it does not."""
    checkpoint = signers.checkpoint(receipt.checkpoint)
    hashing = hashing_of(checkpoint.origin)
    leaf_hash = hashing.leaf(receipt.body)
    if not merkle.verify_inclusion(
        hashing, leaf_hash, receipt.position - 1, checkpoint.size, receipt.hashes, checkpoint.root
    ):
        raise BadNote(f"position {receipt.position}: the event is not the one in the log")
    return checkpoint


def grown(old: Checkpoint, new: Checkpoint, hashes: tuple[bytes, ...]) -> None:
    """That the newer log begins with the older one. Raises BadNote where the past was changed, or nothing is shown."""
    if old.origin != new.origin:
        raise BadNote(f"{new.origin} is another log than {old.origin}")
    if new.size < old.size:
        raise BadNote(f"the log has {new.size} events and had {old.size} at {old.at:%Y-%m-%dT%H:%M:%SZ}")
    if not merkle.verify_consistency(hashing_of(old.origin), old.size, new.size, hashes, old.root, new.root):
        raise BadNote(f"of the first {old.size} events some were changed since {old.at:%Y-%m-%dT%H:%M:%SZ}")
