"""Every statement names the tenant: each table it touches is bound to it, or joined on it to one that is.

The trees are read, not the texts, so that a condition under OR or NOT does not pass for one.
"""

import itertools
import random
import re
from typing import Any

import pytest
from sqlalchemy import Dialect, and_, bindparam, delete, exists, insert, not_, or_, select, text, union_all, update
from sqlmodel import SQLModel

from service.store import list_statements
from service.store.database import Statement
from service.store.list_conditions import _ITEM_FILTERS, BY_TIME, Shape, items, tenant, work
from service.store.units import Ancestor, UnitRow
from service.store.worklist import CLOSED_ITEM, OPEN_ITEM
from tests.store.tenant_bound import FOUND_BY, TEXT_TABLES, WITHOUT_TENANT, read
from tests.store.test_statements import ALL, DIALECTS

ACROSS_TENANTS = {
    "tenants.HOMES": "the operator's change of keys concerns every tenant",
    "tenants.ALL": "upkeep goes through every tenant in turn",
    "lanes.DUE": "couriers find which endpoints have something due, once a tick",
    "figure_upkeep.BEHIND": "workers find whose figures are not counted or not summed up to the end, once a tick",
    "log.BUSY": "the sequencer finds whose events wait for a position, once a tick",
    "feed.SIZES": "readers who wait are told that their tenant's log has grown, all by one question",
    "published.GROWN": "upkeep finds whose log has grown since its last published checkpoint, once an hour",
    "timers.DUE_TENANTS": "the clock finds whose items wait for a look, once a tick",
    "timers.BACKLOG": "how many items wait for a look, for the operator of the installation",
    "backlog.UNSEQUENCED": "how many events wait for a position, for the operator of the installation",
    "backlog.DELIVERIES": "how many deliveries wait, for the operator of the installation",
    "backlog.FIGURES": "how many events wait for the figures, for the operator of the installation",
    "backlog.DEAD": "how many deliveries were given up, for the operator of the installation",
    "blobs.USED_BY_ALL": "how many bytes the installation keeps, for its operator",
    "replans.NEXT": "the clock finds which changes of calendars and policies wait, once a tick",
    "replans.COUNT": "how many of these wait, for the operator of the installation",
}
"""Statements that look across tenants, and why."""

TABLES = {*SQLModel.metadata.tables, *TEXT_TABLES, *WITHOUT_TENANT}


def clauses(statement: Statement) -> list[tuple[Dialect, Any]]:
    return [
        (dialect, statement._by_dialect.get(name, statement.clause))
        for name, dialect in DIALECTS.items()
        if not statement.absent(dialect)
    ]


def problems(statement: Statement) -> list[str]:
    """What is wrong with it on either database; also a table of its text that was not met in its tree."""
    found = []
    for dialect, clause in clauses(statement):
        reading = read(clause)
        written = set(re.findall(r"\w+", statement.form(dialect).text)) & TABLES
        found += [*reading.problems, *(f"{name} was not met in the tree" for name in written - reading.tables)]
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_table_of_a_statement_is_bound_to_the_tenant(name: str) -> None:
    if name in ACROSS_TENANTS:
        assert problems(ALL[name]), "it needs no exception"
    else:
        assert problems(ALL[name]) == []


def test_the_exceptions_name_what_there_is() -> None:
    assert ACROSS_TENANTS.keys() <= ALL.keys()
    assert FOUND_BY.keys() <= SQLModel.metadata.tables.keys()
    tenantless = {name for name, table in SQLModel.metadata.tables.items() if "tenant_id" not in table.c}
    assert tenantless | {"search_words", "alembic_version"} == set(WITHOUT_TENANT)


# -- lists are composed for what they are asked

FILTERS = (*_ITEM_FILTERS, "labels", "due_after", "due_before", "overdue", "not_overdue")
SHAPES_TRIED = 400


def shapes() -> list[Shape]:
    """Each filter alone, all together, and a draw from everything else that can be asked for; the same every time."""
    draw = random.Random(SHAPES_TRIED)
    chosen = [(), FILTERS, *((each,) for each in FILTERS)]
    everything = itertools.product(
        ((OPEN_ITEM,), (CLOSED_ITEM,), (OPEN_ITEM, CLOSED_ITEM)), (1, 2, 3), (False, True), chosen,
        (None, (), (1,), (2, 0)), ("due_on", "-due_on", *BY_TIME), ("", "dated", "undated"),
        (False, True), (False, True), (False, True),
    )  # fmt: skip
    possible = [
        Shape(*each) for each in everything if not (each[6] == "undated" and each[5] in BY_TIME) and each[7] >= each[9]
    ]
    return draw.sample(possible, SHAPES_TRIED)


def test_lists_of_every_shape_are_bound_to_the_tenant() -> None:
    tried = shapes()
    assert {name for shape in tried for name in shape.filters} == set(FILTERS)
    for shape in tried:
        for compose in (list_statements.statement, list_statements.counting):
            assert problems(compose.__wrapped__(shape)) == [], (compose, shape)


# -- the reading can fail

other = items.alias("other")
TENANT = tenant()
OWN = items.c.tenant_id == TENANT
units, ancestors = UnitRow.__table__, Ancestor.__table__  # type: ignore[attr-defined]
AN_ID = bindparam("id")

