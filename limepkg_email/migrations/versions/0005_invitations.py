"""Which mails of the outbox invite somebody to a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("invites", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.drop_column("invites")
