"""When to look at an item again: one row an item that waits for a day to pass. A queue: found across tenants."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, bindparam, delete, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement
from service.store.types import Instant, gate


class Timer(SQLModel, table=True):
    __tablename__ = "timers"
    __table_args__ = (Index(None, "look_at"),)

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    look_at: datetime = Field(sa_type=Instant)


_timers = table(Timer)
_tenant = bindparam("tenant_id", type_=_timers.c.tenant_id.type)
_item = bindparam("item_id", type_=_timers.c.item_id.type)

INSERT = insert_row(Timer)
MOVE = Statement(
    update(_timers)
    .where(_timers.c.tenant_id == _tenant, _timers.c.item_id == _item, gate())
    .values(look_at=bindparam("new_look_at", type_=_timers.c.look_at.type))
)
STOP = Statement(delete(_timers).where(_timers.c.tenant_id == _tenant, _timers.c.item_id == _item, gate()))
