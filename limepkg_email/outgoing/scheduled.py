"""Mails that leave later: until then they can be cancelled, and their text taken back to edit it.

The engine keeps them until their time. A mail is cancelled here first and in the engine afterwards;
a job makes sure of the latter, so that it stays cancelled whatever stops this process in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from limepkg_email.accounts.access import may_send
from limepkg_email.conversations.invitations import come_back, withdraw
from limepkg_email.db import plugin_connection
from limepkg_email.errors import Conflict, EngineError, Forbidden
from limepkg_email.host import LimeObject, Objects
from limepkg_email.outgoing.draft import Draft, OutgoingFile
from limepkg_email.outgoing.pictures import with_pictures
from limepkg_email.outgoing.problems import Problems
from limepkg_email.outgoing.send import submission, take_back
from limepkg_email.outgoing.transitions import OUTBOX, Entry, locked_entries, set_state
from limepkg_email.query import Equals, Order, Query
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue

LONGEST_DELAY = timedelta(days=366)
LONGEST_UNDO = timedelta(hours=1)

_WAITING = frozenset({"queued", "delayed"})
_CERTAINTY = timedelta(minutes=1)
"""After which the job looks whether the engine really let go of a cancelled mail."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Which message followers of a message get no mail, and whose mails were not waiting."""

    cancelled: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What a message said, to be written on; `documents` are the ids of those with its files.

    `html` holds its pictures as `data:` addresses, the way an editor has them.
    """

    conversation: int
    subject: str
    html: str
    documents: tuple[int, ...]
    files: tuple[OutgoingFile, ...]


def send_time(draft: Draft, now: datetime, problems: Problems) -> datetime | None:
    """Give when the draft's mails are to leave, `None` for at once; notes what is wrong with it."""
    if not timedelta(0) <= draft.undo <= LONGEST_UNDO:
        problems.add("undo", "A message can be taken back for at most an hour.")
        return None
    if draft.send_at is None:
        return now + draft.undo if draft.undo else None
    if draft.send_at.tzinfo is None:
        problems.add("send_at", "The time needs a time zone.")
    elif not now < draft.send_at <= now + LONGEST_DELAY:
        problems.add("send_at", "The time must be in the future, within a year.")
    return draft.send_at


def announcement(send_at: datetime) -> str:
    """Give the sentence that stands beside the state of a mail that is sent later."""
    return f"To be sent at {send_at.isoformat(sep=' ', timespec='minutes')}."


def cancel(services: Services, messagefollower: int) -> None:
    """Cancel one mail that has not left; once more does nothing.

    Somebody who would have followed the conversation by this mail alone does not follow it.
    Raises `NotFound` for what the user may not see, `Forbidden` without the permission to send from
    the account, and `Conflict` when the mail has left or is no waiting mail at all.
    """
    done = _cancel(services, lambda objects: [objects.get("messagefollower", messagefollower)])
    if not done.cancelled:
        raise Conflict("The mail is not waiting to be sent: it was already sent, or given up.")


def cancel_message(services: Services, message: int) -> Cancellation:
    """Cancel all mails of a message that have not left; raises as `cancel` if there is none."""
    done = _cancel(services, lambda objects: _messagefollowers(objects, message))
    if not done.cancelled:
        raise Conflict("No mail of the message is waiting: they were already sent, or given up.")
    return done


def edit(services: Services, message: int) -> tuple[Cancellation, MessageContent]:
    """Cancel what has not left of a message, and give its content to write on."""
    return cancel_message(services, message), content(services, message)


def content(services: Services, message: int) -> MessageContent:
    """Give subject, html and files of a message; raises `NotFound`."""
    with services.application.unit_of_work() as work:
        found = work.objects.get("conversationmessage", message)
        where = Equals("conversationmessage", message)
        query = Query("document", where, (Order("id"),), properties=("document",))
        documents = [each for each in work.objects.query(query) if each["document"] is not None]
        shown = Query("embeddedfile", where, properties=("contentid", "file"))
        pictures = {str(each["contentid"]): each["file"] for each in work.objects.query(shown)}
    stored = [services.application.files.describe(str(each["document"])) for each in documents]
    return MessageContent(
        conversation=int(str(found["conversation"])),
        subject=str(found["subject"] or ""),
        html=with_pictures(services.application.files, str(found["body"] or ""), pictures),
        documents=tuple(each.id for each in documents),
        files=tuple(
            OutgoingFile(each.filename, each.content_type, each.id, each.size) for each in stored
        ),
    )


def _messagefollowers(objects: Objects, message: int) -> list[LimeObject]:
    objects.get("conversationmessage", message)
    return objects.query(
        Query("messagefollower", Equals("conversationmessage", message), (Order("id"),))
    )


def _cancel(services: Services, read: Callable[[Objects], Sequence[LimeObject]]) -> Cancellation:
    entries = _mark(services, read)
    taken = [each for each in entries if each.state in _WAITING]
    missed = [each for each in taken if each.queue_id and not _let_go(services, each)]
    if missed:
        _give_back(services, missed)
    gone = {each.guid for each in missed}
    shown = {
        each.messagefollower: each.state in (*_WAITING, "cancelled") and each.guid not in gone
        for each in entries
    }
    return Cancellation(
        cancelled=tuple(id for id, cancelled in shown.items() if cancelled),
        left=tuple(id for id, cancelled in shown.items() if not cancelled),
    )


def _mark(services: Services, read: Callable[[Objects], Sequence[LimeObject]]) -> list[Entry]:
    """Cancel what waits, as far as it is in our hands; gives all entries as they were before."""
    application, now = services.application, services.clock()
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        shown = {each.id: each["messageid"] for each in read(work.objects)}
        where = OUTBOX.c.messagefollower.in_(list(shown))
        # Compared by Message-ID too: a mail that was sent again left an older entry behind.
        entries = [
            each
            for each in locked_entries(connection, where)
            if shown[each.messagefollower] == each.message_id
        ]
        for account in {each.account for each in entries}:
            if not may_send(services, connection, account):
                raise Forbidden("You may not send from the account of this message.")
        waiting = [each for each in entries if each.state in _WAITING]
        if waiting:
            set_state(work.objects, connection, waiting, "cancelled", now)
            inviting = [each.messagefollower for each in waiting if each.invites]
            withdraw(work.objects, connection, inviting)
            enqueue(connection, [submission(each.guid, _CERTAINTY) for each in waiting], now)
    return sorted(entries, key=lambda each: each.messagefollower)


def _let_go(services: Services, entry: Entry) -> bool:
    """Tell whether the engine does not send the mail; if it is away, the job will see to that."""
    try:
        return take_back(services, entry)
    except EngineError as error:
        if not error.retryable:
            raise
        return True


def _give_back(services: Services, missed: Sequence[Entry]) -> None:
    """Show what has left as waiting again, until its event comes; one that came already stands."""
    application = services.application
    where = OUTBOX.c.guid.in_([each.guid for each in missed])
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entries = locked_entries(connection, where & (OUTBOX.c.state == "cancelled"))
        set_state(work.objects, connection, entries, "queued", services.clock())
        inviting = [each.messagefollower for each in entries if each.invites]
        come_back(work.objects, inviting)
