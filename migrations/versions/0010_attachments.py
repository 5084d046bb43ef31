"""Attachments, the blobs that are their bytes, and what hangs on progress entries and requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
UUIDS = postgresql.ARRAY(sa.Uuid()).with_variant(sa.Text(), "sqlite")


def where(condition: str) -> dict[str, sa.TextClause]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False),
        sa.Column("look_at", INSTANT, nullable=True),
        sa.Column("dead_since", INSTANT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_blobs")),
    )
    alive, dead = where("dead_since IS NULL"), where("dead_since IS NOT NULL")
    op.create_index("uq_blobs_alive", "blobs", ["tenant_id", "sha256"], unique=True, **alive)
    op.create_index("ix_blobs_dead", "blobs", ["tenant_id", "id"], **dead)
    op.create_index("ix_blobs_look", "blobs", ["tenant_id", "look_at"], **where("look_at IS NOT NULL"))
    op.create_table(
        "blob_uses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_blob_uses")),
    )
    op.create_table(
        "attachments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("hangs_on", sa.String(length=16), nullable=True),
        sa.Column("hangs_on_id", sa.Uuid(), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("attached_at", INSTANT, nullable=True),
        sa.Column("erased_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachments")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "blob_id"], ["blobs.tenant_id", "blobs.id"], name=op.f("fk_attachments_tenant_id_blob_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"], ["items.tenant_id", "items.id"], name=op.f("fk_attachments_tenant_id_item_id")
        ),
    )
    op.create_index(op.f("ix_attachments_tenant_id_blob_id"), "attachments", ["tenant_id", "blob_id"])
    op.create_index(op.f("ix_attachments_tenant_id_item_id_id"), "attachments", ["tenant_id", "item_id", "id"])
    op.create_index("ix_attachments_loose", "attachments", ["tenant_id", "uploaded_at"], **where("item_id IS NULL"))
    # Nothing hangs on what was written before; afterwards every writer says what does.
    nothing = "{}" if op.get_bind().dialect.name == "postgresql" else "[]"
    for name in ("progress", "requests"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("attachment_ids", UUIDS, nullable=False, server_default=nothing))
        with op.batch_alter_table(name) as table:
            table.alter_column("attachment_ids", existing_type=UUIDS, server_default=None)


def downgrade() -> None:
    for name in ("requests", "progress"):
        with op.batch_alter_table(name) as table:
            table.drop_column("attachment_ids")
    for name in ("attachments", "blob_uses", "blobs"):
        op.drop_table(name)
