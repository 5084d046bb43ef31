"""Full-text search of items: pairs of characters in the database's own index, the substring as the judge.

PostgreSQL keeps the pairs as a tsvector under GIN; SQLite in a contentless FTS5 table linked by `serial`. Neither can
say the other's words, so these tables stand outside the common metadata and their migration is written by hand.
"""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import Text, Uuid

from service.store.database import Changes, Statement
from service.store.types import GATE, TextList, UuidList
from service.workflow.bigrams import grams, normalise, query_grams
from service.workflow.items import Item


def _sql(statement: str) -> TextClause:
    known: dict[str, Any] = {"tenant_id": Uuid(), "item_id": Uuid(), "text": Text(), "grams": TextList, "words": Text(),
             "old_words": Text(), "item_ids": UuidList, "many_texts": TextList, "many_words": TextList}  # fmt: skip
    clause = text(statement)
    names = [name for name in known if re.search(rf":{name}\b", statement)]
    return clause.bindparams(*(bindparam(name, type_=known[name]) for name in names))


INSERT_TEXT = Statement(
    postgresql=_sql(
        "INSERT INTO search_texts (tenant_id, item_id, text, grams)"
        f" SELECT CAST(:tenant_id AS uuid), CAST(:item_id AS uuid), CAST(:text AS text),"
        f" array_to_tsvector(CAST(:grams AS text[])) WHERE {GATE}"
    ),
    sqlite=_sql("INSERT INTO search_texts (tenant_id, item_id, text) VALUES (:tenant_id, :item_id, :text)"),
)

INSERT_TEXTS = Statement(
    postgresql=_sql(
        "INSERT INTO search_texts (tenant_id, item_id, text, grams)"
        " SELECT CAST(:tenant_id AS uuid), unnest(CAST(:item_ids AS uuid[])), unnest(CAST(:many_texts AS text[])),"
        f" array_to_tsvector(string_to_array(unnest(CAST(:many_words AS text[])), ' ')) WHERE {GATE}"
    ),
)
"""The same for many items at once; a text goes with the id in its place."""

INSERT_TEXT_OF_MANY = Statement(
    sqlite=_sql("INSERT INTO search_texts (tenant_id, item_id, text) VALUES (:tenant_id, :item_id, :text)")
)

INDEX_WORDS = Statement(
    sqlite=_sql(
        "INSERT INTO search_words (rowid, words)"
        " SELECT serial, :words FROM search_texts WHERE tenant_id = :tenant_id AND item_id = :item_id"
    )
)

FORGET_WORDS = Statement(
    sqlite=_sql(
        "INSERT INTO search_words (search_words, rowid, words)"
        " SELECT 'delete', serial, :old_words FROM search_texts WHERE tenant_id = :tenant_id AND item_id = :item_id"
    )
)

SWEEP = Statement(sqlite=_sql("INSERT INTO search_words (search_words) VALUES ('optimize')"))
"""A forgotten word stands in the index, marked as forgotten, until its segments are merged."""

UPDATE_TEXT = Statement(
    postgresql=_sql(
        "UPDATE search_texts SET text = CAST(:text AS text), grams = array_to_tsvector(CAST(:grams AS text[]))"
        f" WHERE tenant_id = CAST(:tenant_id AS uuid) AND item_id = CAST(:item_id AS uuid) AND {GATE}"
    ),
    sqlite=_sql("UPDATE search_texts SET text = :text WHERE tenant_id = :tenant_id AND item_id = :item_id"),
)

SEARCHED = frozenset(
    {
        "title", "description", "category", "goal", "measures", "responsible_person", "source_ref", "labels",
        "external_ref",
    }
)  # fmt: skip
"""The columns whose correction changes what is found."""


def searched_text(item: Item) -> str:
    """What of an item can be found. Who complained is not among it."""
    parts = (item.number, item.external_ref, item.title, item.description, item.category, item.goal, item.measures,
             item.responsible_person, item.source_ref, *item.labels)  # fmt: skip
    return "\n".join(normalise(part) for part in parts if part)


def add(changes: Changes, tenant_id: UUID, items: list[Item]) -> None:
    rows = [_row(tenant_id, item) for item in items]
    changes.many(INSERT_TEXT, [{name: row[name] for name in ("tenant_id", "item_id", "text", "grams")} for row in rows])
    changes.many(INDEX_WORDS, [{name: row[name] for name in ("tenant_id", "item_id", "words")} for row in rows])


def add_many(changes: Changes, tenant_id: UUID, items: list[Item]) -> None:
    """The same as `add`, in one statement where the database takes lists."""
    rows = [_row(tenant_id, item) for item in items]
    changes.add(
        INSERT_TEXTS,
        tenant_id=tenant_id,
        item_ids=[row["item_id"] for row in rows],
        many_texts=[row["text"] for row in rows],
        many_words=[row["words"] for row in rows],
    )
    changes.many(INSERT_TEXT_OF_MANY, [{name: row[name] for name in ("tenant_id", "item_id", "text")} for row in rows])
    changes.many(INDEX_WORDS, [{name: row[name] for name in ("tenant_id", "item_id", "words")} for row in rows])


def replace(changes: Changes, tenant_id: UUID, before: Item, after: Item) -> None:
    """Index a corrected item anew. A contentless index forgets only what it is told word for word."""
    row = _row(tenant_id, after)
    old = " ".join(grams(searched_text(before)))
    changes.add(FORGET_WORDS, tenant_id=tenant_id, item_id=after.id, old_words=old)
    changes.add(UPDATE_TEXT, tenant_id=tenant_id, item_id=after.id, text=row["text"], grams=row["grams"])
    changes.add(INDEX_WORDS, tenant_id=tenant_id, item_id=after.id, words=row["words"])


def _row(tenant_id: UUID, item: Item) -> dict[str, Any]:
    searched = searched_text(item)
    pairs = grams(searched)
    return {
        "tenant_id": tenant_id,
        "item_id": item.id,
        "text": searched,
        "grams": pairs,
        "words": " ".join(pairs),
    }


def tsquery(normalised: str) -> str:
    """The query for PostgreSQL: every pair, and for a lone character anything that begins with it."""
    pairs, singles = query_grams(normalised)
    quoted = [f"'{_escape(pair)}'" for pair in pairs] + [f"'{_escape(single)}':*" for single in singles]
    return " & ".join(quoted)


def _escape(gram: str) -> str:
    return gram.replace("\\", "\\\\").replace("'", "''")


def match_words(normalised: str) -> str:
    """The query for FTS5, each pair quoted so that nothing in it is an operator; without one it finds nothing."""
    pairs, singles = query_grams(normalised)
    quoted = [f'"{pair}"' for pair in pairs] + [f'"{single}" *' for single in singles]
    return " AND ".join(quoted) or '""'
