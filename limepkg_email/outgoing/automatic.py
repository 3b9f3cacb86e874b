"""What is sent without anybody pressing a button: what relay and automatic reply have in common.

Both read what they need, make their mails, and then write everything in one transaction. The guid
of each mail is derived from what it is about, so that doing it again meets itself in the outbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, delete, func, select

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.db import insert_new, plugin_connection
from limepkg_email.host import Objects, UnitOfWork
from limepkg_email.outgoing.content import MessageText, document
from limepkg_email.outgoing.headers import MARKER, marker, message_id
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.references import earlier_mails, threading_headers
from limepkg_email.outgoing.send import submission
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.query import In, Query
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue
from limepkg_email.thread_index import enter_outgoing

_SUPPRESS = {"X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one follower, before it has headers; `attachments` as a payload has them."""

    guid: str
    target: Target
    text: MessageText
    attachments: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What all mails of one occasion have in common.

    `kind` is the outbox's, `submitted` the value of Auto-Submitted (RFC 3834), `sender` the name
    that recipients see.
    """

    kind: str
    submitted: str
    account: ConnectedAccount
    sender: str
    installation: str


class WrittenElsewhere(Exception):
    """Another worker is committing the same mails just now."""


def guid_of(*parts: object) -> str:
    """Give the guid of a mail, always the same for the same parts."""
    return str(uuid5(NAMESPACE_URL, ":".join(str(each) for each in parts)))


def written_once(services: Services, write: Callable[[UnitOfWork, Connection], int]) -> int:
    """Run `write` in one transaction, again if another worker was faster; gives how many mails."""
    try:
        return _transact(services, write)
    except WrittenElsewhere:
        # The other worker has committed, or its rows would not have been in the way.
        return _transact(services, write)


def _transact(services: Services, write: Callable[[UnitOfWork, Connection], int]) -> int:
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        written = write(work, connection)
        if written:
            work.after_commit(services.wake)
    return written


def still_to_send(
    work: UnitOfWork, connection: Connection, letters: Sequence[Letter]
) -> list[Letter]:
    """Leave out the letters that stand in the outbox already."""
    guids = [each.guid for each in letters]
    rows = connection.execute(
        select(OUTBOX.c.guid, OUTBOX.c.message_id, OUTBOX.c.queue_id).where(
            OUTBOX.c.guid.in_(guids)
        )
    ).all()
    known = {row.guid for row in rows}
    if work.connection is None and rows:
        known -= _drop_unshown(work.objects, connection, rows)
    return [each for each in letters if each.guid not in known]


def _drop_unshown(objects: Objects, connection: Connection, rows: Iterable[Any]) -> set[str]:
    """Remove the entries whose message followers were never committed to their own database."""
    waiting = {row.message_id: row.guid for row in rows if row.queue_id is None}
    shown = objects.query(
        Query("messagefollower", In("messageid", list(waiting)), properties=("messageid",))
    )
    unshown = set(waiting.values()) - {waiting[str(each["messageid"])] for each in shown}
    connection.execute(delete(OUTBOX).where(OUTBOX.c.guid.in_(unshown)))
    return unshown


def without_flood(
    connection: Connection, kind: str, letters: Sequence[Letter], most: int, since: datetime
) -> list[Letter]:
    """Leave out the letters to addresses that got `most` mails of the kind since then."""
    rows = connection.execute(
        select(OUTBOX.c.recipient)
        .where(
            OUTBOX.c.recipient.in_([each.target.email for each in letters]),
            OUTBOX.c.kind == kind,
            OUTBOX.c.created_at > since,
        )
        .group_by(OUTBOX.c.recipient)
        .having(func.count() >= most)
    )
    full = {row.recipient for row in rows}
    return [each for each in letters if each.target.email not in full]


def write_mails(
    services: Services,
    objects: Objects,
    connection: Connection,
    dispatch: Dispatch,
    conversation: int,
    conversationmessage: int,
    letters: Sequence[Letter],
) -> None:
    """Write message followers, outbox, thread index and jobs of letters that are new.

    Raises `WrittenElsewhere` when the outbox turns out to have one of them.
    """
    now = services.clock()
    known = [each.target.follower for each in letters if each.target.follower is not None]
    earlier = earlier_mails(objects, known)
    ids = [message_id(each.guid, dispatch.account.email) for each in letters]
    shown = objects.add_many(
        "messagefollower",
        [
            {
                "messageid": own_id,
                "role": "to",
                "state": "queued",
                "statedate": now,
                "conversationmessage": conversationmessage,
                "follower": letter.target.follower,
            }
            for letter, own_id in zip(letters, ids, strict=True)
        ],
    )
    rows = [
        {
            "guid": letter.guid,
            "messagefollower": messagefollower,
            "account": dispatch.account.engine_account,
            "message_id": own_id,
            "recipient": letter.target.email,
            "payload": _payload(dispatch, letter, own_id, earlier),
            "state": "queued",
            "state_at": now,
            "created_at": now,
            "kind": dispatch.kind,
        }
        for letter, own_id, messagefollower in zip(letters, ids, shown, strict=True)
    ]
    # In one order for everybody, so that two workers wait for each other and never deadlock.
    if insert_new(connection, OUTBOX, sorted(rows, key=lambda row: str(row["guid"]))) != len(rows):
        raise WrittenElsewhere
    enter_outgoing(connection, ids, conversation)
    enqueue(connection, [submission(each.guid) for each in letters], now)


def _payload(
    dispatch: Dispatch, letter: Letter, own_id: str, earlier: Mapping[int, Sequence[str]]
) -> str:
    text, target = letter.text, letter.target
    payload: dict[str, Any] = {
        "from": _address(dispatch.sender, dispatch.account.email),
        "to": [_address(target.name, target.email)],
        "subject": text.subject,
        "html": document(text.content.html, text.subject),
        "text": text.content.text,
        "messageId": own_id,
        "headers": {
            **threading_headers(earlier.get(target.follower or 0, ())),
            "Auto-Submitted": dispatch.submitted,
            **_SUPPRESS,
            MARKER: marker(dispatch.installation, letter.guid),
        },
    }
    if letter.attachments:
        payload["attachments"] = [dict(each) for each in letter.attachments]
    return json.dumps(payload, ensure_ascii=False)


def _address(name: str, address: str) -> dict[str, str]:
    return {"name": name, "address": address} if name else {"address": address}
