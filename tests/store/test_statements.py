"""Every statement of the store, without running it: it compiles on both databases, into what a bare driver can take."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Dialect, bindparam, select

import service.store
from service.store import items, lists, postgres, sqlite
from service.store.database import Statement
from service.store.items import ItemRow
from service.store.types import GATE
from service.workflow.items import Item

DIALECTS = {"postgresql": postgres.DIALECT, "sqlite": sqlite.DIALECT}

GUARDS = {"counters.TAKE", "units.GUARD_TREE", "ledgers.UPDATE"}
"""What only ever stands first: its own row is the condition."""

IN_TURN = {"search.FORGET_WORDS", "search.INDEX_WORDS"}
"""Writes of SQLite alone, where a guard that finds nothing has raised before they run."""

UNGUARDED = {"idempotency.FORGET"}
"""Housekeeping: no decision stands behind it."""


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement that a module of the store holds, by its name."""
    for module in pkgutil.iter_modules(service.store.__path__):
        inside = vars(importlib.import_module(f"service.store.{module.name}"))
        for name, value in inside.items():
            if isinstance(value, Statement):
                yield f"{module.name}.{name}", value


def composed() -> Iterator[tuple[str, Statement]]:
    """Those that are made for a shape on demand: an item's columns, one of each kind."""
    for columns in (("state",), tuple(sorted(Item.__dataclass_fields__.keys() - {"id", "revision"})), ()):
        yield f"items.write({len(columns)} columns)", items.write(columns)


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
    """On PostgreSQL guard and writes are one statement: a write without a gate would happen whatever the guard found."""
    text = text_of(name, postgres.DIALECT)
    if not text.startswith(WRITES) or name in GUARDS | UNGUARDED or name.startswith("items.write("):
        return
    # A write that draws from several selects needs a gate in each.
    assert text.count(GATE) == max(1, text.count("UNION ALL") + 1)


@every_statement
def test_what_differs_by_database_is_there_for_both_or_meant_for_one(name: str) -> None:
    absent = {dialect for dialect, known in DIALECTS.items() if ALL[name].absent(known)}

    assert absent == ({"postgresql"} if name in IN_TURN else set())


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


SHAPES = [lists.Shape(**given) for given in ()]
