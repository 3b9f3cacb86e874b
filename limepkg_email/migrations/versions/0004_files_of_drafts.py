"""Files of drafts, and an index of failed jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "limepkg_email_draft_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "conversation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=256), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("content_type", sa.String(length=256), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_draft_file")),
        sa.UniqueConstraint("user", "key", name=op.f("uq_limepkg_email_draft_file_user_key")),
    )
    with op.batch_alter_table("limepkg_email_draft_file", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_draft_file_conversation", ["conversation"], unique=False
        )
        batch_op.create_index(
            "ix_limepkg_email_draft_file_of_draft", ["user", "conversation", "id"], unique=False
        )
    with op.batch_alter_table("limepkg_email_job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_job_failed",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("limepkg_email_job", schema=None) as batch_op:
        batch_op.drop_index("ix_limepkg_email_job_failed")
    with op.batch_alter_table("limepkg_email_draft_file", schema=None) as batch_op:
        batch_op.drop_index("ix_limepkg_email_draft_file_of_draft")
        batch_op.drop_index("ix_limepkg_email_draft_file_conversation")

    op.drop_table("limepkg_email_draft_file")
