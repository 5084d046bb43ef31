"""The clock: calendars, requests, notices, what the ladder has done, and when to look at an item again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UUIDS = postgresql.ARRAY(sa.Uuid()).with_variant(sa.Text(), "sqlite")
TEXTS = postgresql.ARRAY(sa.Text()).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calendars",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("workdays", JSON, nullable=False),
        sa.Column("holidays", JSON, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "year", name=op.f("pk_calendars")),
    )
    op.create_table(
        "firings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("rung", sa.String(length=32), nullable=False),
        sa.Column("anchor_on", DAY, nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("anchor", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", "cycle", "rung", "anchor_on", "ref", name=op.f("pk_firings")),
    )
    op.create_table(
        "notice_items",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", "notice_id", name=op.f("pk_notice_items")),
    )
    op.create_table(
        "replans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=True),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("stale_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_replans")),
    )
    op.create_table(
        "notices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=500), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("supervising_unit_id", sa.Uuid(), nullable=False),
        sa.Column("copy_unit_ids", UUIDS, nullable=False),
        sa.Column("item_ids", UUIDS, nullable=False),
        sa.Column("rungs", TEXTS, nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("issuer", sa.String(length=200), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=True),
        sa.Column("reply_by", DAY, nullable=True),
        sa.Column("receipt_due", DAY, nullable=True),
        sa.Column("receipt_signed_by", sa.String(length=200), nullable=True),
        sa.Column("receipt_at", INSTANT, nullable=True),
        sa.Column("receipt_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ledger_id"], ["ledgers.tenant_id", "ledgers.id"], name=op.f("fk_notices_tenant_id_ledger_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "tenant_id", "ledger_id", "kind", "year", "seq", name=op.f("uq_notices_tenant_id_ledger_id_kind_year_seq")
        ),
    )
    op.create_table(
        "requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requester", sa.String(length=200), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("asked_on", DAY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_on", DAY, nullable=True),
        sa.Column("responsible_unit_id", sa.Uuid(), nullable=True),
        sa.Column("decide_due", DAY, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decider", sa.String(length=200), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"], ["items.tenant_id", "items.id"], name=op.f("fk_requests_tenant_id_item_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests") as requests:
        requests.create_index(op.f("ix_requests_tenant_id_item_id_id"), ["tenant_id", "item_id", "id"])
        requests.create_index(op.f("ix_requests_tenant_id_status_id"), ["tenant_id", "status", "id"])

    with op.batch_alter_table("interviews") as interviews:
        interviews.add_column(sa.Column("scheduled_at", INSTANT, nullable=True))
        interviews.add_column(sa.Column("place", sa.String(length=200), nullable=True))
        interviews.add_column(sa.Column("notice_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("items") as items:
        items.add_column(sa.Column("passed_on", DAY, nullable=True))
        items.add_column(sa.Column("rungs_from", DAY, nullable=True))
        items.add_column(sa.Column("claim_rule", JSON, nullable=True))
        items.add_column(sa.Column("pending", JSON, nullable=False, server_default="{}"))

    op.execute("DELETE FROM timers")
    with op.batch_alter_table("timers") as timers:
        timers.add_column(sa.Column("ledger_id", sa.Uuid(), nullable=False))
        timers.add_column(sa.Column("unit_id", sa.Uuid(), nullable=False))
        timers.drop_index(op.f("ix_timers_look_at"))
        timers.create_index("ix_timers_due", ["tenant_id", "look_at", "ledger_id", "unit_id", "item_id"])

    with op.batch_alter_table("worklist") as worklist:
        worklist.add_column(sa.Column("item_id", sa.Uuid(), nullable=True))
        worklist.create_index(op.f("ix_worklist_tenant_id_item_id"), ["tenant_id", "item_id"])
    _carry_over()
    # From here on the service gives every value.
    with op.batch_alter_table("items") as items:
        items.alter_column("pending", existing_type=JSON, server_default=None)


def _carry_over() -> None:
    """What stood already gets its place: every open item is looked at soon, and pending interviews are waited for."""
    waits = {
        "postgresql": "jsonb_build_object('interview', jsonb_build_object('id', CAST(talks.id AS text), 'by', NULL,"
        " 'on', CAST(CAST(talks.opened_at AS date) AS text), 'within', 5, 'due', CAST(talks.due_on AS text)))",
        "sqlite": "json_object('interview', json_object('id', talks.id, 'by', NULL,"
        " 'on', substr(talks.opened_at, 1, 10), 'within', 5, 'due', talks.due_on))",
    }[op.get_bind().dialect.name]
    pending = "talks.state IN ('pending', 'scheduled')"
    op.execute("UPDATE worklist SET item_id = ref")
    op.execute(
        "INSERT INTO worklist (tenant_id, ref, unit_id, kind, due, relation, item_id)"
        " SELECT seen.tenant_id, talks.id, seen.unit_id, 'interview', talks.due_on, seen.relation, seen.item_id"
        " FROM worklist AS seen JOIN interviews AS talks"
        f" ON talks.tenant_id = seen.tenant_id AND talks.item_id = seen.ref WHERE {pending}"
    )
    op.execute(
        f"UPDATE items SET pending = (SELECT {waits} FROM interviews AS talks"
        " WHERE talks.tenant_id = items.tenant_id AND talks.id = items.interview_id)"
        " WHERE EXISTS (SELECT 1 FROM interviews AS talks WHERE talks.tenant_id = items.tenant_id"
        f" AND talks.id = items.interview_id AND {pending})"
    )
    op.execute(
        "INSERT INTO timers (tenant_id, item_id, look_at, ledger_id, unit_id)"
        " SELECT tenant_id, id, updated_at, ledger_id, responsible_unit_id FROM items WHERE state <> 'closed'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM worklist WHERE kind NOT IN ('item', 'closed')")
    op.execute("DELETE FROM timers WHERE look_at > '9000-01-01'")
    with op.batch_alter_table("worklist") as worklist:
        worklist.drop_index(op.f("ix_worklist_tenant_id_item_id"))
        worklist.drop_column("item_id")

    with op.batch_alter_table("timers") as timers:
        timers.drop_index("ix_timers_due")
        timers.create_index(op.f("ix_timers_look_at"), ["look_at"])
        timers.drop_column("unit_id")
        timers.drop_column("ledger_id")

    with op.batch_alter_table("items") as items:
        items.drop_column("pending")
        items.drop_column("claim_rule")
        items.drop_column("rungs_from")
        items.drop_column("passed_on")

    with op.batch_alter_table("interviews") as interviews:
        interviews.drop_column("notice_id")
        interviews.drop_column("place")
        interviews.drop_column("scheduled_at")

    with op.batch_alter_table("requests") as requests:
        requests.drop_index(op.f("ix_requests_tenant_id_status_id"))
        requests.drop_index(op.f("ix_requests_tenant_id_item_id_id"))

    op.drop_table("requests")
    op.drop_table("notices")
    op.drop_table("replans")
    op.drop_table("notice_items")
    op.drop_table("firings")
    op.drop_table("calendars")
