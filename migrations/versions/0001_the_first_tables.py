"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UUIDS = postgresql.ARRAY(sa.Uuid()).with_variant(sa.Text(), "sqlite")
TEXTS = postgresql.ARRAY(sa.Text()).with_variant(sa.Text(), "sqlite")

FOREIGN_KEYS = [
    ("fk_units_tenant_id_parent_id", "units", "units", ["tenant_id", "parent_id"], ["tenant_id", "id"]),
    ("fk_grants_tenant_id_principal_id", "grants", "principals", ["tenant_id", "principal_id"], ["tenant_id", "id"]),
    ("fk_grants_tenant_id_unit_id", "grants", "units", ["tenant_id", "unit_id"], ["tenant_id", "id"]),
    ("fk_keys_tenant_id_principal_id", "keys", "principals", ["tenant_id", "principal_id"], ["tenant_id", "id"]),
    ("fk_ledgers_tenant_id_owner_unit_id", "ledgers", "units", ["tenant_id", "owner_unit_id"], ["tenant_id", "id"]),
    ("fk_items_tenant_id_ledger_id", "items", "ledgers", ["tenant_id", "ledger_id"], ["tenant_id", "id"]),
    (
        "fk_items_tenant_id_responsible_unit_id",
        "items",
        "units",
        ["tenant_id", "responsible_unit_id"],
        ["tenant_id", "id"],
    ),
    (
        "fk_items_tenant_id_supervising_unit_id",
        "items",
        "units",
        ["tenant_id", "supervising_unit_id"],
        ["tenant_id", "id"],
    ),
    ("fk_interviews_tenant_id_item_id", "interviews", "items", ["tenant_id", "item_id"], ["tenant_id", "id"]),
    ("fk_progress_tenant_id_item_id", "progress", "items", ["tenant_id", "item_id"], ["tenant_id", "id"]),
]


def inline(table: str) -> list[sa.ForeignKeyConstraint]:
    """SQLite takes foreign keys only with their table."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [
        sa.ForeignKeyConstraint(columns, [f"{target}.{column}" for column in referred], name=name)
        for name, source, target, columns, referred in FOREIGN_KEYS
        if source == table
    ]


def afterwards() -> None:
    """PostgreSQL takes them once all tables stand, so that tables may be distributed before."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for name, source, target, columns, referred in FOREIGN_KEYS:
        op.create_foreign_key(name, source, target, columns, referred)


