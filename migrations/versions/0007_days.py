"""By which the tasks of a day are found, and the log of each day."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_tasks_created_at", "tasks", ["created_at"])
    for name in ("deadline", "completed_at"):
        op.create_index(f"ix_tasks_{name}", "tasks", [name], postgresql_where=sa.text(f"{name} IS NOT NULL"))
    op.create_table(
        "task_log",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("task_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event", sa.Text(), primary_key=True),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("group_id", sa.BigInteger()),
        sa.Column("title", sa.Text()),
    )
    op.create_table(
        "task_log_day",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("task_log_day")
    op.drop_table("task_log")
    for name in ("created_at", "deadline", "completed_at"):
        op.drop_index(f"ix_tasks_{name}", "tasks")
