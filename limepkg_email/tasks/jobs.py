"""The job ledger: the table that is the queue of record, and the only code that writes to it.

Every function works in the caller's transaction, so a job is asked for and finished together with
the data it is about. Nothing here wakes a worker or runs a task.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from limepkg_email.db import insert_new, locking, table
from limepkg_email.errors import EmailIntegrationError
from limepkg_email.models import Job, JobState, UtcDateTime

SUPERSEDED = "superseded"
"""The result of a job that gave way to a newer waiting job with the same key."""

_JOB = table(Job)
_ROWS_PER_INSERT = 500
_TOGETHER = 500


class LeaseLost(EmailIntegrationError):
    """The job is not this worker's any more: its lease ended, or it is finished already."""

    code = "lease_lost"
    status = 409


class PayloadUnreadable(EmailIntegrationError):
    """The job's payload is no JSON."""

    code = "payload_unreadable"
    status = 422


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to ask for. `raw` is a payload that is JSON already and is stored as it is.

    While a job with the same `key` waits, the new one is dropped; so it is for ever (until finished
    jobs are pruned) when there was one with the same `event_id`.
    """

    task: str
    payload: object = None
    key: str | None = None
    event_id: str | None = None
    delay: timedelta = timedelta(0)
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that one worker may run until `lease_until`; `attempts` counts this try too."""

    id: int
    task: str
    payload: str
    attempts: int
    claim: str
    lease_until: datetime
    key: str | None = None

    def read(self) -> object:
        """Give the payload as data; raises `PayloadUnreadable`."""
        try:
            return json.loads(self.payload)
        except ValueError:
            raise PayloadUnreadable from None


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job as administrators see it; `result` is the reason if it failed or is tried again."""

    id: int
    task: str
    key: str | None
    state: JobState
    attempts: int
    run_at: datetime
    created_at: datetime
    finished_at: datetime | None
    result: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep saw: jobs whose worker went silent, and jobs that are due."""

    expired: int
    due: int

    @property
    def waiting(self) -> bool:
        """Tell whether a worker should be woken."""
        return self.expired + self.due > 0


def _is(state: JobState) -> ColumnElement[bool]:
    # A literal: with a bound value neither database can tell that a partial index, such as
    # `ix_limepkg_email_job_open`, holds every row that the statement is about.
    return _JOB.c.state == literal_column(f"'{state.value}'")


_QUEUED, _DONE, _FAILED = map(_is, (JobState.QUEUED, JobState.DONE, JobState.FAILED))
_OPEN = _JOB.c.state.in_([literal_column("'queued'"), literal_column("'running'")])

