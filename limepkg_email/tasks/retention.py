"""What is removed from our tables once it is old, and when; `docs/reference/retention.md` has all.

What is not here is kept for a reason. Receipts, the thread index and the rows of the outbox are
the memory by which no mail is imported or sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from limepkg_email import audit, event_log
from limepkg_email.config import Configuration
from limepkg_email.outgoing.forgetting import forget_texts
from limepkg_email.services import Services
from limepkg_email.tasks import jobs, runs
from limepkg_email.tasks.schedule import Schedule

TOGETHER: Final = 1000
"""Rows that one transaction removes."""
MOST_BATCHES: Final = 20
"""Transactions of one kind in one run; what is left has its turn in the next one."""

_REMOVED: Final = "Retention: %d %s removed"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of thing that is kept for so many days.

    `remove(connection, before, limit)` removes up to `limit` that are older and gives how many.
    """

    name: str
    days: Callable[[Configuration], float]
    remove: Callable[[Connection, datetime, int], int]


KEPT: Final = (
    Kept("finished jobs", lambda config: config.job_retention, jobs.prune),
    Kept("tasks that ended", lambda config: config.run_retention, runs.prune),
    Kept("entries of the log", lambda config: config.log_retention, event_log.prune),
    Kept("entries of the audit log", lambda config: config.audit_retention, audit.prune),
    Kept("texts of sent mails", lambda config: config.sent_text_retention, forget_texts),
)
"""Everything that is removed because it is old."""


def remove_old(services: Services) -> None:
    """Remove what is older than its key of the configuration says, each batch by itself.

    Doing it again or breaking off in between does no harm: each transaction is whole. A kind that
    fails keeps no other from its turn; its error is raised after them.
    """
    failed: SQLAlchemyError | None = None
    for kind in KEPT:
        before = services.clock() - timedelta(days=kind.days(services.config))
        try:
            removed = sum(_batches(services, kind, before))
        except SQLAlchemyError as error:
            log.warning("Retention: %s could not be removed", kind.name)
            failed = failed or error
        else:
            log.log(logging.INFO if removed else logging.DEBUG, _REMOVED, removed, kind.name)
    if failed is not None:
        raise failed


def _batches(services: Services, kind: Kept, before: datetime) -> list[int]:
    done: list[int] = []
    while len(done) < MOST_BATCHES and (not done or done[-1] == TOGETHER):
        with services.application.database.begin() as connection:
            done.append(kind.remove(connection, before, TOGETHER))
    return done


RETENTION: Final = Schedule(
    "retention", every=lambda _: timedelta(minutes=10), run=remove_old, at_start=True
)
"""The removal of what is old, every ten minutes."""
