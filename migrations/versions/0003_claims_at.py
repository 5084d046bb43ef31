"""Tokens: when the claims that a principal's grants follow were issued."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("principals") as principals:
        principals.add_column(sa.Column("claims_at", INSTANT, nullable=True))
    with op.batch_alter_table("grants") as grants:
        grants.create_index(op.f("ix_grants_tenant_id_issuer_id"), ["tenant_id", "issuer_id"])


def downgrade() -> None:
    with op.batch_alter_table("grants") as grants:
        grants.drop_index(op.f("ix_grants_tenant_id_issuer_id"))
    with op.batch_alter_table("principals") as principals:
        principals.drop_column("claims_at")
