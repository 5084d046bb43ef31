"""Data keys that nothing needs any more, and signing keys that succeed one another."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    for name in ("retired_at", "announced_at"):
        op.add_column("key_fingerprints", sa.Column(name, INSTANT, nullable=True))
    # Whoever signs until now succeeded nobody.
    op.execute("UPDATE key_fingerprints SET announced_at = created_at WHERE fingerprint LIKE 'log:%'")


def downgrade() -> None:
    with op.batch_alter_table("key_fingerprints") as table:
        table.drop_column("announced_at")
        table.drop_column("retired_at")
