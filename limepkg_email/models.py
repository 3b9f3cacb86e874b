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
    automatically; without a `relay_template` the default one serves. `message_template` is offered
    first in the composer. `signature` is HTML.

    `type` and `oauth_app` are what the engine says: `imap`, `gmail`, `outlook`… and the id of the
    OAuth2 application there. `state` is the engine's word of the instant `state_at`, `missing` when
    it does not know the account any more. `time_zone` is an IANA name.
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
    message_template: Mapped[int | None] = mapped_column(BigId)
    type: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    oauth_app: Mapped[str] = mapped_column(
        String(64), default="", server_default=text("''"), index=True
    )
    state_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")


class AccountUser(Base):
    """A user to whom an account is assigned: may see it in the composer and send from it.

    Beside what the host's permission `email.send_as:<account>` allows.
    """

    __tablename__ = PREFIX + "account_user"

    account: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    user: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, index=True)


class OAuthApp(Base):
    """An OAuth2 application as the engine has it; `engine_app` is its id there.

    Its secret is kept by the engine alone. `base_scopes` is `api` for Gmail's API and Microsoft
    Graph, `imap` for IMAP and SMTP; `authority` is Microsoft's tenant. `missing` says that the
    engine does not know it any more.
    """

    __tablename__ = PREFIX + "oauth_app"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    engine_app: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    provider: Mapped[str] = mapped_column(String(32))
    base_scopes: Mapped[str] = mapped_column(String(16), default="imap")
    client_id: Mapped[str] = mapped_column(String(512), default="")
    authority: Mapped[str] = mapped_column(String(256), default="")
    redirect_url: Mapped[str] = mapped_column(String(1024), default="")
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    missing: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FormState(Base):
    """The one-time state of a link to the engine's hosted form; `digest` is its SHA-256.

    `choices` are the settings with which the account begins. `engine_account` is the account that
    signs in again, empty for a new one.
    """

    __tablename__ = PREFIX + "form_state"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[int] = mapped_column(BigId)
    engine_account: Mapped[str] = mapped_column(String(256), default="")
    choices: Mapped[Any] = mapped_column(JSON, default=dict)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RunState(StrEnum):
    """Where a run is, in the words of Lime's task service."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class Run(Base):
    """A piece of work that somebody started and may ask after: a recovery, a sync.

    `done` of `total` steps are behind it. `result` is its report as JSON, `reason` why it failed.
    """

    __tablename__ = PREFIX + "run"

    guid: Mapped[str] = mapped_column(String(36), primary_key=True)
    task: Mapped[str] = mapped_column(String(128))
    user: Mapped[int | None] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(16), default=RunState.PENDING)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    result: Mapped[Any] = mapped_column(JSON, nullable=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccountReport(Base):
    """What a recovery found in an account: every mail it listed is in exactly one of the counts.

    `unaccounted` must be 0. `recovered` counts mails that came back from the failed folder,
    `error` says why the account could not be looked at to the end.
    """

    __tablename__ = PREFIX + "account_report"
    __table_args__ = (Index("ix_limepkg_email_account_report_account_id", "account", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account: Mapped[str] = mapped_column(String(256))
    run: Mapped[str] = mapped_column(String(36), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)
    listed: Mapped[int] = mapped_column(Integer, default=0)
    imported: Mapped[int] = mapped_column(Integer, default=0)
    recovered: Mapped[int] = mapped_column(Integer, default=0)
    second_sightings: Mapped[int] = mapped_column(Integer, default=0)
    filtered: Mapped[int] = mapped_column(Integer, default=0)
    own: Mapped[int] = mapped_column(Integer, default=0)
    too_old: Mapped[int] = mapped_column(Integer, default=0)
    before_activation: Mapped[int] = mapped_column(Integer, default=0)
    known: Mapped[int] = mapped_column(Integer, default=0)
    in_grace: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    unaccounted: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(Text, default="")


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
    to send it if not at once.
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
