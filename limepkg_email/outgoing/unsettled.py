"""Mails of which nothing was heard for too long: the engine and the Sent folder are asked.

So a lost webhook, a lost job or an engine that was set up anew leaves no mail waiting for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select, update

from limepkg_email.db import table
from limepkg_email.engine.types import OutboxEntry
from limepkg_email.errors import EngineError, EngineNotFound
from limepkg_email.models import Job, JobState
from limepkg_email.outgoing.deleted import cancel_deleted
from limepkg_email.outgoing.send import in_sent, submission
from limepkg_email.outgoing.transitions import FORGOTTEN, OUTBOX, Report, apply
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue
from limepkg_email.tasks.schedule import Schedule

PAGE = 100
"""Mails that one run looks after; the others have their turn in the next one."""
PATIENCE = timedelta(minutes=15)
"""How long after its time to leave, or after it was last asked about, a mail is asked about."""
GIVE_UP = timedelta(hours=24)
"""How long after its time to leave a mail that is nowhere to be found is given up."""

_JOB = table(Job)
_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asking:
    """What one run has learnt of the engine, so that it asks nothing twice."""

    unreachable: set[str] = field(default_factory=set)
    given_up: dict[str, OutboxEntry] | None = None


def settle_sends(services: Services) -> None:
    """Find out what became of mails that wait without news, and submit those that nobody submits.

    Mails of later whose message was deleted meanwhile are cancelled first.
    Takes a bounded number of mails, the ones that wait longest. What can be told of none today is
    asked again a while later.
    """
    cancel_deleted(services)
    rows = _page(services)
    _submit_again(services, [each for each in rows if each.queue_id is None])
    asking = _Asking()
    for row in rows:
        if row.queue_id is not None and row.account not in asking.unreachable:
            _settle(services, row, asking)


SETTLE_SENDS: Final = Schedule(
    "settle_sends", every=lambda _: timedelta(minutes=5), run=settle_sends
)
"""The search for mails that stay queued, every five minutes."""


def _page(services: Services) -> Sequence[Any]:
    """Give the mails to ask about, and note that it was their turn."""
    now = services.clock()
    columns = (OUTBOX.c.guid, OUTBOX.c.account, OUTBOX.c.message_id, OUTBOX.c.queue_id)
    quiet = (
        select(*columns, OUTBOX.c.created_at, OUTBOX.c.send_at)
        .where(
            OUTBOX.c.state.in_(("queued", "delayed")),
            OUTBOX.c.state_at < now - PATIENCE,
            or_(
                OUTBOX.c.send_at.is_(None),
                OUTBOX.c.send_at < now - PATIENCE,
                OUTBOX.c.queue_id.is_(None),
            ),
        )
        .order_by(OUTBOX.c.state_at, OUTBOX.c.guid)
        .limit(PAGE)
        .with_for_update(skip_locked=True)
    )
    with services.application.database.begin() as connection:
        rows = connection.execute(quiet).all()
        if rows:
            chosen = OUTBOX.c.guid.in_([each.guid for each in rows])
            connection.execute(update(OUTBOX).where(chosen).values(state_at=now))
    return rows


def _submit_again(services: Services, rows: Sequence[Any]) -> None:
    """Ask for a job for each mail that the engine does not have and that no job is to give it."""
    if not rows:
        return
    wanted = {f"submit:{each.guid}": each.guid for each in rows}
    with services.application.database.begin() as connection:
        open_jobs = select(_JOB.c.key).where(_JOB.c.state.in_(_OPEN), _JOB.c.key.in_(list(wanted)))
        for key in connection.scalars(open_jobs):
            wanted.pop(key or "", None)
        enqueue(connection, [submission(each) for each in wanted.values()], services.clock())
    if wanted:
        log.warning("%d mails had lost their job and were given another one", len(wanted))
        services.wake()


def _settle(services: Services, row: Any, asking: _Asking) -> None:
    """Ask about one mail; an engine that is away, or an account, is asked no more in this run."""
    try:
        report = _report(services, row, asking)
    except EngineError as error:
        log.warning("What became of %s stays open: %s", row.message_id, error.message)
        asking.unreachable.add(row.account)
        return
    if report is not None:
        waiting = OUTBOX.c.state.in_(("queued", "delayed"))
        apply(services, (OUTBOX.c.guid == row.guid) & waiting, report)


def _report(services: Services, row: Any, asking: _Asking) -> Report | None:
    """Say what became of the mail, `None` if it still waits or may yet turn up."""
    now = services.clock()
    if _waits(services, row.queue_id):
        return None
    if in_sent(services, row.account, row.message_id):
        return Report(state="sent", date=now)
    if asking.given_up is None:
        asking.given_up = {each.queue_id: each for each in services.engine.outbox() if each.gave_up}
    failed = asking.given_up.get(row.queue_id)
    if failed is not None:
        return Report(state="failed", date=now, reason=failed.error)
    if now - _leaving(row) < GIVE_UP:
        return None
    return Report(state="failed", date=now, reason=FORGOTTEN)


def _waits(services: Services, queue_id: str) -> bool:
    try:
        return not services.engine.outbox_entry(queue_id).gave_up
    except EngineNotFound:
        return False


def _leaving(row: Any) -> datetime:
    """Give when the mail was to leave."""
    due: datetime = row.send_at or row.created_at
    return due
