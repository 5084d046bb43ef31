"""Every statement of the store, without running it: it compiles on both databases, into what a bare driver can take."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Dialect, bindparam, select

import service.store
from service.store import ciphertexts, feed, figure_items, figure_sums, hooks, items, lists, postgres, sqlite, units
from service.store.database import Statement
from service.store.items import ItemRow
from service.store.scoping import Scoped
from service.store.types import GATE
from service.workflow.items import Item
from service.workflow.queries import Filters, LampDays, Position
from service.workflow.scopes import Scope

DIALECTS = {"postgresql": postgres.DIALECT, "sqlite": sqlite.DIALECT}

GUARDS = {
    "counters.TAKE",
    "units.GUARD_TREE",
    "log.ADVANCE",
    "units.RAISE_EPOCH",
    "units.UPDATE",
    "tenants.RAISE_EPOCH",
    "ledgers.UPDATE",
    "principals.UPDATE",
    "issuers.UPDATE",
    "published.PUBLISHED",
    "webhooks.UPDATE",
    "webhooks.UPDATE_FARING",
    "webhooks.DELETE",
}
"""What only ever stands first: its own row is the condition."""

IN_TURN = {"search.FORGET_WORDS", "search.INDEX_WORDS", "search.INSERT_TEXT_OF_MANY", "search.SWEEP"}
"""Writes of SQLite alone, where a guard that finds nothing has raised before they run."""

BY_LISTS = {"search.INSERT_TEXTS"}
"""Writes of PostgreSQL alone, which takes many rows as lists; SQLite has its own beside them."""

UNGUARDED = {"idempotency.FORGET", "imports.FORGET", "keys.USED"}
"""Housekeeping: no decision stands behind it."""


FIGURES = (
    ("month",),
    ("unit", "below"),
    ("ledger", "below", "ledgers", "severities", "sources"),
    ("severity", "below", "category"),
    ("unit", "below", "alone"),
)  # fmt: skip
"""What tables of figures are by and narrowed to, some of each."""


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement that a module of the store holds, by its name."""
    for module in pkgutil.iter_modules(service.store.__path__):
        inside = vars(importlib.import_module(f"service.store.{module.name}"))
        for name, value in inside.items():
            if isinstance(value, Statement):
                yield f"{module.name}.{name}", value
            if isinstance(value, Scoped):
                yield f"{module.name}.{name}", value.plain
                yield f"{module.name}.{name}(alone)", value.alone


def composed() -> Iterator[tuple[str, Statement]]:
    """Those that are made for a shape on demand: an item's columns, one of each kind."""
    for columns in (("state",), tuple(sorted(Item.__dataclass_fields__.keys() - {"id", "revision"})), ()):
        yield f"items.write({len(columns)} columns)", items.write(columns)
    for column in ciphertexts.COLUMNS:
        for name, statement in column.statements.items():
            yield f"ciphertexts.{name} of {column.table}.{column.name}", statement
    for by, *filters in FIGURES:
        name, narrowed = ", ".join([by, *filters]), tuple(filters)
        if "category" not in filters:
            yield f"figure_sums.joined({name})", figure_sums.joined(by, narrowed)
        if by in ("month", "unit"):
            yield f"figure_sums.rolled({by})", figure_sums.rolled(by)
            yield f"figure_sums.rolled_closings({by})", figure_sums.rolled_closings(by)
        yield f"figure_sums.days({name})", figure_sums.days(by, narrowed)
        yield f"figure_sums.days({name}, repeated)", figure_sums.days(by, narrowed, "month")
        yield f"figure_sums.unfolded({name})", figure_sums.unfolded(by, narrowed)
        yield f"figure_sums.closings({name})", figure_sums.closings(by, narrowed)
        yield f"figure_items.on_days({name})", figure_items.on_days(narrowed, True)
        yield f"figure_items.lasting({name})", figure_items.lasting(narrowed)
    for alone in (False, True):
        name = "alone" if alone else "plain"
        yield f"feed.scan({name})", feed.scan(False, True, True, True, alone)
        yield f"hooks.statement({name})", hooks.statement(hooks.NARROWED, alone)
        yield f"units.paging({name})", units.paging((), alone)


ALL = dict([*statements(), *composed()])
WRITES = ("INSERT", "UPDATE", "DELETE")

every_statement = pytest.mark.parametrize("name", ALL)
on_both = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


def text_of(name: str, dialect: Dialect) -> str:
    return "" if ALL[name].absent(dialect) else ALL[name].form(dialect).text


def test_the_store_holds_statements() -> None:
    assert len(ALL) > 40
    assert {name.partition(".")[0] for name in ALL} >= {"items", "events", "worklist", "units", "search", "progress"}


@every_statement
@on_both
def test_a_statement_compiles_into_text_with_a_place_for_each_parameter(name: str, dialect: Dialect) -> None:
    if ALL[name].absent(dialect):
        return
    form = ALL[name].form(dialect)

    if dialect.name == "postgresql":
        assert {int(each) for each in re.findall(r"\$(\d+)", form.text)} == set(range(1, len(form.names) + 1))
    else:
        assert form.text.count("?") == len(form.names)
    assert set(form.defaults) <= set(form.names)


