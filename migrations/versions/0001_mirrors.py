"""The mirrors of the kinds, the journal, and what the sync knows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _mirror(
        "users",
        sa.Column("full_name", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("username", sa.Text()),
        sa.Column("number", sa.Text()),
        sa.Column("role", sa.Text()),
        sa.Column("requested_role", sa.Text()),
        sa.Column("group_ids", postgresql.ARRAY(sa.BigInteger())),
        sa.Column("work_times", sa.JSON()),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
    )
    _mirror("credentials", sa.Column("password_hash", sa.Text()), sa.Column("updated_at", MOMENT))
    _mirror(
        "groups",
        sa.Column("name", sa.Text()),
        sa.Column("admin_id", sa.BigInteger()),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.Column("member_ids", postgresql.ARRAY(sa.BigInteger())),
    )
    _mirror(
        "tasks",
        sa.Column("title", sa.Text()),
        sa.Column("status", sa.Boolean()),
        sa.Column("priority", sa.BigInteger()),
        sa.Column("deadline", sa.Date()),
        sa.Column("information", sa.Text()),
        sa.Column("tags", postgresql.ARRAY(sa.Text())),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("group_id", sa.BigInteger()),
        sa.Column("estimate_hours", sa.Double()),
        sa.Column("completed_at", MOMENT),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
    )
    _sync_tables()


def downgrade() -> None:
    for name in ("change", "lease", "meta", "tasks", "groups", "credentials", "users"):
        op.drop_table(name)


def _mirror(name: str, *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.Column("deleted_with", sa.Text()),
        *columns,
        sa.Column("purged", sa.Boolean()),
    )
    op.create_index(f"ix_{name}_version", name, ["version"])


def _sync_tables() -> None:
    op.create_table(
        "meta",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("incarnation", postgresql.UUID(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("closed", postgresql.JSONB()),
    )
    op.create_table(
        "lease",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("ceiling", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("version", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
    )
    op.create_index("ix_change_kind_record_id_version", "change", ["kind", "record_id", "version"])
