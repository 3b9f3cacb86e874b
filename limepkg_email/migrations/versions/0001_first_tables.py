"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "limepkg_email_account",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("engine_account", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("parent_limetype", sa.String(length=64), nullable=False),
        sa.Column("create_persons", sa.Boolean(), nullable=False),
        sa.Column("import_unread", sa.Boolean(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_account")),
        sa.UniqueConstraint("engine_account", name=op.f("uq_limepkg_email_account_engine_account")),
    )
    with op.batch_alter_table("limepkg_email_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_limepkg_email_account_email"), ["email"], unique=False)

    op.create_table(
        "limepkg_email_counter",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", _BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_limepkg_email_counter")),
    )
    op.create_table(
        "limepkg_email_job",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("task", sa.String(length=128), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=256), nullable=True),
        sa.Column("event_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.String(length=36), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_job")),
        sa.UniqueConstraint("event_id", name=op.f("uq_limepkg_email_job_event_id")),
    )
    with op.batch_alter_table("limepkg_email_job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_job_open",
            ["run_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.create_index(
            "ix_limepkg_email_job_done",
            ["finished_at"],
            unique=False,
            sqlite_where=sa.text("state = 'done'"),
            postgresql_where=sa.text("state = 'done'"),
        )
        batch_op.create_index(
            "uq_limepkg_email_job_waiting_key",
            ["key"],
            unique=True,
            sqlite_where=sa.text("state = 'queued' AND key IS NOT NULL"),
            postgresql_where=sa.text("state = 'queued' AND key IS NOT NULL"),
        )

    op.create_table(
        "limepkg_email_lease",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_limepkg_email_lease")),
    )
    op.create_table(
        "limepkg_email_outbox",
        sa.Column("guid", sa.String(length=36), nullable=False),
        sa.Column("messagefollower", _BIG_ID, nullable=False),
        sa.Column("account", sa.String(length=256), nullable=False),
        sa.Column("message_id", sa.String(length=256), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("queue_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("guid", name=op.f("pk_limepkg_email_outbox")),
        sa.UniqueConstraint("message_id", name=op.f("uq_limepkg_email_outbox_message_id")),
    )
    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_outbox_messagefollower"), ["messagefollower"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_outbox_queue_id"), ["queue_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_outbox_recipient"), ["recipient"], unique=False
        )

    op.create_table(
        "limepkg_email_receipt",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("account", sa.String(length=256), nullable=False),
        sa.Column("mail_key", sa.String(length=300), nullable=False),
        sa.Column("content_key", sa.String(length=64), nullable=False),
        sa.Column("disposition", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=True),
        sa.Column("engine_id", sa.String(length=512), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("conversation", _BIG_ID, nullable=True),
        sa.Column("conversationmessage", _BIG_ID, nullable=True),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_receipt")),
        sa.UniqueConstraint(
            "account", "mail_key", name=op.f("uq_limepkg_email_receipt_account_mail_key")
        ),
    )
    with op.batch_alter_table("limepkg_email_receipt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_receipt_account_disposition", ["account", "disposition"], unique=False
        )
        batch_op.create_index("ix_limepkg_email_receipt_content_key", ["content_key"], unique=False)

    op.create_table(
        "limepkg_email_thread",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("conversation", _BIG_ID, nullable=True),
        sa.Column("outgoing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_limepkg_email_thread")),
    )
    with op.batch_alter_table("limepkg_email_thread", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_thread_conversation"), ["conversation"], unique=False
        )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("limepkg_email_thread")
    op.drop_table("limepkg_email_receipt")
    op.drop_table("limepkg_email_outbox")
    op.drop_table("limepkg_email_lease")
    op.drop_table("limepkg_email_job")
    op.drop_table("limepkg_email_counter")
    op.drop_table("limepkg_email_account")