# SQLite has no FOR UPDATE and SQLAlchemy leaves it out; there the write lock keeps claims apart.
_CLAIM = (
    update(_JOB)
    .where(
        _JOB.c.id
        == select(_JOB.c.id)
        .where(_OPEN, _JOB.c.run_at <= bindparam("now", type_=UtcDateTime()))
        .order_by(_JOB.c.run_at, _JOB.c.id)
        .limit(literal_column("1"))
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    .values(
        state=JobState.RUNNING.value,
        claim=bindparam("token"),
        run_at=bindparam("until", type_=UtcDateTime()),
        attempts=_JOB.c.attempts + 1,
    )
    .returning(_JOB.c.id, _JOB.c.task, _JOB.c.payload, _JOB.c.attempts, _JOB.c.key)
)


_FINISH = (
    update(_JOB)
    .where(_JOB.c.id == bindparam("of_job"), _JOB.c.claim == bindparam("of_claim"))
    .values(
        state=JobState.DONE.value,
        finished_at=bindparam("now", type_=UtcDateTime()),
        result=bindparam("outcome"),
        payload=None,
        claim=None,
    )
)

# Only jobs that wait: one whose lease has ended may be what killed its worker, and runs alone.
_CLAIM_ALIKE = (
    update(_JOB)
    .where(
        _JOB.c.id.in_(
            select(_JOB.c.id)
            .where(
                _QUEUED,
                _JOB.c.task == bindparam("alike"),
                _JOB.c.run_at <= bindparam("now", type_=UtcDateTime()),
            )
            .order_by(_JOB.c.run_at, _JOB.c.id)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(
        state=JobState.RUNNING.value,
        claim=bindparam("token"),
        run_at=bindparam("until", type_=UtcDateTime()),
        attempts=_JOB.c.attempts + 1,
    )
    .returning(_JOB.c.id, _JOB.c.task, _JOB.c.payload, _JOB.c.attempts, _JOB.c.key)
)


def enqueue(connection: Connection, jobs: Sequence[NewJob], now: datetime) -> int:
    """Ask for jobs and give how many of them are new.

    One INSERT that ignores conflicts. Where rows are locked one by one, waiting jobs that stand in
    for new ones are locked: they must not run before the data of this transaction can be seen.
    """
    new = _insert(connection, jobs, now)
    if new == len(jobs) or not locking(connection):
        return new
    keyed = [job for job in jobs if job.key is not None]
    if not keyed:
        return new
    waiting = _lock_waiting(connection, [job.key for job in keyed if job.key is not None])
    # What is missing was claimed between the two statements, or repeats an event and stays out.
    return new + _insert(connection, [job for job in keyed if job.key not in waiting], now)


def claim(connection: Connection, now: datetime, lease: timedelta) -> ClaimedJob | None:
    """Take the oldest job that is due or whose lease has ended, or give `None`."""
    token, until = str(uuid4()), now + lease
    found = connection.execute(_CLAIM, {"now": now, "token": token, "until": until}).one_or_none()
    if found is None:
        return None
    return _claimed(found, token, until)


def claim_alike(
    connection: Connection, job: ClaimedJob, now: datetime, limit: int
) -> list[ClaimedJob]:
    """Take further due jobs of the same task, to be done together with a claimed one.

    They end with `finish_all`; when the work fails they run again once their lease has ended.
    """
    taken = connection.execute(
        _CLAIM_ALIKE,
        {
            "alike": job.task,
            "now": now,
            "most": limit,
            "token": job.claim,
            "until": job.lease_until,
        },
    )
    return [
        ClaimedJob(
            row.id,
            row.task,
            row.payload or "null",
            row.attempts,
            job.claim,
            job.lease_until,
            row.key,
        )
        for row in taken
    ]


def finish_all(connection: Connection, jobs: Sequence[ClaimedJob], now: datetime) -> None:
    """Mark jobs that were done together as done; those lost meanwhile stay as they are."""
    connection.execute(
        update(_JOB)
        .where(_JOB.c.id.in_([job.id for job in jobs]), _JOB.c.claim == jobs[0].claim)
        .values(state=JobState.DONE.value, finished_at=now, payload=None, claim=None)
    )


def extend(connection: Connection, job: ClaimedJob, until: datetime) -> None:
    """Keep a long job for longer; raises `LeaseLost`."""
    _change(connection, job, run_at=until)


def finish(connection: Connection, job: ClaimedJob, now: datetime, result: str = "") -> None:
    """Mark the job as done; call it in the transaction that holds the job's effect.

    Raises `LeaseLost` when the job belongs to another worker by now, so that the effect is rolled
    back and happens once.
    """
    values = {"of_job": job.id, "of_claim": job.claim, "now": now, "outcome": result}
    if connection.execute(_FINISH, values).rowcount != 1:
        raise LeaseLost


def retry(
    connection: Connection, job: ClaimedJob, now: datetime, delay: timedelta, reason: str
) -> None:
    """Let the job run again after the delay; raises `LeaseLost`.

    When a newer job with the same key waits by now, this one is finished as superseded.
    """
    try:
        with connection.begin_nested():
            _change(
                connection,
                job,
                state=JobState.QUEUED.value,
                run_at=now + delay,
                result=reason,
                claim=None,
            )
    except IntegrityError:
        finish(connection, job, now, SUPERSEDED)


def set_aside(connection: Connection, job: ClaimedJob, now: datetime, reason: str) -> None:
    """Mark the job as failed, payload kept, until a person retries it; raises `LeaseLost`."""
    _change(
        connection,
        job,
        state=JobState.FAILED.value,
        finished_at=now,
        result=reason,
        claim=None,
    )


def retry_failed(connection: Connection, ids: Collection[int] | None, now: datetime) -> int:
    """Let failed jobs run again from the first attempt, all of them for `None`; gives how many.

    Those for whose key a job waits already are finished as superseded and not counted.
    """
    failed = select(_JOB.c.id).where(_FAILED).order_by(_JOB.c.id)
    if ids is not None:
        failed = failed.where(_JOB.c.id.in_(ids))
    found = connection.scalars(failed.with_for_update()).all()
    pages = (found[first : first + _TOGETHER] for first in range(0, len(found), _TOGETHER))
    return sum(_requeue_all(connection, page, now) for page in pages)


def supersede(connection: Connection, ids: Collection[int], now: datetime) -> int:
    """Finish those of the jobs that have failed: what they were to do has been done otherwise.

    Gives how many; at most one statement.
    """
    if not ids:
        return 0
    failed = update(_JOB).where(_JOB.c.id.in_(ids), _JOB.c.state == JobState.FAILED.value)
    values = {"state": JobState.DONE.value, "result": SUPERSEDED, "payload": None}
    return connection.execute(failed.values(finished_at=now, **values)).rowcount


def sweep(connection: Connection, now: datetime) -> Sweep:
    """Count the jobs that wait for a worker."""
    rows = connection.execute(
        select(_JOB.c.state, func.count()).where(_OPEN, _JOB.c.run_at <= now).group_by(_JOB.c.state)
    )
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return Sweep(expired=found.get(JobState.RUNNING, 0), due=found.get(JobState.QUEUED, 0))


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` jobs that were finished before the instant; gives how many they were.

    Failed ones stay until a person acts. What a job did stands in receipts and the outbox, so
    nothing is done twice when its event comes once more after that.
    """
    old = select(_JOB.c.id).where(_DONE, _JOB.c.finished_at < before).order_by(_JOB.c.finished_at)
    chosen = old.limit(limit).with_for_update(skip_locked=True)
    return connection.execute(delete(_JOB).where(_JOB.c.id.in_(chosen))).rowcount


def next_due(connection: Connection) -> datetime | None:
    """Give when the next open job is due (or its lease ends), which may be in the past."""
    due: datetime | None = connection.scalar(select(func.min(_JOB.c.run_at)).where(_OPEN))
    return due


def waiting_since(connection: Connection) -> datetime | None:
    """Give since when the job that waits longest has been due, or is to be; `None` without any."""
    # `_OPEN` says nothing new: SQLite needs it to see that the partial index will do.
    since: datetime | None = connection.scalar(
        select(func.min(_JOB.c.run_at)).where(_OPEN, _QUEUED)
    )
    return since


def open_now(connection: Connection) -> dict[str, int]:
    """Count the jobs that wait or run, by state; those that ended do not matter for the effort."""
    rows = connection.execute(
        select(_JOB.c.state, func.count()).where(_OPEN).group_by(_JOB.c.state)
    )
    none = {JobState.QUEUED.value: 0, JobState.RUNNING.value: 0}
    return none | {row[0]: row[1] for row in rows}


def counts(connection: Connection) -> Mapping[JobState, int]:
    """Give how many jobs there are in each state."""
    rows = connection.execute(select(_JOB.c.state, func.count()).group_by(_JOB.c.state))
    return dict.fromkeys(JobState, 0) | {JobState(state): count for state, count in rows}


def listing(
    connection: Connection, *, state: JobState | None = None, limit: int = 50, offset: int = 0
) -> list[JobEntry]:
    """Give one page of jobs, newest first."""
    chosen = select(*(_JOB.c[name] for name in JobEntry.__slots__)).order_by(_JOB.c.id.desc())
    if state is not None:
        chosen = chosen.where(_is(state))
    return [
        JobEntry(**{**row, "state": JobState(row["state"]), "result": row["result"] or ""})
        for row in connection.execute(chosen.limit(limit).offset(offset)).mappings()
    ]


def _claimed(row: Any, token: str, until: datetime) -> ClaimedJob:
    return ClaimedJob(row.id, row.task, row.payload or "null", row.attempts, token, until, row.key)


def _insert(connection: Connection, jobs: Sequence[NewJob], now: datetime) -> int:
    # In one order for everybody: transactions that wait for each other's keys would not end.
    rows = sorted((_row(job, now) for job in jobs), key=_order)
    pages = (
        rows[first : first + _ROWS_PER_INSERT] for first in range(0, len(rows), _ROWS_PER_INSERT)
    )
    return sum(insert_new(connection, _JOB, page) for page in pages)


def _order(row: Mapping[str, object]) -> tuple[str, str]:
    return str(row["key"] or ""), str(row["event_id"] or "")


def _row(job: NewJob, now: datetime) -> dict[str, object]:
    return {
        "task": job.task,
        "payload": json.dumps(job.payload) if job.raw is None else job.raw,
        "key": job.key,
        "event_id": job.event_id,
        "state": JobState.QUEUED.value,
        "attempts": 0,
        "run_at": now + job.delay,
        "created_at": now,
    }


def _lock_waiting(connection: Connection, keys: Sequence[str]) -> set[str | None]:
    waiting = select(_JOB.c.key).where(_QUEUED, _JOB.c.key.in_(keys)).order_by(_JOB.c.key)
    return set(connection.scalars(waiting.with_for_update()))


def _change(connection: Connection, job: ClaimedJob, **values: object) -> None:
    statement = update(_JOB).where(_JOB.c.id == job.id, _JOB.c.claim == job.claim)
    if connection.execute(statement.values(values)).rowcount != 1:
        raise LeaseLost


def _requeue_all(connection: Connection, ids: Sequence[int], now: datetime) -> int:
    """Let failed jobs run again: all at once, or one by one if a job with some key waits."""
    values = {"state": JobState.QUEUED.value, "run_at": now, "attempts": 0, "finished_at": None}
    try:
        with connection.begin_nested():
            connection.execute(update(_JOB).where(_JOB.c.id.in_(ids)).values(values))
    except IntegrityError:
        return sum(_requeue(connection, each, now) for each in ids)
    return len(ids)


def _requeue(connection: Connection, id: int, now: datetime) -> bool:
    row = update(_JOB).where(_JOB.c.id == id)
    try:
        with connection.begin_nested():
            connection.execute(
                row.values(state=JobState.QUEUED.value, run_at=now, attempts=0, finished_at=None)
            )
    except IntegrityError:
        connection.execute(
            row.values(state=JobState.DONE.value, result=SUPERSEDED, payload=None, finished_at=now)
        )
        return False
    return True
