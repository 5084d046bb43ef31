"""How SQLite, which keeps no statistics here, would go about every statement: by its key, never through a whole tenant.

An OR over two columns, or an order that another index has, is enough to make it read everything that a tenant owns.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select

from service.store import sqlite
from service.store.database import Statement
from service.store.types import any_of, ids
from service.store.units import UnitRow
from tests.store.test_statements import ALL

units = UnitRow.__table__  # type: ignore[attr-defined]

WHOLE = re.compile(r"^(SCAN (?!CONSTANT ROW|json_each|\(subquery)|SEARCH .*\(tenant_id=\?\)$)")
"""A step that reads a whole table, or all that one tenant has in it."""

ONE_ROW = (
    "trees",
    "tenants",
    "alembic_version",
    "key_fingerprints",
    "issuers",
    "held",
    "calendars",
    "replans",
    "log_heads",
    "figure_heads",
    "figure_folds",
    "blob_uses",
)
"""Tables that have a row a tenant, or hardly any; and the counted few."""

MEANT = {
    "replans.NEXT": "what is due of a few, put in their order",
    "reports.BEHIND": "the queue, which is short, and from it to the events",
    "backlog.UNSEQUENCED": "the first rows of a queue, up to a bound",
    "backlog.DELIVERIES": "the first rows of a queue, up to a bound",
    "backlog.DEAD": "what was given up, up to a bound",
    "lanes.DUE": "the first row of a queue, then the first of the next endpoint",
    "webhooks.LISTENING": "a tenant has few endpoints, and each of them is asked",
    "audit.STRAYS": "an audit goes through everything that there is",
    "audit.OF_TYPE": "an audit goes through everything that there is",
    "audit.REPORTS": "an audit goes through everything that there is",
    "figure_clearing.FIRST_DELTA": "the first of a tenant's, in their order",
    "figure_clearing.SOME_STATES": "the first of a tenant's, in their order",
    "figure_clearing.FIRST_SUM": "the first of a tenant's, in their order",
    "figure_clearing.FIRST_DAYS": "the first of a tenant's, in their order",
    "units.CHILDREN": "a table of figures has them all, with their names",
    "log.BUSY": "one row of a queue, then the first of the next tenant",
    "log.WAITING": "the first of a tenant's queue, in its order",
    "idempotency.FORGET": "once an hour, of what is two days old at most",
    "imports.FORGET": "once an hour, of what is two days old at most",
    "erasure.ANSWERS": "once in a lawful erasure, of what is two days old at most",
    "ciphertexts.count of items.contact_sealed": "before a key is given up, everything is looked at",
    "ciphertexts.count of webhooks.secret_sealed": "before a key is given up, everything is looked at",
    "ciphertexts.count of webhooks.old_secret_sealed": "before a key is given up, everything is looked at",
    "ciphertexts.count of imports.refused_sealed": "before a key is given up, everything is looked at",
    "units.EVERY": "a table of units is judged against the whole tree",
    "units.INSERT": "foreign keys that point to a new unit: looked for only while a transaction leaves some open",
}


@pytest.fixture(scope="module")
def connection(migrated_sqlite: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite.connect(migrated_sqlite, read_only=True)
    yield connection
    connection.close()


def whole(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    """The steps of a statement's plan that read all there is."""
    form = statement.form(sqlite.DIALECT)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {form.text}", [None] * len(form.names)).fetchall()
    return [step for *_, step in plan if WHOLE.match(step) and not step.split()[1].startswith(ONE_ROW)]


@pytest.mark.parametrize("name", [name for name, each in ALL.items() if not each.absent(sqlite.DIALECT)])
def test_a_statement_goes_by_its_key(name: str, connection: sqlite3.Connection) -> None:
    steps = whole(connection, ALL[name])
    assert not steps or name in MEANT, steps


def test_what_is_excepted_still_needs_to_be(connection: sqlite3.Connection) -> None:
    assert all(whole(connection, ALL[name]) for name in MEANT)


def test_an_or_over_two_columns_is_noticed(connection: sqlite3.Connection) -> None:
    tenant = bindparam("tenant_id", type_=units.c.tenant_id.type)
    code = bindparam("code", type_=units.c.code.type)
    bad = select(units.c.id).where(units.c.tenant_id == tenant, any_of(units.c.id, ids("ids")) | (units.c.code == code))
    assert whole(connection, Statement(bad))
