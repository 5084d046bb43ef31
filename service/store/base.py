"""What all tables share: names for every constraint, and statements that each table needs."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, bindparam, insert, select
from sqlmodel import SQLModel

from service.store.database import Statement
from service.store.types import gate

SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def insert_row(model: type[SQLModel], without: Iterable[str] = ()) -> Statement:
    """Insert one row, every column a parameter of its own name; gated, so that it can stand behind a guard."""
    columns = [column for column in table(model).columns if column.name not in set(without)]
    values: list[Any] = [bindparam(column.name, type_=column.type) for column in columns]
    return Statement(
        insert(table(model)).from_select([column.name for column in columns], select(*values).where(gate())),
        fills=table(model).name,
    )
