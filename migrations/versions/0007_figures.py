"""Figures: single counts, what is kept of each item to make the next, and their sums by months."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DAY = sa.Date().with_variant(sa.Text(), "sqlite")

METRICS = (
    "listed", "claims_due", "claimed_on_time", "closed", "fell_due", "closed_on_time", "overdue_begun",
    "overdue_ended", "rectifying_begun", "rectifying_ended", "extended", "extended_late", "closures_decided",
    "closures_returned", "reopened", "interviews_held", "annulled", "annulled_overdue",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "figure_deltas",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("metric", sa.String(length=24), nullable=False),
        sa.Column("day", DAY, nullable=False),
        sa.Column("month", DAY, nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("count", sa.SmallInteger(), nullable=False),
        sa.Column("since", DAY, nullable=True),
        sa.Column("begun", DAY, nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "position", "ordinal", name=op.f("pk_figure_deltas")),
    )
    op.create_index("ix_figure_deltas_day", "figure_deltas", ["tenant_id", "metric", "day", "item_id"])
    for name, columns, condition in (
        ("ix_figure_deltas_repeated", ["tenant_id", "metric", "day"], "since IS NOT NULL"),
        ("ix_figure_deltas_ended", ["tenant_id", "metric", "begun", "item_id"], "begun IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "figure_deltas", columns, postgresql_where=where, sqlite_where=where)
    op.create_table(
        "figure_states",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", name=op.f("pk_figure_states")),
    )
    # Nothing is counted here: the workers count what the log has already, as they do at a rebuild.
    op.create_table(
        "figure_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_figure_heads")),
    )
    op.create_table(
        "figure_folds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("folded", sa.BigInteger(), nullable=False),
        sa.Column("tree_epoch", sa.Integer(), nullable=False),
        sa.Column("rolling_epoch", sa.Integer(), nullable=False),
        sa.Column("rolled_month", DAY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_figure_folds")),
    )
    key = ("tenant_id", "level", "month", "unit_id", "ledger_id", "severity", "source")
    op.create_table(
        "figures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("month", DAY, nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        *(sa.Column(metric, sa.Integer(), nullable=False) for metric in METRICS),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_figures")),
    )
    op.create_index("ix_figures_unit", "figures", ["tenant_id", "level", "unit_id", "month"])
    op.create_table(
        "figure_days",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("month", DAY, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "level", "unit_id", "month", "days", name=op.f("pk_figure_days")),
    )
    op.create_index("ix_figure_days_month", "figure_days", ["tenant_id", "level", "month"])


def downgrade() -> None:
    for name in ("figure_days", "figures", "figure_folds", "figure_heads", "figure_states", "figure_deltas"):
        op.drop_table(name)
