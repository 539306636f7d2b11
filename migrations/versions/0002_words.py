"""The words by which tasks are found."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from taskapi.db import words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("words", postgresql.TSVECTOR()))
    # Printed as SQL this is for an empty database: words are cut in Python.
    if not context.is_offline_mode():
        words.fill(op.get_bind())
    op.create_index("ix_tasks_words", "tasks", ["words"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_tasks_words", "tasks")
    op.drop_column("tasks", "words")
