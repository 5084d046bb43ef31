"""Published months."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
    op.create_table(
        "reports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("published_at", instant, nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reports")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"], ["units.tenant_id", "units.id"], name=op.f("fk_reports_tenant_id_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "published_by"],
            ["principals.tenant_id", "principals.id"],
            name=op.f("fk_reports_tenant_id_published_by"),
        ),
        sa.UniqueConstraint("tenant_id", "month", "unit_id", "ledger_id", name="uq_reports_month"),
    )
    op.create_index(op.f("ix_reports_tenant_id_published_by"), "reports", ["tenant_id", "published_by"])


def downgrade() -> None:
    op.drop_table("reports")
