"""What people write before it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime


class Template(Base):
    """A text for mails with places for values, in Jinja2's language.

    `purpose` is `message`, `autoreply` or `relay`. At most one template is the default of its
    purpose and language.
    """

    __tablename__ = PREFIX + "template"
    __table_args__ = (
        Index(
            "uq_limepkg_email_template_default",
            "purpose",
            "language",
            unique=True,
            sqlite_where=text("is_default = 1"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    language: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(512), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    version: Mapped[int] = mapped_column(Integer, default=1)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Draft(Base):
    """An unsent message of one user: one per conversation, and one for a new conversation (0).

    `version` grows with every change, so that two windows do not overwrite each other's text.
    `newest_message` is the newest message of the conversation that the user had seen.
    """

    __tablename__ = PREFIX + "draft"
    __table_args__ = (UniqueConstraint("user", "conversation"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user: Mapped[int] = mapped_column(BigId)
    conversation: Mapped[int] = mapped_column(BigId, default=0)
    version: Mapped[int] = mapped_column(Integer, default=1)
    newest_message: Mapped[int] = mapped_column(BigId, default=0)
    content: Mapped[Any] = mapped_column(JSON, default=dict)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DraftFile(Base):
    """A file of a draft; it lies in the host's store as `file`. `key` tells an upload repeated."""

    __tablename__ = PREFIX + "draft_file"
    __table_args__ = (
        UniqueConstraint("user", "key"),
        Index("ix_limepkg_email_draft_file_of_draft", "user", "conversation", "id"),
        Index("ix_limepkg_email_draft_file_conversation", "conversation"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user: Mapped[int] = mapped_column(BigId)
    conversation: Mapped[int] = mapped_column(BigId)
    key: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(String(256))
    filename: Mapped[str] = mapped_column(String(256))
    content_type: Mapped[str] = mapped_column(String(256))
    size: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
