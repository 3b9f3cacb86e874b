"""The recovery of one account: mail that no webhook brought, and mail that failed.

Every mail that should be in the CRM is found in three steps, and imported by the same function as
mail that a webhook announced, so nothing that happens meanwhile can double it:

1. unread mail of the inbox, whenever it came (with `import_unread`; else since the activation);
2. mail of the inbox, read or not, that came since the last complete recovery, less a margin: mail
   that somebody read in the mailbox is found because it has no receipt. Once a day, and while no
   recovery was ever complete, everything since the activation;
3. the failed folder, whose mails go back to the inbox when they are imported.

Only a recovery without an error and without unaccounted mail counts as complete, so the window
grows until one is. The daily look at everything finds what was moved into the inbox with an old
date. What is known is told by its receipt: a run that was interrupted is gone on with for the price
of the lists. `docs/explanation/exactly-once.md` has the whole argument.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import InterfaceError, OperationalError

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.accounts.refreshing import Answer, ask, take_over
from limepkg_email.db import table
from limepkg_email.errors import DatabaseUnavailable, EmailIntegrationError
from limepkg_email.incoming.failures import reason_of
from limepkg_email.incoming.recovering import reports
from limepkg_email.incoming.recovering.progress import Progress, Stage
from limepkg_email.incoming.recovering.reports import Report
from limepkg_email.incoming.recovering.scan import Scan
from limepkg_email.models import Lease
from limepkg_email.services import Services
from limepkg_email.tasks import leases
from limepkg_email.tasks.jobs import LeaseLost

MARGIN: Final = timedelta(days=2)
"""How far before the last complete recovery the window begins.

Longer than the grace period, than a day (some servers search by the day, in a time zone of theirs)
and than servers put mail off before it is in the inbox.
"""
EVERYTHING_EVERY: Final = timedelta(days=1)
"""How often everything since the activation is listed."""

_A_DAY: Final = timedelta(days=1)
_LEASE = table(Lease)

log = logging.getLogger(__name__)


def recover(
    services: Services,
    account: ConnectedAccount,
    *,
    run: str = "",
    patient: bool = False,
    unannounced_before: datetime | None = None,
) -> Report:
    """Look through the account now, to the end, and store the report.

    `patient` tries failed mail at growing intervals only. Mail from `unannounced_before` has no
    grace period. What goes wrong stands in the report; raises only when the database is away.
    """
    progress = begin(services, account, patient=patient)
    go_on(services, account, progress, unannounced_before=unannounced_before)
    answer = ask(services, account.engine_account)
    with services.application.database.begin() as connection:
        report = conclude(connection, services, account, progress, run, answer)
    services.wake()
    return report


def begin(services: Services, account: ConnectedAccount, *, patient: bool) -> Progress:
    """Decide what is looked at."""
    now = services.clock()
    with services.application.database.connect() as connection:
        complete = reports.last_complete(connection, account.engine_account)
        again = select(_LEASE.c.expires_at).where(_LEASE.c.name == _everything(account))
        next_whole = connection.scalar(again)
    first = account.activated_at - _A_DAY
    grace = timedelta(minutes=services.config.vacuum_cleaner_grace_period)
    whole = complete is None or next_whole is None or next_whole <= now
    since = first if whole or complete is None else max(first, complete - max(MARGIN, 2 * grace))
    return Progress(started_at=now, since=since, whole=whole, patient=patient)


def go_on(
    services: Services,
    account: ConnectedAccount,
    progress: Progress,
    *,
    unannounced_before: datetime | None = None,
    keep: Callable[[], None] = lambda: None,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Look on until the progress says `ended` or, between two pages, it is `enough` for now.

    Raises what `keep` raises, and when the database is away; any other error ends the account's
    recovery and stands in its progress.
    """
    try:
        scan = Scan(services, account, progress, keep, unannounced_before)
        for _ in scan.steps():
            if progress.stage is not Stage.ENDED and enough():
                return
    except (LeaseLost, OperationalError, InterfaceError, DatabaseUnavailable):
        raise
    except EmailIntegrationError as error:
        give_up(progress, reason_of(error))
    except Exception as error:
        log.exception("A recovery broke", extra={"account": account.engine_account})
        give_up(progress, f"The recovery broke: {type(error).__name__}")


def give_up(progress: Progress, reason: str) -> None:
    """End the recovery of an account early."""
    progress.error, progress.stage = reason, Stage.ENDED


def conclude(
    connection: Connection,
    services: Services,
    account: ConnectedAccount,
    progress: Progress,
    run: str,
    answer: Answer | None,
) -> Report:
    """Store the report of a recovery that ended, in the transaction at hand.

    `answer` is what the engine says of the account at the end: its state is taken over, since the
    event that told of it can be lost.
    """
    now = services.clock()
    report = reports.store(connection, account.engine_account, run, progress, now)
    if progress.whole and report.complete:
        holder = f"report-{report.id}"
        leases.acquire(connection, _everything(account), holder, now, EVERYTHING_EVERY)
    if answer is not None:
        take_over(connection, services, account.id, answer)
    return report


def _everything(account: ConnectedAccount) -> str:
    return f"recovery:everything:{account.id}"
