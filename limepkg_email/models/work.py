"""Background work: the queue of record, runs that people ask after, leases, counts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime


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
        Index(
            "ix_limepkg_email_job_failed",
            "id",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
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
