"""The reports of recoveries: the last ones of each account are kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from limepkg_email import event_log
from limepkg_email.accounts.accounts import address_of
from limepkg_email.db import table
from limepkg_email.event_log import Level
from limepkg_email.incoming.recovering.progress import TALLIED, Progress
from limepkg_email.models import AccountReport

KEPT: Final = 200
"""Reports that are kept of each account."""

_REPORT = table(AccountReport)


@dataclass(frozen=True, slots=True)
class Report:
    """What one recovery found in one account; what its fields mean stands at the model."""

    id: int
    account: str
    run: str
    started_at: datetime
    finished_at: datetime
    error: str
    listed: int
    known: int
    imported: int
    recovered: int
    second_sightings: int
    filtered: int
    own: int
    too_old: int
    before_activation: int
    in_grace: int
    failed: int
    unaccounted: int

    @property
    def complete(self) -> bool:
        """Tell whether every mail that should be in the CRM by then was accounted for."""
        return not self.error and not self.unaccounted

    def counts(self) -> dict[str, int]:
        """Give the counts by name."""
        return {name: getattr(self, name) for name in TALLIED}


_ENTRY = select(*(_REPORT.c[name] for name in Report.__slots__))


def store(
    connection: Connection, account: str, run: str, progress: Progress, now: datetime
) -> Report:
    """Keep the report of a recovery that ended, forget the oldest, and log what is new in it."""
    before = latest(connection, account)
    values = {
        "account": account,
        "run": run,
        "started_at": progress.started_at,
        "finished_at": now,
        "error": progress.error,
        **asdict(progress.tally),
    }
    id = connection.execute(insert(_REPORT).values(values).returning(_REPORT.c.id)).scalar_one()
    report = Report(id=id, **values)
    oldest = (
        select(_REPORT.c.id)
        .where(_REPORT.c.account == account)
        .order_by(_REPORT.c.id.desc())
        .offset(KEPT)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(delete(_REPORT).where(_REPORT.c.account == account, _REPORT.c.id <= oldest))
    _log(connection, report, before)
    return report


def latest(connection: Connection, account: str) -> Report | None:
    """Give the newest report of an account, `None` if there was no recovery yet."""
    newest = _ENTRY.where(_REPORT.c.account == account).order_by(_REPORT.c.id.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    return None if row is None else Report(**row)


def last_complete(connection: Connection, account: str) -> datetime | None:
    """Give when the newest recovery began that accounted for everything."""
    complete = select(_REPORT.c.started_at).where(
        _REPORT.c.account == account, _REPORT.c.error == "", _REPORT.c.unaccounted == 0
    )
    began: datetime | None = connection.scalar(complete.order_by(_REPORT.c.id.desc()).limit(1))
    return began


def listing(
    connection: Connection, *, account: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Report], int]:
    """Give a page of reports, the newest first, and how many there are; two statements."""
    chosen = _ENTRY if account is None else _ENTRY.where(_REPORT.c.account == account)
    total = connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    page = chosen.order_by(_REPORT.c.id.desc()).limit(limit).offset(offset)
    return [Report(**row) for row in connection.execute(page).mappings()], total


def _log(connection: Connection, report: Report, before: Report | None) -> None:
    """Tell administrators once of each trouble, not every twenty minutes."""
    if report.error and (before is None or before.error != report.error):
        text = f"The recovery did not get to the end: {report.error}"
        _note(connection, report, Level.WARNING, "recovery_error", text)
    elif report.unaccounted:
        text = f"The recovery could not account for {report.unaccounted} mails; it will try again."
        _note(connection, report, Level.ERROR, "recovery_unaccounted", text)


def _note(connection: Connection, report: Report, level: Level, code: str, text: str) -> None:
    account, run = report.account, report.run
    text = f"{address_of(connection, account)}: {text}"
    event_log.note(connection, report.finished_at, level, code, text, account=account, run=run)
