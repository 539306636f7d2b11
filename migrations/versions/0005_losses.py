"""What was ever found lost, and the writes of the last day that their clients named."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loss",
        sa.Column("store", sa.Text(), primary_key=True),
        sa.Column("above", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("up_to", sa.BigInteger()),
        sa.Column("healed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    named = sa.text("operation LIKE 'op:% %'")
    op.create_index("ix_change_at_named", "change", ["at", "version"], postgresql_where=named)


def downgrade() -> None:
    op.drop_index("ix_change_at_named", "change")
    op.drop_table("loss")
