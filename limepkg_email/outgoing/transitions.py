"""The states of a sent mail: which can follow which, and how one is taken on.

Only here the state of an outbox entry and of its message follower changes after it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from limepkg_email import event_log
from limepkg_email.conversations.invitations import come_back
from limepkg_email.db import plugin_connection, table
from limepkg_email.errors import NotFound
from limepkg_email.event_log import Level
from limepkg_email.host import Application, LimeObject, Objects, UnitOfWork
from limepkg_email.models import Outbox
from limepkg_email.query import In
from limepkg_email.services import Services
from limepkg_email.text import one_line, storable
from limepkg_email.thread_index import enter_outgoing

OUTBOX = table(Outbox)
ADVANCES: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"delayed", "sent", "failed", "bounced", "cancelled"}),
    "delayed": frozenset({"delayed", "sent", "failed", "bounced", "cancelled"}),
    # A server that took the mail can still send it back, but not hold it up again.
    "sent": frozenset({"failed", "bounced"}),
    "failed": frozenset({"bounced"}),
    # A mail that left all the same is told as it is.
    "cancelled": frozenset({"sent", "bounced"}),
    "bounced": frozenset(),
    # It was sent again, and what is shown is how the new mail fares.
    "superseded": frozenset(),
}
"""Which states can follow which. Events come late, doubled and in any order; what is not listed
here is old news and changes nothing."""

FORGOTTEN = "The mail engine no longer knows of it."
"""The reason of a mail that was given up because neither the engine nor the Sent folder has it."""

_UNDELIVERED = frozenset({"failed", "bounced"})
_VERBS = {"failed": "could not be sent", "bounced": "came back"}
_CODE = re.compile(r"\b[45]\d\d(?:[ -](?P<enhanced>[45]\.\d{1,3}\.\d{1,3}))?\b")


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail of the outbox, as far as its state is concerned."""

    guid: str
    messagefollower: int
    message_id: str
    recipient: str
    queue_id: str | None
    state: str
    account: str
    author: int | None
    invites: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a mail: a state, the reason in words, and an SMTP or other code for it."""

    state: str
    date: datetime
    reason: str = ""
    code: str = ""
    recipient: str = ""
    queue_id: str = ""
    message_id: str = ""


def apply(services: Services, where: ColumnElement[bool], report: Report) -> bool:
    """Move the state of the outbox entry that the condition finds; tells whether there is one."""
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entry = locked_entry(connection, where, report.queue_id)
        if entry is None:
            return False
        shown = messagefollower_of(work.objects, entry)
        _note_ids(work.objects, connection, entry, shown, report)
        if _advances(entry, shown, report):
            _move(work.objects, connection, entry, shown, report)
            _tell_author(application, work, entry, shown, report)
            _log(services, connection, entry, report)
    return True


def locked_entry(
    connection: Connection, where: ColumnElement[bool], queue_id: str = ""
) -> Entry | None:
    """Read and lock the entry that the condition finds, preferably the one with the queue id."""
    entries = locked_entries(connection, where)
    return next(
        (each for each in entries if queue_id and each.queue_id == queue_id),
        entries[0] if entries else None,
    )


def locked_entries(connection: Connection, where: ColumnElement[bool]) -> list[Entry]:
    """Read and lock the entries for which the condition holds."""
    rows = connection.execute(
        select(
            OUTBOX.c.guid,
            OUTBOX.c.messagefollower,
            OUTBOX.c.message_id,
            OUTBOX.c.recipient,
            OUTBOX.c.queue_id,
            OUTBOX.c.state,
            OUTBOX.c.account,
            OUTBOX.c.author,
            OUTBOX.c.invites,
        )
        .where(where)
        .order_by(OUTBOX.c.guid)
        .with_for_update()
    )
    return [Entry(*row) for row in rows]


def set_state(
    objects: Objects,
    connection: Connection,
    entries: Sequence[Entry],
    state: str,
    now: datetime,
) -> None:
    """Give entries that the caller has locked another state, because a person wants it so."""
    if not entries:
        return
    connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.guid.in_([each.guid for each in entries]))
        .values(state=state, state_at=now)
    )
    objects.update_where(
        "messagefollower",
        In("id", [each.messagefollower for each in entries]),
        {"state": state, "statedate": now, "reason": ""},
    )


def messagefollower_of(objects: Objects, entry: Entry) -> LimeObject | None:
    """Read the message follower that shows the entry's state, or `None` if it was deleted.

    Compared by Message-ID too, because where objects live in a database of their own an entry can
    outlive a transaction that failed, and its number belong to somebody else by now.
    """
    try:
        found = objects.get("messagefollower", entry.messagefollower)
    except NotFound:
        return None
    return found if found["messageid"] == entry.message_id else None


def _advances(entry: Entry, shown: LimeObject | None, report: Report) -> bool:
    # What people see decides: where it lives in another database it can lag behind the outbox.
    current = str(shown["state"]) if shown else entry.state
    # A failure without a queue id is our own giving up, perhaps without an answer of the engine,
    # which can have the mail all the same: what it says then counts as if we had waited.
    # One that the engine had forgotten is no better known.
    forgotten = shown is not None and shown["reason"] == FORGOTTEN
    given_up = current == "failed" and (entry.queue_id is None or forgotten)
    following = ADVANCES["queued"] if given_up else ADVANCES.get(current, frozenset())
    return report.state in following


def _move(
    objects: Objects,
    connection: Connection,
    entry: Entry,
    shown: LimeObject | None,
    report: Report,
) -> None:
    connection.execute(
        update(OUTBOX)
        .where(OUTBOX.c.guid == entry.guid)
        .values(state=report.state, state_at=report.date)
    )
    if shown is None:
        return
    objects.update(
        "messagefollower",
        shown.id,
        {
            "state": report.state,
            "statedate": report.date,
            "reason": one_line(report.reason, 1024),
        },
    )
    if entry.invites and shown["state"] == "cancelled":
        # It left all the same: they know of the conversation, as if nobody had cancelled it.
        come_back(objects, [shown.id])
    if report.state in _UNDELIVERED:
        objects.add("conversationmessageerror", _error(entry, shown, report))


def _tell_author(
    application: Application,
    work: UnitOfWork,
    entry: Entry,
    shown: LimeObject | None,
    report: Report,
) -> None:
    """Tell who wrote the mail, once, that it did not arrive; the host logs it if that fails."""
    author = entry.author
    if shown is None or author is None or report.state not in _UNDELIVERED:
        return
    if shown["state"] in _UNDELIVERED:
        return
    message = work.objects.get("conversationmessage", int(str(shown["conversationmessage"])))
    url = application.object_url("conversation", int(str(message["conversation"])))
    reason = one_line(report.reason, 200)
    what = f"Your message to {entry.recipient} {_VERBS[report.state]}"
    text = f"{what}: {reason}" if reason else f"{what}."
    work.after_commit(lambda: application.notify(author, text, url))


def _log(services: Services, connection: Connection, entry: Entry, report: Report) -> None:
    """Note in the log that a mail is given up; a bounce is the recipient's affair."""
    if report.state != "failed":
        return
    text = f"A mail could not be sent: {one_line(report.reason, 500) or 'no reason was given'}"
    follower = entry.messagefollower
    now, account = services.clock(), entry.account
    event_log.note(
        connection, now, Level.ERROR, "send_failed", text, account=account, messagefollower=follower
    )