def search_tables() -> None:
    """Pairs of characters: a tsvector under GIN, or a contentless FTS5 table linked by `serial`."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TABLE search_texts (serial INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id CHAR(32) NOT NULL,"
            " item_id CHAR(32) NOT NULL, text TEXT NOT NULL,"
            " CONSTRAINT uq_search_texts UNIQUE (tenant_id, item_id))"
        )
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5(words, content='', tokenize='unicode61 remove_diacritics 0')"
        )
        return
    op.execute(
        "CREATE TABLE search_texts (tenant_id uuid NOT NULL, item_id uuid NOT NULL, text text NOT NULL,"
        " grams tsvector NOT NULL, CONSTRAINT pk_search_texts PRIMARY KEY (tenant_id, item_id))"
    )
    op.execute("CREATE INDEX ix_search_texts_grams ON search_texts USING gin (grams)")


def upgrade() -> None:
    op.create_table(
        "ancestors",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("ancestor_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "unit_id", "distance", name=op.f("pk_ancestors")),
    )
    op.create_index(
        op.f("ix_ancestors_tenant_id_ancestor_id_unit_id"),
        "ancestors",
        ["tenant_id", "ancestor_id", "unit_id"],
        unique=False,
    )
    op.create_table(
        "counters",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "ledger_id", "kind", "year", name=op.f("pk_counters")),
    )
    op.create_table(
        "credentials",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_credentials")),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("audience", UUIDS, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("beside", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_events")),
    )
    op.create_index("uq_events_item", "events", ["tenant_id", "item_id", "revision", "ordinal"], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(length=300), nullable=True),
        sa.Column("etag", sa.String(length=40), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(
        op.f("ix_idempotency_created_at_tenant_id"), "idempotency", ["created_at", "tenant_id"], unique=False
    )
    op.create_table(
        "key_fingerprints",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_key_fingerprints")),
    )
    op.create_table(
        "principals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_principals")),
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("calendar_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("code", name=op.f("uq_tenants_code")),
    )
    op.create_table(
        "timers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("look_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", name=op.f("pk_timers")),
    )
    op.create_index(op.f("ix_timers_look_at"), "timers", ["look_at"], unique=False)
    op.create_table(
        "trees",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_trees")),
    )
    op.create_table(
        "units",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        *inline("units"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_units")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_units_tenant_id_code")),
    )
    op.create_table(
        "unsequenced",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_unsequenced")),
    )
    op.create_table(
        "worklist",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("due", DAY, nullable=False),
        sa.Column("relation", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "ref", "unit_id", name=op.f("pk_worklist")),
    )
    op.create_index("ix_worklist_due", "worklist", ["tenant_id", "unit_id", "kind", "due", "ref"], unique=False)
    op.create_table(
        "grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("subtree", sa.Boolean(), nullable=False),
        sa.Column("until", DAY, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        *inline("grants"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_tenant_id_principal_id"), "grants", ["tenant_id", "principal_id"], unique=False)
    op.create_table(
        "keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        *inline("keys"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_keys")),
    )
    op.create_table(
        "ledgers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_unit_id", sa.Uuid(), nullable=False),
        sa.Column("listing", sa.String(length=16), nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("policy_epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        *inline("ledgers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledgers")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_ledgers_tenant_id_code")),
    )
    op.create_table(
        "items",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("external_ref", sa.String(length=200), nullable=True),
        sa.Column("external_owner", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category", sa.String(length=100), nullable=True),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("source_kind", sa.String(length=16), nullable=True),
        sa.Column("source_ref", sa.String(length=200), nullable=True),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("responsible_unit_id", sa.Uuid(), nullable=False),
        sa.Column("supervising_unit_id", sa.Uuid(), nullable=False),
        sa.Column("supervising_defaulted", sa.Boolean(), nullable=False),
        sa.Column("co_unit_ids", UUIDS, nullable=False),
        sa.Column("responsible_person", sa.String(length=200), nullable=True),
        sa.Column("goal", sa.Text(), nullable=True),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("found_on", DAY, nullable=True),
        sa.Column("listed_at", INSTANT, nullable=False),
        sa.Column("listed_by", sa.Uuid(), nullable=False),
        sa.Column("deadline_kind", sa.String(length=16), nullable=False),
        sa.Column("due_on", DAY, nullable=True),
        sa.Column("review_on", DAY, nullable=True),
        sa.Column("deadline_text", sa.String(length=500), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("deadline_rule", JSON, nullable=True),
        sa.Column("claim_due", DAY, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("extension_count", sa.Integer(), nullable=False),
        sa.Column("extension_days", sa.Integer(), nullable=False),
        sa.Column("extended_late", sa.Integer(), nullable=False),
        sa.Column("escalation_count", sa.Integer(), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.Column("hands", JSON, nullable=False),
        sa.Column("claim_signed_by", sa.String(length=200), nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("interview_id", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.String(length=16), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("closed_days_late", sa.Integer(), nullable=True),
        sa.Column("labels", TEXTS, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("policy_epoch", sa.Integer(), nullable=False),
        sa.Column("calendar_epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        *inline("items"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_items")),
        sa.UniqueConstraint("tenant_id", "ledger_id", "number", name=op.f("uq_items_tenant_id_ledger_id_number")),
    )
    op.create_index("ix_items_external_ref", "items", ["tenant_id", "external_ref"], unique=False)
    op.create_index("ix_items_listed_at", "items", ["tenant_id", "listed_at", "id"], unique=False)
    op.create_index("ix_items_updated_at", "items", ["tenant_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_items_external_ref",
        "items",
        ["tenant_id", "ledger_id", "external_owner", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
        sqlite_where=sa.text("external_ref IS NOT NULL"),
    )
    op.create_table(
        "interviews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("due_on", DAY, nullable=False),
        sa.Column("held_on", DAY, nullable=True),
        sa.Column("attendees", TEXTS, nullable=False),
        sa.Column("minutes", sa.Text(), nullable=True),
        sa.Column("commitments", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=True),
        sa.Column("seal_salt", sa.LargeBinary(), nullable=True),
        *inline("interviews"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_interviews")),
    )
    op.create_index(op.f("ix_interviews_tenant_id_item_id"), "interviews", ["tenant_id", "item_id"], unique=False)
    op.create_table(
        "progress",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        *inline("progress"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_progress")),
    )
    op.create_index(op.f("ix_progress_tenant_id_item_id_id"), "progress", ["tenant_id", "item_id", "id"], unique=False)
    search_tables()
    afterwards()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.execute("DROP TABLE search_texts")
    op.drop_table("progress")
    op.drop_table("interviews")
    op.drop_table("items")
    op.drop_table("ledgers")
    op.drop_table("keys")
    op.drop_table("grants")
    op.drop_table("worklist")
    op.drop_table("unsequenced")
    op.drop_table("units")
    op.drop_table("trees")
    op.drop_table("timers")
    op.drop_table("tenants")
    op.drop_table("principals")
    op.drop_table("key_fingerprints")
    op.drop_table("idempotency")
    op.drop_table("events")
    op.drop_table("credentials")
    op.drop_table("counters")
    op.drop_table("ancestors")
