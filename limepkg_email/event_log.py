"""The log that administrators read in the CRM: what went wrong or needs somebody, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from limepkg_email.db import table
from limepkg_email.models import LogEntry
from limepkg_email.services import Services

_LOG = table(LogEntry)


class Level(StrEnum):
    """How much an entry matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry as it is read; what its fields mean stands at `models.LogEntry`."""

    id: int
    at: datetime
    level: str
    code: str
    account: str
    text: str
    details: Any


def note(
    connection: Connection,
    at: datetime,
    level: Level,
    code: str,
    text: str,
    *,
    account: str = "",
    **details: Any,
) -> None:
    """Add an entry in the transaction at hand. `details` are JSON; put no text of mails in them."""
    connection.execute(
        insert(_LOG).values(
            at=at, level=level.value, code=code, account=account, text=text, details=details
        )
    )


def listing(
    services: Services,
    *,
    level: str | None = None,
    account: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Logged], int]:
    """Give a page of entries, the newest first, and how many there are in all; two statements."""
    chosen = select(*(_LOG.c[name] for name in Logged.__slots__))
    if level is not None:
        chosen = chosen.where(_LOG.c.level == level)
    if account is not None:
        chosen = chosen.where(_LOG.c.account == account)
    page = chosen.order_by(_LOG.c.id.desc()).limit(limit).offset(offset)
    with services.application.database.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        return [Logged(**row) for row in connection.execute(page).mappings()], total


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` entries older than the instant; gives how many they were.

    Ids grow with time, so the oldest entries are found by the primary key whatever the size.
    """
    oldest = select(_LOG.c.id, _LOG.c.at).order_by(_LOG.c.id).limit(limit).subquery()
    old = select(oldest.c.id).where(oldest.c.at < before)
    return connection.execute(delete(_LOG).where(_LOG.c.id.in_(old))).rowcount
