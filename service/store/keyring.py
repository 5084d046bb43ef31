"""Which keys this database was written with, and which of them signs the log now.

A process with another keys file must not start. One key signs at a time; those that did before stay on this list for
good. A data key that nothing needs any more is retired.
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
    """A look-up table without a tenant: the keys are the installation's.

    `retired_at`: nothing needs it any more, or another signs in its place. `announced_at` is of signing keys: when the
    logs said that it succeeds another, of the first when it was made.
    """

    __tablename__ = "key_fingerprints"

    fingerprint: str = Field(primary_key=True, max_length=16)
    created_at: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(sa_type=Instant)
    announced_at: datetime | None = Field(sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Known:
    """Fingerprints: `data` of the keys that ciphertexts may need, `retired` of those that none needs any more; of the
    key that signs, None before there is any tenant, and of those that `succeeded` one another before it. `announced`:
    the logs say so."""

    data: tuple[str, ...]
    retired: tuple[str, ...]
    signer: str | None
    succeeded: tuple[str, ...]
    announced: bool


_fingerprints = table(KeyFingerprint)
_key = _fingerprints.c.fingerprint == bindparam("key", type_=_fingerprints.c.fingerprint.type)
_now = bindparam("now", type_=_fingerprints.c.retired_at.type)

INSERT = insert_row(KeyFingerprint)
ALL = Statement(
    select(_fingerprints.c.fingerprint, _fingerprints.c.retired_at, _fingerprints.c.announced_at).order_by(
        _fingerprints.c.retired_at, _fingerprints.c.created_at, _fingerprints.c.fingerprint
    )
)
RETIRE = Statement(
    update(_fingerprints).where(_key, _fingerprints.c.retired_at.is_(None), gate()).values(retired_at=_now)
)
"""Of a signing key a guard: it has one successor, whoever asks for one at the same time."""

ANNOUNCE = Statement(
    update(_fingerprints).where(_key, _fingerprints.c.announced_at.is_(None), gate()).values(announced_at=_now)
)
"""A guard: a change is announced once."""


async def known(tx: Tx) -> Known:
    rows = await tx.all(ALL)
    data = [(key, retired_at) for key, retired_at, _ in rows if not key.startswith(_LOG)]
    signers = [(key.removeprefix(_LOG), *more) for key, *more in rows if key.startswith(_LOG)]
    present = [(key, announced_at) for key, retired_at, announced_at in signers if retired_at is None]
    signer, announced_at = present[0] if present else (None, None)
    return Known(
        data=tuple(key for key, retired_at in data if retired_at is None),
        retired=tuple(key for key, retired_at in data if retired_at is not None),
        signer=signer,
        succeeded=tuple(key for key, retired_at, _ in signers if retired_at is not None),
        announced=announced_at is not None,
    )


def remember_data(changes: Changes, fingerprint: str, now: datetime) -> None:
    changes.add(INSERT, fingerprint=fingerprint, created_at=now, retired_at=None, announced_at=None)


def remember_signer(changes: Changes, fingerprint: str, now: datetime, *, instead_of: str | None = None) -> None:
    """From now on this one signs; where it is the first, there is nothing to announce."""
    if instead_of is not None:
        changes.guard(RETIRE, key=_LOG + instead_of, now=now)
    announced_at = None if instead_of is not None else now
    changes.add(INSERT, fingerprint=_LOG + fingerprint, created_at=now, retired_at=None, announced_at=announced_at)


def announce(changes: Changes, fingerprint: str, now: datetime) -> None:
    """The logs say that this one signs."""
    changes.guard(ANNOUNCE, key=_LOG + fingerprint, now=now)


def retire(changes: Changes, fingerprint: str, now: datetime) -> None:
    """Nothing needs this data key any more."""
    changes.add(RETIRE, key=fingerprint, now=now)
