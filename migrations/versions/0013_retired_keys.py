"""Data keys that nothing needs any more."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.add_column("key_fingerprints", sa.Column("retired_at", INSTANT, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("key_fingerprints") as table:
        table.drop_column("retired_at")
