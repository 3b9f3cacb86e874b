"""Runs: work that somebody started, with a state and a progress that they can ask after.

The job of a run carries the run's `guid` in its payload; the functions here move the run along.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from limepkg_email.db import table
from limepkg_email.errors import NotFound
from limepkg_email.models import Run, RunState
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob

_RUN = table(Run)
_OPEN = (RunState.PENDING.value, RunState.STARTED.value)


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


def create(
    connection: Connection,
    task: str,
    payload: dict[str, Any],
    now: datetime,
    *,
    user: int | None = None,
    total: int = 0,
) -> str:
    """Add a run and its job in the transaction at hand, and give the run's id.

    The job's payload is the given one with the id as `run`. Wake the workers after the commit.
    """
    guid = str(uuid4())
    values = {"guid": guid, "task": task, "user": user, "total": total, "created_at": now}
    connection.execute(insert(_RUN).values(**values))
    jobs.enqueue(connection, [NewJob(task, {**payload, "run": guid})], now)
    return guid


def begin(connection: Connection, guid: str, now: datetime, *, total: int) -> None:
    """Note that the work began (or began anew) and in how many steps it is done."""
    _move(connection, guid, state=RunState.STARTED.value, started_at=now, total=total, done=0)


def advance(connection: Connection, guid: str, done: int) -> None:
    """Note how many steps are behind it."""
    _move(connection, guid, done=done)


def succeed(connection: Connection, guid: str, now: datetime, result: Any) -> None:
    """Note that the work is done, with its report."""
    _move(connection, guid, state=RunState.SUCCESS.value, finished_at=now, result=result)


def fail(connection: Connection, guid: str, now: datetime, reason: str) -> None:
    """Note that the work is given up, and why."""
    _move(connection, guid, state=RunState.FAILURE.value, finished_at=now, reason=reason)


def read(connection: Connection, guid: str) -> RunEntry:
    """Give the run; raises `NotFound`."""
    row = connection.execute(select(_RUN).where(_RUN.c.guid == guid)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no task {guid}.")
    return RunEntry(**{**row, "state": RunState(row["state"])})


def _move(connection: Connection, guid: str, **values: Any) -> None:
    # A run that has ended stays as it is, so a job that comes twice takes nothing back.
    found = update(_RUN).where(_RUN.c.guid == guid, _RUN.c.state.in_(_OPEN))
    connection.execute(found.values(**values))
