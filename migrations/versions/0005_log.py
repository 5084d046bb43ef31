"""The log: positions of events, and the Merkle tree over them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("hashing", sa.String(length=8), nullable=False),
        sa.Column("published_size", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_log")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_log_tenant_id_event_id")),
    )
    op.create_table(
        "log_nodes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "place", name=op.f("pk_log_nodes")),
    )
    # What was written before there was a log waits in `unsequenced`, and gets its positions like any other event.
    nothing = {"postgresql": "CAST('' AS bytea)", "sqlite": "x''"}[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO log_heads (tenant_id, size, frontier, hashing, published_size)"
        f" SELECT tenant_id, 0, {nothing}, 'sha256', 0 FROM tenants"
    )


def downgrade() -> None:
    # Every event would get a position again, and none may have two.
    op.execute("INSERT INTO unsequenced (tenant_id, event_id) SELECT log.tenant_id, log.event_id FROM log")
    op.drop_table("log_nodes")
    op.drop_table("log")
    op.drop_table("log_heads")
