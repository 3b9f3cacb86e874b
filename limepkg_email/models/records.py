"""What administrators did, and what they should know of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime


class AuditEntry(Base):
    """What an administrator did: `before` and `after` are what changed, secrets left out.

    `subject` is the kind of thing, such as `account`, `subject_id` which one of them.
    """

    __tablename__ = PREFIX + "audit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    user: Mapped[int] = mapped_column(BigId)
    user_name: Mapped[str] = mapped_column(String(256), default="")
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[str] = mapped_column(String(256), default="")
    before: Mapped[Any] = mapped_column(JSON, nullable=True)
    after: Mapped[Any] = mapped_column(JSON, nullable=True)


class LogEntry(Base):
    """Something administrators should know of: `level` is `info`, `warning` or `error`.

    `code` is stable, such as `bounce_unlinked`. `account` is the engine's id, empty if none.
    """

    __tablename__ = PREFIX + "log"
    __table_args__ = (Index("ix_limepkg_email_log_account_id", "account", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    level: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(256), default="")
    text: Mapped[str] = mapped_column(Text)
    details: Mapped[Any] = mapped_column(JSON, default=dict)
