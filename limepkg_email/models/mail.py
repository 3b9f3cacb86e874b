"""The memory that keeps mail from being lost or doubled: what arrived, and what leaves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime


class Disposition(StrEnum):
    """What became of a mail; every mail of an account has exactly one."""

    IMPORTED = "imported"
    SECOND_SIGHTING = "second_sighting"
    FILTERED = "filtered"
    OWN = "own"
    FAILED = "failed"
    TOO_OLD = "too_old"
    BEFORE_ACTIVATION = "before_activation"


class Receipt(Base):
    """The account of one mail: unique per account and mail, with one disposition.

    `mail_key` identifies the mail within the account and survives moves; `content_key` identifies
    it across accounts. `trace` is the list of decisions that led to the disposition. Headers that
    a person needs to recognise the mail are kept for failed ones too.
    """

    __tablename__ = PREFIX + "receipt"
    __table_args__ = (
        UniqueConstraint("account", "mail_key"),
        Index("ix_limepkg_email_receipt_content_key", "content_key"),
        Index("ix_limepkg_email_receipt_of_account", "account", "disposition", "seen_at", "id"),
        Index("ix_limepkg_email_receipt_account_seen_at", "account", "seen_at", "id"),
        Index("ix_limepkg_email_receipt_disposition_seen_at", "disposition", "seen_at", "id"),
        Index("ix_limepkg_email_receipt_seen_at", "seen_at", "id"),
        Index("ix_limepkg_email_receipt_conversationmessage", "conversationmessage"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account: Mapped[str] = mapped_column(String(256))
    mail_key: Mapped[str] = mapped_column(String(300))
    content_key: Mapped[str] = mapped_column(String(64))
    disposition: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    next_try: Mapped[datetime | None] = mapped_column(UtcDateTime)
    engine_id: Mapped[str] = mapped_column(String(512), default="")
    message_id: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    sender: Mapped[str] = mapped_column(Text, default="")
    conversation: Mapped[int | None] = mapped_column(BigId)
    conversationmessage: Mapped[int | None] = mapped_column(BigId)
    trace: Mapped[Any] = mapped_column(JSON, default=list)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ThreadEntry(Base):
    """The thread index: a sign by which mails of one thread meet, and their conversation.

    A sign is a Message-ID, or a mail server's own thread id within an account; `digest` is its
    SHA-256 in hexadecimal. Referenced Message-IDs stand here too, so two replies to a mail nobody
    saw meet. Inserting the signs before anything else makes imports of one thread follow one
    another. `outgoing` marks Message-IDs that we made.
    """

    __tablename__ = PREFIX + "thread"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation: Mapped[int | None] = mapped_column(BigId, index=True)
    outgoing: Mapped[bool] = mapped_column(Boolean, default=False)


class Outbox(Base):
    """What is sent to one follower: the engine's submit payload, kept so that it can be sent again.

    `guid` is the idempotency key, `messagefollower` the limeobject that shows the state. `kind` is
    `message`, `relay` or `autoreply`, `author` the user who wrote it, `send_at` when the engine is
    to send it if not at once. `invites` marks a mail by which its recipient is to follow the
    conversation: somebody who was no follower, or had left, until they were written to.
    """

    __tablename__ = PREFIX + "outbox"
    __table_args__ = (
        Index("ix_limepkg_email_outbox_account_state_at", "account", "state", "state_at"),
    )

    guid: Mapped[str] = mapped_column(String(36), primary_key=True)
    messagefollower: Mapped[int] = mapped_column(BigId, index=True)
    account: Mapped[str] = mapped_column(String(256))
    message_id: Mapped[str] = mapped_column(String(256), unique=True)
    recipient: Mapped[str] = mapped_column(String(320), default="", index=True)
    payload: Mapped[str] = mapped_column(Text)
    queue_id: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(16), default="message", server_default="message")
    author: Mapped[int | None] = mapped_column(BigId)
    send_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invites: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
