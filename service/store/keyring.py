"""Which keys this database was written with, and which of them signs the log now.

A process with another keys file must not start. Signing keys stay on this list for good: the last of them is the one
that signs. A data key that nothing needs any more is retired.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.types import Instant, gate

_LOG = "log:"
"""What stands before the fingerprint of a signing key."""


class KeyFingerprint(SQLModel, table=True):
    """A look-up table without a tenant: the keys are the installation's."""

    __tablename__ = "key_fingerprints"

    fingerprint: str = Field(primary_key=True, max_length=16)
    created_at: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Known:
    """Fingerprints: `data` of the keys that ciphertexts may need, `retired` of those that none needs any more, and
    `signers` of all that ever signed, the present one last."""

    data: tuple[str, ...]
    retired: tuple[str, ...]
    signers: tuple[str, ...]


_fingerprints = table(KeyFingerprint)

INSERT = insert_row(KeyFingerprint)
ALL = Statement(
    select(_fingerprints.c.fingerprint, _fingerprints.c.retired_at).order_by(
        _fingerprints.c.created_at, _fingerprints.c.fingerprint
    )
)
RETIRE = Statement(
    update(_fingerprints)
    .where(_fingerprints.c.fingerprint == bindparam("key", type_=_fingerprints.c.fingerprint.type), gate())
    .values(retired_at=bindparam("now", type_=_fingerprints.c.retired_at.type))
)


async def known(tx: Tx) -> Known:
    rows = await tx.all(ALL)
    data = [(fingerprint, retired_at) for fingerprint, retired_at in rows if not fingerprint.startswith(_LOG)]
    return Known(
        tuple(fingerprint for fingerprint, retired_at in data if retired_at is None),
        tuple(fingerprint for fingerprint, retired_at in data if retired_at is not None),
        tuple(fingerprint.removeprefix(_LOG) for fingerprint, _ in rows if fingerprint.startswith(_LOG)),
    )


def remember_data(changes: Changes, fingerprint: str, now: datetime) -> None:
    changes.add(INSERT, fingerprint=fingerprint, created_at=now, retired_at=None)


def remember_signer(changes: Changes, fingerprint: str, now: datetime) -> None:
    """From now on this one signs."""
    changes.add(INSERT, fingerprint=_LOG + fingerprint, created_at=now, retired_at=None)


def retire(changes: Changes, fingerprint: str, now: datetime) -> None:
    changes.add(RETIRE, key=fingerprint, now=now)