@every_statement
@on_both
def test_a_statement_has_no_list_that_would_have_to_be_expanded(name: str, dialect: Dialect) -> None:
    assert "POSTCOMPILE" not in text_of(name, dialect)
    assert "__[" not in text_of(name, dialect)


@on_both
def test_an_expanding_in_would_be_noticed(dialect: Dialect) -> None:
    wanted = bindparam("wanted", expanding=True)
    text = Statement(select(ItemRow.id).where(ItemRow.id.in_(wanted))).form(dialect).text

    assert "POSTCOMPILE" in text


@every_statement
def test_a_write_waits_for_the_guard_before_it(name: str) -> None:
    """On PostgreSQL guard and writes are one statement: without a gate a write happens whatever the guard found."""
    text = text_of(name, postgres.DIALECT)
    if not text.startswith(WRITES) or name in GUARDS | UNGUARDED or name.startswith("items.write("):
        return
    # A write that draws from several selects needs a gate in each.
    assert text.count(GATE) == max(1, text.count("UNION ALL") + 1)


@every_statement
def test_what_differs_by_database_is_there_for_both_or_meant_for_one(name: str) -> None:
    absent = {dialect for dialect, known in DIALECTS.items() if ALL[name].absent(known)}

    assert absent == ({"postgresql"} if name in IN_TURN else {"sqlite"} if name in BY_LISTS else set())


@every_statement
@on_both
def test_a_statement_reads_no_clock_and_no_chance(name: str, dialect: Dialect) -> None:
    """Time and random values are parameters: every copy of the data must come to the same."""
    assert not re.search(r"\b(now\(|current_(date|time)|random\(|gen_random|clock_)", text_of(name, dialect).lower())


@every_statement
@on_both
def test_a_statement_names_the_tenant_of_every_table_it_touches(name: str, dialect: Dialect) -> None:
    text = text_of(name, dialect)
    tables = {"items", "worklist", "ancestors", "units", "ledgers", "events", "progress", "interviews", "search_texts"}
    touched = re.findall(rf"(?:FROM|JOIN|UPDATE) ({'|'.join(tables)})\b(?: AS (\w+))?", text)

    for table, alias in touched:
        assert re.search(rf"\b(?:{alias or table}\.)?tenant_id\b", text), f"{table} in {text}"


# -- lists are composed for what they are asked


class Recorder:
    """A transaction that runs nothing: it keeps the statements that it is given, and finds as little as it may."""

    contended = False

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    async def all(self, statement: Statement, **params: Any) -> list[Any]:
        self._keep(statement, params)
        return [[None] * 100 + [0]] if "needle" in params else []

    async def one(self, statement: Statement, **params: Any) -> Any:
        self._keep(statement, params)
        return [0]

    def _keep(self, statement: Statement, params: dict[str, Any]) -> None:
        self.statements.append(statement)
        for dialect in DIALECTS.values():
            if not statement.absent(dialect):
                statement.form(dialect).arguments(params)


AN_ID, TODAY, NOW = UUID(int=7), date(2026, 1, 5), datetime(2026, 1, 5, 8, tzinfo=UTC)

FILTERS = {
    "none": Filters(),
    "overdue": Filters(overdue=True),
    "not overdue": Filters(overdue=False),
    "open": Filters(states=("open", "rectifying")),
    "closed": Filters(states=("closed",)),
    "units": Filters(units=(AN_ID, UUID(int=8))),
    "lamps": Filters(lamps=(LampDays((AN_ID,), ((TODAY, TODAY),)),)),
    "search": Filters(q="饮水"),
    "everything": Filters(
        states=("open", "closed"), ledgers=(AN_ID,), units=(AN_ID,), supervising_units=(AN_ID,),
        severities=("serious",), sources=("audit",), labels=("饮水",), external_refs=("12345-1",),
        due_after=TODAY, due_before=TODAY, listed_after=NOW, listed_before=NOW, q="饮水",
    ),
}  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("sort", ["due_on", "-due_on", "-listed_at", "-updated_at"])
@pytest.mark.parametrize("begins", ["at the first", "behind a row", "behind a row without a date"])
@pytest.mark.parametrize(
    "scope", [Scope((AN_ID, UUID(int=9))), Scope((AN_ID,), (UUID(int=9),))], ids=["plain", "alone"]
)
async def test_a_list_of_any_shape_compiles_and_has_all_its_parameters(
    filters: Filters, sort: str, begins: str, scope: Scope
) -> None:
    by_time = sort in ("-listed_at", "-updated_at")
    if by_time and begins == "behind a row without a date":
        return
    after = {
        "at the first": None,
        "behind a row": Position(NOW if by_time else TODAY, AN_ID),
        "behind a row without a date": Position(None, AN_ID),
    }[begins]
    tx = Recorder()

    await lists.page(
        tx, tenant_id=AN_ID, scope=scope, filters=filters, sort=sort, after=after, limit=50,
        today=TODAY, total=True,
    )  # fmt: skip

    assert len(tx.statements) >= 2
    for statement in tx.statements:
        for dialect in DIALECTS.values():
            text = statement.form(dialect).text
            assert "POSTCOMPILE" not in text
            # SQLite's compiler adds one of zero to a LIMIT within.
            assert dialect.name == "sqlite" or "OFFSET" not in text
