"""Channels: endpoints for people, with a language and a pace, and messages that tell of several events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
IDS = postgresql.ARRAY(sa.Uuid()).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("locale", sa.String(length=8), nullable=True))
    op.add_column("webhooks", sa.Column("paced_until", INSTANT, nullable=True))
    op.add_column("deliveries", sa.Column("gathered", IDS, nullable=True))


def downgrade() -> None:
    # Webhooks of the release before know no channels.
    channels = "SELECT id FROM webhooks WHERE format IN ('wecom', 'dingtalk', 'feishu', 'mail')"
    op.execute(f"DELETE FROM lanes WHERE webhook_id IN ({channels})")
    op.execute(f"DELETE FROM deliveries WHERE webhook_id IN ({channels})")
    op.execute("DELETE FROM webhooks WHERE format IN ('wecom', 'dingtalk', 'feishu', 'mail')")
    with op.batch_alter_table("deliveries") as table:
        table.drop_column("gathered")
    with op.batch_alter_table("webhooks") as table:
        table.drop_column("paced_until")
        table.drop_column("locale")