def _error(entry: Entry, shown: LimeObject, report: Report) -> dict[str, object]:
    return {
        "text": storable(report.reason, 10_000),
        "date": report.date,
        "code": one_line(report.code or _code_in(report.reason), 64),
        "recipient": one_line(report.recipient or entry.recipient, 320),
        "conversationmessage": shown["conversationmessage"],
    }


def _note_ids(
    objects: Objects,
    connection: Connection,
    entry: Entry,
    shown: LimeObject | None,
    report: Report,
) -> None:
    """Take over the queue id, and the Message-ID if a mail server on the way has replaced ours.

    Some do (Amazon SES, Exchange); answers and bounces then name theirs.
    """
    replaced = report.message_id not in ("", entry.message_id) and len(report.message_id) <= 256
    values: dict[str, object] = {}
    if report.queue_id and entry.queue_id is None:
        values["queue_id"] = report.queue_id
    if replaced:
        values["message_id"] = report.message_id
    if not values:
        return
    connection.execute(update(OUTBOX).where(OUTBOX.c.guid == entry.guid).values(values))
    if shown is None:
        return
    names = {"queue_id": "queueid", "message_id": "messageid"}
    objects.update("messagefollower", shown.id, {names[key]: each for key, each in values.items()})
    if replaced:
        message = objects.get("conversationmessage", int(str(shown["conversationmessage"])))
        conversation = int(str(message["conversation"]))
        enter_outgoing(connection, [report.message_id], conversation)


def _code_in(reason: str) -> str:
    """Give the SMTP code that a reason quotes, preferably the enhanced one (RFC 3463)."""
    found = _CODE.search(reason)
    return (found["enhanced"] or found[0]) if found else ""
