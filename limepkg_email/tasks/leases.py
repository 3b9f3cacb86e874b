"""Leases: the right of one process to do a thing until an instant, kept in the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_

from limepkg_email.db import table, upsert
from limepkg_email.models import Lease

_LEASE = table(Lease)


def acquire(
    connection: Connection, name: str, holder: str, now: datetime, duration: timedelta
) -> bool:
    """Take the lease if it is free, has ended or is the holder's own; tells whether it was taken.

    One conditional upsert, so that of several processes that ask at once one gets it. Taking one's
    own lease again prolongs it.
    """
    statement = upsert(connection, _LEASE).values(
        name=name, holder=holder, expires_at=now + duration
    )
    taken = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": statement.excluded.holder, "expires_at": statement.excluded.expires_at},
        where=or_(_LEASE.c.expires_at <= now, _LEASE.c.holder == holder),
    )
    return connection.execute(taken.returning(_LEASE.c.name)).one_or_none() is not None


def release(connection: Connection, name: str, holder: str) -> bool:
    """Give the lease back; tells whether it was still the holder's."""
    mine = delete(_LEASE).where(_LEASE.c.name == name, _LEASE.c.holder == holder)
    return connection.execute(mine).rowcount == 1
