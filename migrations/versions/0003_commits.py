"""How many commits of the sync there were, by which a lost one is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("meta", sa.Column("commits", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("meta", "commits")