GOOD = {
    "its own condition": select(items.c.id).where(OWN, items.c.id == AN_ID),
    "joined on the tenant": select(items.c.id).join(work, work.c.tenant_id == items.c.tenant_id).where(OWN),
    "joined through a third": select(units.c.id)
    .join(ancestors, ancestors.c.tenant_id == units.c.tenant_id)
    .join(work, work.c.tenant_id == ancestors.c.tenant_id)
    .where(work.c.tenant_id == TENANT),
    "an outer join's right side": select(items.c.id).outerjoin(work, work.c.tenant_id == items.c.tenant_id).where(OWN),
    "a select that leans on the one around it": select(items.c.id).where(
        OWN, ~exists().where(work.c.tenant_id == items.c.tenant_id, work.c.ref == items.c.id)
    ),
    "a subquery's own": select(select(work.c.ref).where(work.c.tenant_id == TENANT).subquery().c.ref),
    "a subquery that hands it on": select(items.c.id).join(
        (mine := select(work.c.tenant_id, work.c.ref).where(work.c.tenant_id == TENANT).subquery()),
        mine.c.tenant_id == items.c.tenant_id,
    ),
    "an insert": insert(ancestors).from_select(["tenant_id", "unit_id"], select(TENANT, AN_ID)),
    "text": text("SELECT 1 FROM search_texts WHERE item_id = :item AND tenant_id = :tenant_id"),
    "text on two levels": text("SELECT 1 FROM (SELECT * FROM search_texts WHERE tenant_id = :tenant_id) AS mine"
                               " WHERE item_id = :item").columns(),
}  # fmt: skip

BAD = {
    "no tenant": select(items.c.id).where(items.c.id == AN_ID),
    "joined on the id alone": select(items.c.id).join(work, work.c.ref == items.c.id).where(OWN),
    "under OR": select(items.c.id).where(or_(OWN, items.c.listed_by == AN_ID)),
    "under OR with itself": select(items.c.id).join(work, work.c.ref == items.c.id).where(
        or_(and_(OWN, work.c.tenant_id == TENANT), items.c.id == AN_ID)
    ),
    "negated": select(items.c.id).where(not_(and_(OWN, items.c.id == AN_ID))),
    "unequal": select(items.c.id).where(items.c.tenant_id != TENANT),
    "another parameter": select(items.c.id).where(items.c.tenant_id == bindparam("owner")),
    "another column": select(items.c.id).where(items.c.ledger_id == TENANT),
    "two bound to each other alone": select(items.c.id).join(other, other.c.tenant_id == items.c.tenant_id),
    "an outer join's left side": select(items.c.id).outerjoin(work, and_(work.c.tenant_id == TENANT, OWN)),
    "an alias beside the bound one": select(items.c.id).where(OWN, other.c.id == items.c.id),
    "a select within, by id": select(items.c.id).where(OWN, exists().where(work.c.ref == items.c.id)),
    "a select in a column": select(items.c.id, select(work.c.due).where(work.c.ref == AN_ID).scalar_subquery()).where(
        OWN
    ),
    "a branch of a union": union_all(select(items.c.id).where(OWN), select(items.c.id).where(items.c.id == AN_ID)),
    "a subquery": select(select(work.c.ref).where(work.c.ref == AN_ID).subquery().c.ref),
    "a common table expression": select(select(work.c.ref).where(work.c.ref == AN_ID).cte().c.ref),
    "a subquery's other value under the name": select(items.c.id).join(
        (fake := select(units.c.id.label("tenant_id")).where(units.c.tenant_id == TENANT).subquery()),
        fake.c.tenant_id == items.c.tenant_id,
    ),
    "an update": update(items).where(items.c.id == AN_ID).values(title="x"),
    "an update that gives it away": update(items).where(OWN).values(tenant_id=AN_ID),
    "a delete": delete(work).where(work.c.ref == AN_ID),
    "an insert without": insert(ancestors).from_select(["unit_id"], select(AN_ID)),
    "an insert of another's": insert(ancestors).from_select(["tenant_id", "unit_id"], select(AN_ID, AN_ID)),
    "an insert from an unbound select": insert(ancestors).from_select(
        ["tenant_id", "unit_id"], select(TENANT, units.c.id).where(units.c.id == AN_ID)
    ),
    "a key that is not whole": select(SQLModel.metadata.tables["trusted_issuers"].c.tenant_id).where(
        SQLModel.metadata.tables["trusted_issuers"].c.issuer == bindparam("issuer")
    ),
    "text without": text("SELECT 1 FROM search_texts WHERE item_id = :item"),
    "text with OR": text("SELECT 1 FROM search_texts WHERE tenant_id = :tenant_id OR item_id = :item"),
    "text bound on another level": text("SELECT 1 FROM search_texts WHERE item_id IN"
                                        " (SELECT item_id FROM search_texts WHERE tenant_id = :tenant_id)"),
    "text with another parameter": text("SELECT 1 FROM search_texts WHERE tenant_id = :tenant_id_of_another"),
    "text that inserts": text("INSERT INTO search_texts (item_id, tenant_id) VALUES (:tenant_id, :item_id)"),
    "text in a condition": select(items.c.id).where(OWN, text("id IN (SELECT item_id FROM search_texts)")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_bound_passes(name: str) -> None:
    assert read(GOOD[name]).problems == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_bound_is_found(name: str) -> None:
    assert read(BAD[name]).problems
