"""Every column that is encrypted, so that what stands in it can be encrypted anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, func, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.imports import ImportRow
from service.store.items import ItemRow
from service.store.types import gate
from service.store.webhooks import WebhookRow

_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """What stands encrypted in one row; it is bound to the tenant, the table and the row's id."""

    id: UUID
    sealed: bytes


class Column:
    """An encrypted column. A ciphertext begins with the id of its key, `id_bytes` long."""

    def __init__(self, model: type[SQLModel], name: str) -> None:
        rows = table(model)
        self.table, self.name, sealed = rows.name, name, rows.c[name]
        tenant = rows.c.tenant_id == bindparam("tenant_id", type_=rows.c.tenant_id.type)
        key: ColumnElement[Any] = func.substr(sealed, 1, bindparam("id_bytes"), type_=LargeBinary)
        self._page = Statement(
            select(rows.c.id, sealed)
            .where(
                tenant, rows.c.id > bindparam("after", type_=rows.c.id.type), sealed.is_not(None),
                key != bindparam("current", type_=LargeBinary),
            )
            .order_by(rows.c.id)
            .limit(bindparam("limit"))
        )  # fmt: skip
        self._count = Statement(select(key, func.count()).where(tenant, sealed.is_not(None)).group_by(key))
        # Whoever wrote another text meanwhile is not overwritten.
        self._replace = Statement(
            update(rows)
            .where(
                tenant, rows.c.id == bindparam("row_id", type_=rows.c.id.type),
                sealed == bindparam("was", type_=LargeBinary), gate(),
            )
            .values({name: bindparam("becomes", type_=LargeBinary)})
        )  # fmt: skip

    @property
    def statements(self) -> dict[str, Statement]:
        return {"page": self._page, "count": self._count, "replace": self._replace}

    async def page(
        self, tx: Tx, tenant_id: UUID, current: bytes, *, after: UUID = _FIRST, limit: int
    ) -> list[Ciphertext]:
        """What another key than `current` encrypted, by id."""
        rows = await tx.all(
            self._page, tenant_id=tenant_id, after=after, current=current, id_bytes=len(current), limit=limit
        )
        return [Ciphertext(row[0], bytes(row[1])) for row in rows]

    async def count(self, tx: Tx, tenant_id: UUID, id_bytes: int) -> dict[bytes, int]:
        """How many ciphertexts there are by the id of their key."""
        rows = await tx.all(self._count, tenant_id=tenant_id, id_bytes=id_bytes)
        return {bytes(row[0]): row[1] for row in rows}

    def replace(self, changes: Changes, tenant_id: UUID, texts: Iterable[tuple[Ciphertext, bytes]]) -> None:
        """Put other ciphertexts of the same where these stand still."""
        changes.many(
            self._replace,
            [
                {"tenant_id": tenant_id, "row_id": was.id, "was": was.sealed, "becomes": becomes}
                for was, becomes in texts
            ],
        )


COLUMNS = (
    Column(ItemRow, "contact_sealed"),
    Column(WebhookRow, "secret_sealed"),
    Column(WebhookRow, "old_secret_sealed"),
    Column(ImportRow, "refused_sealed"),
)
