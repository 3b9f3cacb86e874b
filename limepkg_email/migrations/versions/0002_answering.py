"""answering."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""

    op.create_table(
        "limepkg_email_draft",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "conversation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "newest_message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_draft")),
        sa.UniqueConstraint(
            "user", "conversation", name=op.f("uq_limepkg_email_draft_user_conversation")
        ),
    )
    op.create_table(
        "limepkg_email_template",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=512), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_template")),
        sa.UniqueConstraint("name", name=op.f("uq_limepkg_email_template_name")),
    )
    with op.batch_alter_table("limepkg_email_template", schema=None) as batch_op:
        batch_op.create_index(
            "uq_limepkg_email_template_default",
            ["purpose", "language"],
            unique=True,
            sqlite_where=sa.text("is_default = 1"),
            postgresql_where=sa.text("is_default"),
        )

    with op.batch_alter_table("limepkg_email_account", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("language", sa.String(length=16), server_default="en", nullable=False)
        )
        batch_op.add_column(
            sa.Column("relay", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "relay_template",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column(
                "autoreply_template",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column("signature", sa.Text(), server_default=sa.text("''"), nullable=False)
        )

    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=16), server_default="message", nullable=False)
        )
        batch_op.add_column(
            sa.Column("author", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("send_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take the change back."""

    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.drop_column("send_at")
        batch_op.drop_column("author")
        batch_op.drop_column("kind")

    with op.batch_alter_table("limepkg_email_account", schema=None) as batch_op:
        batch_op.drop_column("signature")
        batch_op.drop_column("autoreply_template")
        batch_op.drop_column("relay_template")
        batch_op.drop_column("relay")
        batch_op.drop_column("language")

    with op.batch_alter_table("limepkg_email_template", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_limepkg_email_template_default",
            sqlite_where=sa.text("is_default = 1"),
            postgresql_where=sa.text("is_default"),
        )

    op.drop_table("limepkg_email_template")
    op.drop_table("limepkg_email_draft")
