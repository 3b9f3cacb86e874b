"""Runs: work that somebody started, with a state and a progress that they can ask after.

The job of a run carries the run's `guid` in its payload; the functions here move the run along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from limepkg_email.db import table
from limepkg_email.errors import NotFound
from limepkg_email.models import Job, JobState, Run, RunState
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob

NO_REPORT: Final = "The work was given up without a reason."
"""The reason of a run whose job is gone."""

_RUN = table(Run)
_JOB = table(Job)
_OPEN = (RunState.PENDING.value, RunState.STARTED.value)
_AT_WORK = (JobState.QUEUED.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run as it is read; what its fields mean stands at `models.Run`."""

    guid: str
    task: str
    user: int | None
    state: RunState
    done: int
    total: int
    result: Any
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Tell whether nothing more is to come."""
        return self.state.value not in _OPEN


_ENTRY = select(*(_RUN.c[name] for name in RunEntry.__slots__))


def create(
    connection: Connection,
    task: str,
    payload: dict[str, Any],
    now: datetime,
    *,
    user: int | None = None,
    total: int = 0,
    guid: str = "",
) -> str:
    """Add a run and its job in the transaction at hand, and give the run's id.

    The job's payload is the given one with the id as `run`, and its key is `run:<id>`. `guid` is an
    id that was made before. Wake the workers after the commit.
    """
    guid = guid or str(uuid4())
    values = {"guid": guid, "task": task, "user": user, "total": total, "created_at": now}
    connection.execute(insert(_RUN).values(**values))
    jobs.enqueue(connection, [NewJob(task, {**payload, "run": guid}, key=f"run:{guid}")], now)
    return guid


def begin(connection: Connection, guid: str, now: datetime, *, total: int) -> None:
    """Note that the work began (or began anew) and in how many steps it is done.

    A run that was given up begins anew as well, when somebody lets its job be tried again.
    """
    states = (*_OPEN, RunState.FAILURE.value)
    values = {"started_at": now, "finished_at": None, "total": total, "done": 0, "reason": ""}
    found = update(_RUN).where(_RUN.c.guid == guid, _RUN.c.state.in_(states))
    connection.execute(found.values(state=RunState.STARTED.value, **values))


def resume(connection: Connection, guid: str) -> None:
    """Let a run that was given up go on, where it was: somebody lets its job be tried again."""
    given_up = update(_RUN).where(_RUN.c.guid == guid, _RUN.c.state == RunState.FAILURE.value)
    values = {"state": RunState.STARTED.value, "finished_at": None, "reason": ""}
    connection.execute(given_up.values(**values))


def advance(connection: Connection, guid: str, done: int) -> None:
    """Note how many steps are behind it."""
    _move(connection, guid, done=done)


def put_off(connection: Connection, guid: str, reason: str) -> None:
    """Note why an attempt came to nothing while another one is to follow."""
    _move(connection, guid, reason=reason)


def succeed(connection: Connection, guid: str, now: datetime, result: Any) -> None:
    """Note that the work is done, with its report."""
    values = {"finished_at": now, "result": result, "done": _RUN.c.total, "reason": ""}
    _move(connection, guid, state=RunState.SUCCESS.value, **values)


def fail(connection: Connection, guid: str, now: datetime, reason: str) -> None:
    """Note that the work is given up, and why."""
    _move(connection, guid, state=RunState.FAILURE.value, finished_at=now, reason=reason)


def read(connection: Connection, guid: str) -> RunEntry:
    """Give the run; raises `NotFound`."""
    row = connection.execute(_ENTRY.where(_RUN.c.guid == guid)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no task {guid}.")
    return _entry(row)


def listing(
    connection: Connection,
    *,
    guids: Sequence[str] | None = None,
    user: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[RunEntry], int]:
    """Give a page of runs, the newest first, and how many there are in all; two statements.

    `guids` leaves only those of them that exist, `user` only those that this user started.
    """
    chosen = _ENTRY
    if guids is not None:
        chosen = chosen.where(_RUN.c.guid.in_(guids))
    if user is not None:
        chosen = chosen.where(_RUN.c.user == user)
    total = connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    page = chosen.order_by(_RUN.c.created_at.desc(), _RUN.c.guid).limit(limit).offset(offset)
    return [_entry(row) for row in connection.execute(page).mappings()], total


def give_up_lost(connection: Connection, now: datetime) -> int:
    """Give up open runs on whose job nobody works any more; gives how many they were.

    That is what is left when a task does not tell that its job was set aside, or cannot.
    """
    said = select(_JOB.c.result).where(_its_job()).order_by(_JOB.c.id.desc()).limit(1)
    reason = func.coalesce(func.nullif(said.scalar_subquery(), ""), NO_REPORT)
    at_work = exists().where(_its_job(), _JOB.c.state.in_(_AT_WORK))
    lost = update(_RUN).where(_RUN.c.state.in_(_OPEN), ~at_work)
    values = {"state": RunState.FAILURE.value, "finished_at": now, "reason": reason}
    return connection.execute(lost.values(values)).rowcount


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` runs that ended and were begun before the instant; gives how many."""
    old = select(_RUN.c.guid).where(_RUN.c.created_at < before, _RUN.c.state.not_in(_OPEN))
    chosen = old.order_by(_RUN.c.created_at).limit(limit)
    return connection.execute(delete(_RUN).where(_RUN.c.guid.in_(chosen))).rowcount


def _its_job() -> ColumnElement[bool]:
    return _JOB.c.key == "run:" + _RUN.c.guid


def _entry(row: Any) -> RunEntry:
    return RunEntry(**{**row, "state": RunState(row["state"])})


def _move(connection: Connection, guid: str, **values: Any) -> None:
    # A run that has ended stays as it is, so a job that comes twice takes nothing back.
    found = update(_RUN).where(_RUN.c.guid == guid, _RUN.c.state.in_(_OPEN))
    connection.execute(found.values(**values))
