"""Mails that wait although their message was deleted in the CRM: they do not leave, nor invite.

Hosts delete limeobjects in forms of their own and tell nobody, so what is to leave later is
compared with its limeobjects now and then. What leaves at once is looked at when it is handed over.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update

from limepkg_email.conversations.invitations import DeletedMail, disinvite
from limepkg_email.db import plugin_connection
from limepkg_email.host import Objects
from limepkg_email.outgoing.send import submission
from limepkg_email.outgoing.transitions import OUTBOX, locked_entries
from limepkg_email.query import In, Query
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue

PAGE = 1_000
"""Mails that are compared at a time."""
_WAITING: Final = ("queued", "delayed")
_COMMIT_WINDOW: Final = timedelta(minutes=5)
"""Where objects live in another database they are committed a moment after the outbox."""

log = logging.getLogger(__name__)


def cancel_deleted(services: Services) -> None:
    """Cancel the mails of later whose message, or whose recipient's part of it, was deleted."""
    after = ""
    while mails := _page(services, after):
        after = mails[-1].guid
        with services.application.unit_of_work() as work:
            gone = _deleted(work.objects, mails)
        if gone:
            _cancel(services, gone)


def _page(services: Services, after: str) -> Sequence[Any]:
    now = services.clock()
    later = (
        select(OUTBOX.c.guid, OUTBOX.c.messagefollower, OUTBOX.c.message_id)
        .where(
            OUTBOX.c.guid > after,
            OUTBOX.c.state.in_(_WAITING),
            OUTBOX.c.send_at > now,
            OUTBOX.c.created_at < now - _COMMIT_WINDOW,
        )
        .order_by(OUTBOX.c.guid)
        .limit(PAGE)
    )
    with services.application.database.connect() as connection:
        return connection.execute(later).all()


def _deleted(objects: Objects, mails: Sequence[Any]) -> list[str]:
    """Give the guids of the mails that no message shows any more."""
    where = In("id", [each.messagefollower for each in mails])
    query = Query("messagefollower", where, properties=("messageid", "conversationmessage"))
    shown = {
        (each.id, each["messageid"])
        for each in objects.query(query)
        if each["conversationmessage"] is not None
    }
    return [each.guid for each in mails if (each.messagefollower, each.message_id) not in shown]


def _cancel(services: Services, guids: Collection[str]) -> None:
    """Cancel what is still without a message once it is locked; the engine lets go by a job."""
    application, now = services.application, services.clock()
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        waiting = OUTBOX.c.guid.in_(guids) & OUTBOX.c.state.in_(_WAITING)
        entries = locked_entries(connection, waiting)
        gone = set(_deleted(work.objects, entries))
        if not gone:
            return
        cancelled = update(OUTBOX).where(OUTBOX.c.guid.in_(gone))
        connection.execute(cancelled.values(state="cancelled", state_at=now))
        disinvite(
            work.objects,
            connection,
            [
                DeletedMail(each.messagefollower, each.message_id, each.recipient)
                for each in entries
                if each.guid in gone and each.invites
            ],
        )
        enqueue(connection, [submission(each) for each in sorted(gone)], now)
    log.info("%d mails are not sent, for their message was deleted", len(gone))
    services.wake()
