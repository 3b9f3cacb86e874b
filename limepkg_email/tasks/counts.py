"""Numbers of rows in large tables, counted once in a while and kept.

A scrape of `/metrics` every few seconds must not count a million rows each time, so it reads what
was counted last. Of the tables that only grow an index holds all that is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Connection, func, select

from limepkg_email.db import table, upsert
from limepkg_email.models import Counter, Job, Outbox, Receipt
from limepkg_email.tasks.schedule import Schedule

if TYPE_CHECKING:
    from limepkg_email.services import Services

RECEIPTS: Final = "receipts"
"""The count of mails by what became of them."""
JOBS: Final = "jobs"
"""The count of jobs by state."""
OUTBOX: Final = "outbox"
"""The count of mails to send by their state."""

_COUNTERS = table(Counter)
_COUNTED: Final[Mapping[str, Column[str]]] = {
    RECEIPTS: table(Receipt).c.disposition,
    OUTBOX: table(Outbox).c.state,
    JOBS: table(Job).c.state,
}


def count(services: Services) -> None:
    """Count everything anew; what there is none of any more becomes 0."""
    database = services.application.database
    for name, column in _COUNTED.items():
        with database.connect() as connection:
            rows = connection.execute(select(column, func.count()).group_by(column)).all()
        with database.begin() as connection:
            known = dict.fromkeys(counted(connection, name), 0)
            _store(connection, name, {**known, **dict(rows)})


def counted(connection: Connection, name: str) -> dict[str, int]:
    """Give the last count by value, such as `imported`; empty before the first one."""
    beginning = f"{name}:"
    chosen = select(_COUNTERS).where(_COUNTERS.c.name.startswith(beginning, autoescape=True))
    rows = connection.execute(chosen.order_by(_COUNTERS.c.name))
    return {row.name.removeprefix(beginning): row.value for row in rows}


def _store(connection: Connection, name: str, numbers: Mapping[str, int]) -> None:
    if not numbers:
        return
    rows = [{"name": f"{name}:{value}", "value": numbers[value]} for value in sorted(numbers)]
    stored = upsert(connection, _COUNTERS).values(rows)
    connection.execute(
        stored.on_conflict_do_update(
            index_elements=["name"], set_={"value": stored.excluded["value"]}
        )
    )


COUNTING: Final = Schedule(
    "counting", every=lambda _: timedelta(minutes=10), run=count, at_start=True
)
"""The count of what `/metrics` tells of large tables, every ten minutes."""
