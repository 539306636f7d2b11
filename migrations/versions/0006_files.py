"""The mirror of the files that are attached to tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.Column("deleted_with", sa.Text()),
        sa.Column("task_id", sa.BigInteger()),
        sa.Column("filename", sa.Text()),
        sa.Column("content_type", sa.Text()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("created_at", MOMENT),
        sa.Column("purged", sa.Boolean()),
    )
    op.create_index("ix_files_version", "files", ["version"])


def downgrade() -> None:
    op.drop_table("files")
