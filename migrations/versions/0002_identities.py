"""Identities: people that platforms act for, keys that do so, hooks, OpenID providers; events about more than items."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
UUIDS = postgresql.ARRAY(sa.Uuid()).with_variant(sa.Text(), "sqlite")
TEXTS = postgresql.ARRAY(sa.Text()).with_variant(sa.Text(), "sqlite")

ABOUT = (("item_id", sa.Uuid()), ("unit_id", sa.Uuid()), ("ledger_id", sa.Uuid()), ("item_version", sa.Integer()))
"""What an event may be about; not every event is about an item."""

SUBJECT_GIVEN = {"postgresql_where": sa.text("subject IS NOT NULL"), "sqlite_where": sa.text("subject IS NOT NULL")}


def upgrade() -> None:
    nothing = sa.text("'[]'" if op.get_bind().dialect.name == "sqlite" else "'{}'")
    op.create_table(
        "issuers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("audience", sa.String(length=255), nullable=False),
        sa.Column("algorithms", TEXTS, nullable=False),
        sa.Column("mapping", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_issuers")),
    )
    op.create_table(
        "trusted_issuers",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("audience", sa.String(length=255), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "audience", name=op.f("pk_trusted_issuers")),
    )
    with op.batch_alter_table("events") as events:
        for name, kind in ABOUT:
            events.alter_column(name, existing_type=kind, nullable=True)
    with op.batch_alter_table("grants") as grants:
        grants.add_column(sa.Column("department_id", sa.Uuid(), nullable=True))
        grants.add_column(sa.Column("since", DAY, nullable=True))
        grants.add_column(sa.Column("label", sa.String(length=200), nullable=True))
        grants.add_column(sa.Column("issuer_id", sa.Uuid(), nullable=True))
        grants.alter_column("principal_id", existing_type=sa.Uuid(), nullable=True)
        grants.create_index(op.f("ix_grants_tenant_id_department_id"), ["tenant_id", "department_id"])
        grants.create_index(op.f("ix_grants_tenant_id_unit_id"), ["tenant_id", "unit_id"])
        grants.create_foreign_key(
            op.f("fk_grants_tenant_id_department_id"), "units", ["tenant_id", "department_id"], ["tenant_id", "id"]
        )
    with op.batch_alter_table("keys") as keys:
        keys.add_column(sa.Column("delegate", sa.Boolean(), nullable=False, server_default=sa.false()))
        keys.add_column(sa.Column("last_used_at", INSTANT, nullable=True))
        keys.create_index(op.f("ix_keys_tenant_id_principal_id"), ["tenant_id", "principal_id"])
    with op.batch_alter_table("principals") as principals:
        principals.add_column(sa.Column("external_id", sa.String(length=200), nullable=True))
        principals.add_column(sa.Column("delegates", UUIDS, nullable=False, server_default=nothing))
        principals.add_column(sa.Column("issuer_id", sa.Uuid(), nullable=True))
        principals.add_column(sa.Column("subject", sa.String(length=255), nullable=True))
        principals.add_column(sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
        principals.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        principals.add_column(sa.Column("updated_at", INSTANT, nullable=True))
        principals.create_index(
            "uq_principals_subject", ["tenant_id", "issuer_id", "subject"], unique=True, **SUBJECT_GIVEN
        )
        principals.create_unique_constraint(op.f("uq_principals_tenant_id_external_id"), ["tenant_id", "external_id"])
    # From here on the service gives every value; the defaults were for the rows that stood already.
    op.execute("UPDATE principals SET updated_at = created_at")
    with op.batch_alter_table("principals") as principals:
        principals.alter_column("updated_at", existing_type=INSTANT, nullable=False)
        for name, kind in (("delegates", UUIDS), ("active", sa.Boolean()), ("version", sa.Integer())):
            principals.alter_column(name, existing_type=kind, server_default=None)
    with op.batch_alter_table("keys") as keys:
        keys.alter_column("delegate", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("principals") as principals:
        principals.drop_constraint(op.f("uq_principals_tenant_id_external_id"), type_="unique")
        principals.drop_index("uq_principals_subject", **SUBJECT_GIVEN)
        for name in ("updated_at", "version", "active", "subject", "issuer_id", "delegates", "external_id"):
            principals.drop_column(name)
    with op.batch_alter_table("keys") as keys:
        keys.drop_index(op.f("ix_keys_tenant_id_principal_id"))
        keys.drop_column("last_used_at")
        keys.drop_column("delegate")
    # A hook has no place in the older tables; nor has an event that is about no item.
    op.execute("DELETE FROM grants WHERE principal_id IS NULL")
    op.execute("DELETE FROM unsequenced WHERE event_id IN (SELECT id FROM events WHERE item_id IS NULL)")
    op.execute("DELETE FROM events WHERE item_id IS NULL")
    with op.batch_alter_table("grants") as grants:
        grants.drop_constraint(op.f("fk_grants_tenant_id_department_id"), type_="foreignkey")
        grants.drop_index(op.f("ix_grants_tenant_id_unit_id"))
        grants.drop_index(op.f("ix_grants_tenant_id_department_id"))
        grants.alter_column("principal_id", existing_type=sa.Uuid(), nullable=False)
        for name in ("issuer_id", "label", "since", "department_id"):
            grants.drop_column(name)
    with op.batch_alter_table("events") as events:
        for name, kind in reversed(ABOUT):
            events.alter_column(name, existing_type=kind, nullable=False)
    op.drop_table("trusted_issuers")
    op.drop_table("issuers")
