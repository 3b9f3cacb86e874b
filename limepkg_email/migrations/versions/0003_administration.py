"""administration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "limepkg_email_account_report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(length=256), nullable=False),
        sa.Column("run", sa.String(length=36), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("recovered", sa.Integer(), nullable=False),
        sa.Column("second_sightings", sa.Integer(), nullable=False),
        sa.Column("filtered", sa.Integer(), nullable=False),
        sa.Column("own", sa.Integer(), nullable=False),
        sa.Column("too_old", sa.Integer(), nullable=False),
        sa.Column("before_activation", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("in_grace", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unaccounted", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_account_report")),
    )
    with op.batch_alter_table("limepkg_email_account_report", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_account_report_account_id", ["account", "id"], unique=False
        )

    op.create_table(
        "limepkg_email_account_user",
        sa.Column(
            "account",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "user",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("account", "user", name=op.f("pk_limepkg_email_account_user")),
    )
    with op.batch_alter_table("limepkg_email_account_user", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_account_user_user"), ["user"], unique=False
        )

    op.create_table(
        "limepkg_email_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_name", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=256), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_audit")),
    )
    with op.batch_alter_table("limepkg_email_audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_limepkg_email_audit_at"), ["at"], unique=False)

    op.create_table(
        "limepkg_email_form_state",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("engine_account", sa.String(length=256), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_limepkg_email_form_state")),
    )
    with op.batch_alter_table("limepkg_email_form_state", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_form_state_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "limepkg_email_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=256), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_log")),
    )
    with op.batch_alter_table("limepkg_email_log", schema=None) as batch_op:
        batch_op.create_index("ix_limepkg_email_log_account_id", ["account", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_limepkg_email_log_at"), ["at"], unique=False)

    op.create_table(
        "limepkg_email_oauth_app",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("engine_app", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("base_scopes", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=512), nullable=False),
        sa.Column("authority", sa.String(length=256), nullable=False),
        sa.Column("redirect_url", sa.String(length=1024), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limepkg_email_oauth_app")),
        sa.UniqueConstraint("engine_app", name=op.f("uq_limepkg_email_oauth_app_engine_app")),
    )
    op.create_table(
        "limepkg_email_run",
        sa.Column("guid", sa.String(length=36), nullable=False),
        sa.Column("task", sa.String(length=128), nullable=False),
        sa.Column("user", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("guid", name=op.f("pk_limepkg_email_run")),
    )
    with op.batch_alter_table("limepkg_email_run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_run_created_at"), ["created_at"], unique=False
        )

    with op.batch_alter_table("limepkg_email_account", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "message_template",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column("type", sa.String(length=32), server_default=sa.text("('')"), nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "oauth_app", sa.String(length=64), server_default=sa.text("('')"), nullable=False
            )
        )
        batch_op.add_column(sa.Column("state_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False)
        )
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_account_oauth_app"), ["oauth_app"], unique=False
        )

    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_limepkg_email_outbox_account_state_at",
            ["account", "state", "state_at"],
            unique=False,
        )

    with op.batch_alter_table("limepkg_email_receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_receipt_account_disposition"))
        batch_op.create_index(
            "ix_limepkg_email_receipt_account_seen_at", ["account", "seen_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_limepkg_email_receipt_conversationmessage", ["conversationmessage"], unique=False
        )
        batch_op.create_index(
            "ix_limepkg_email_receipt_disposition_seen_at",
            ["disposition", "seen_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_limepkg_email_receipt_of_account",
            ["account", "disposition", "seen_at", "id"],
            unique=False,
        )
        batch_op.create_index("ix_limepkg_email_receipt_seen_at", ["seen_at", "id"], unique=False)


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("limepkg_email_receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_limepkg_email_receipt_seen_at")
        batch_op.drop_index("ix_limepkg_email_receipt_of_account")
        batch_op.drop_index("ix_limepkg_email_receipt_disposition_seen_at")
        batch_op.drop_index("ix_limepkg_email_receipt_conversationmessage")
        batch_op.drop_index("ix_limepkg_email_receipt_account_seen_at")
        batch_op.create_index(
            batch_op.f("ix_limepkg_email_receipt_account_disposition"),
            ["account", "disposition"],
            unique=False,
        )

    with op.batch_alter_table("limepkg_email_outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_limepkg_email_outbox_account_state_at")

    with op.batch_alter_table("limepkg_email_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_account_oauth_app"))
        batch_op.drop_column("time_zone")
        batch_op.drop_column("state_at")
        batch_op.drop_column("oauth_app")
        batch_op.drop_column("type")
        batch_op.drop_column("message_template")

    with op.batch_alter_table("limepkg_email_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_run_created_at"))

    op.drop_table("limepkg_email_run")
    op.drop_table("limepkg_email_oauth_app")
    with op.batch_alter_table("limepkg_email_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_log_at"))
        batch_op.drop_index("ix_limepkg_email_log_account_id")

    op.drop_table("limepkg_email_log")
    with op.batch_alter_table("limepkg_email_form_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_form_state_expires_at"))

    op.drop_table("limepkg_email_form_state")
    with op.batch_alter_table("limepkg_email_audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_audit_at"))

    op.drop_table("limepkg_email_audit")
    with op.batch_alter_table("limepkg_email_account_user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_limepkg_email_account_user_user"))

    op.drop_table("limepkg_email_account_user")
    with op.batch_alter_table("limepkg_email_account_report", schema=None) as batch_op:
        batch_op.drop_index("ix_limepkg_email_account_report_account_id")

    op.drop_table("limepkg_email_account_report")
