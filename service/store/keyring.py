"""Which data keys this database was written with: a replica with another keys file must not start."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.types import Instant


class KeyFingerprint(SQLModel, table=True):
    """A look-up table without a tenant: the keys are the installation's."""

    __tablename__ = "key_fingerprints"

    fingerprint: str = Field(primary_key=True, max_length=16)
    created_at: datetime = Field(sa_type=Instant)


INSERT = insert_row(KeyFingerprint)
ALL = Statement(select(table(KeyFingerprint).c.fingerprint))


async def known(tx: Tx) -> set[str]:
    return {row[0] for row in await tx.all(ALL)}


def remember(changes: Changes, fingerprints: list[str], now: datetime) -> None:
    changes.many(INSERT, [{"fingerprint": each, "created_at": now} for each in fingerprints])
