"""The tables that the package owns; everything people see as records lives in limetypes instead.

All names carry the prefix `limepkg_email_`. The tables are created and changed by the package's own
alembic history (`migrations/`), with a version table of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

PREFIX = "limepkg_email_"

BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime with microseconds, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Refuse naive datetimes; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Give an aware datetime back."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)  # PostgreSQL gives it in the session's time zone


class Base(DeclarativeBase):
    """Base of the package's tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Account(Base):
    """A connected mailbox. `engine_account` is its id in EmailEngine.

    `activated_at` is the instant from which mail is imported. `aliases` are further addresses that
    are its own. `parent_limetype` overrides the first configured conversation parent. With
    `import_unread` unread mail from before the activation is imported too. `relay` sends a
    follower's answer on to the others. Without an `autoreply_template` nothing is answered
    automatically; without a `relay_template` the default one serves. `signature` is HTML.
    """

    __tablename__ = PREFIX + "account"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    engine_account: Mapped[str] = mapped_column(String(256), unique=True)
    email: Mapped[str] = mapped_column(String(320), index=True)
    name: Mapped[str] = mapped_column(String(256), default="")
    aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    state: Mapped[str] = mapped_column(String(64), default="init")
    last_error: Mapped[str] = mapped_column(Text, default="")
    parent_limetype: Mapped[str] = mapped_column(String(64), default="")
    create_persons: Mapped[bool] = mapped_column(Boolean, default=False)
    import_unread: Mapped[bool] = mapped_column(Boolean, default=True)
    activated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    relay: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    relay_template: Mapped[int | None] = mapped_column(BigId)
    autoreply_template: Mapped[int | None] = mapped_column(BigId)
    signature: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))


class JobState(StrEnum):
    """Where a job is: `failed` is set aside until a person retries it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """A piece of durable work; the queue of record, whatever runner wakes the workers.

    `key` is unique among waiting jobs: asking twice for the same work before it begins makes one
    job. `event_id` is unique for ever: it is how a repeated webhook does nothing. `run_at` is when
    the job is due, or, while it runs, when its lease ends.
    """

    __tablename__ = PREFIX + "job"
    __table_args__ = (
        Index(
            "uq_limepkg_email_job_waiting_key",
            "key",
            unique=True,
            sqlite_where=text("state = 'queued' AND key IS NOT NULL"),
            postgresql_where=text("state = 'queued' AND key IS NOT NULL"),
        ),
        Index(
            "ix_limepkg_email_job_open",
            "run_at",
            "id",
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index(
            "ix_limepkg_email_job_done",
            "finished_at",
            sqlite_where=text("state = 'done'"),
            postgresql_where=text("state = 'done'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task: Mapped[str] = mapped_column(String(128))
    payload: Mapped[Any] = mapped_column(Text, nullable=True)
    key: Mapped[str | None] = mapped_column(String(256))
    event_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claim: Mapped[str | None] = mapped_column(String(36))
    result: Mapped[str | None] = mapped_column(Text)


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
        Index("ix_limepkg_email_receipt_account_disposition", "account", "disposition"),
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
    to send it if not at once.
    """

    __tablename__ = PREFIX + "outbox"

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


class Lease(Base):
    """Who may do a thing that only one process may do at a time, and until when."""

    __tablename__ = PREFIX + "lease"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Counter(Base):
    """A number of things that happened and left no other mark, such as unknown webhook events."""

    __tablename__ = PREFIX + "counter"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[int] = mapped_column(BigId, default=0)
