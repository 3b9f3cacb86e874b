"""One mail of the outbox is handed to the engine, once, whatever is repeated or lost on the way."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from limepkg_email.conversations.invitations import DeletedMail, disinvite
from limepkg_email.db import plugin_connection
from limepkg_email.errors import Conflict, EngineNotFound, EngineRejected, NotFound
from limepkg_email.host import Application, Objects
from limepkg_email.outgoing.forgetting import TEXT_GONE
from limepkg_email.outgoing.mime import FILE
from limepkg_email.outgoing.status import mark_failed
from limepkg_email.outgoing.transitions import (
    OUTBOX,
    Entry,
    Report,
    apply,
    locked_entry,
    messagefollower_of,
)
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import NewJob

__all__ = ["SUBMIT_MESSAGE", "mark_failed", "submission", "submit_outbox", "take_back"]

SUBMIT_MESSAGE = "limepkg_email.tasks.tasks.submit_message"
WITHDRAWN = frozenset({"cancelled", "superseded"})
"""States of mails that are not to leave."""

KEY_LIFETIME = timedelta(hours=20)
"""How long the engine surely remembers an idempotency key: 24 hours, with some to spare."""
_COMMIT_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A mail of the outbox that the engine is not known to have."""

    guid: str
    account: str
    message_id: str
    payload: str
    created_at: datetime
    send_at: datetime | None


def submission(guid: str, delay: timedelta = timedelta(0)) -> NewJob:
    """Give the job that hands the mail to the engine, or takes it back if it was cancelled."""
    return NewJob(SUBMIT_MESSAGE, {"guid": guid}, key=f"submit:{guid}", delay=delay)


def submit_outbox(services: Services, guid: str) -> None:
    """Hand the mail to the engine, unless it has been; a person's cancelling or sending counts too.

    A refusal for good becomes the state `failed` with the engine's reason. Raises retryable engine
    errors: the same call later cannot send the mail twice, for the guid is the idempotency key.
    """
    waiting = _waiting(services, guid)
    if isinstance(waiting, Entry):
        _withdraw(services, waiting)
        return
    if waiting is None:
        return
    try:
        queue_id = _queued_before(services, waiting)
        if queue_id is None:
            if not waiting.payload:
                raise NotFound(TEXT_GONE)
            payload = _with_content(services.application, json.loads(waiting.payload))
            if waiting.send_at is not None and waiting.send_at > services.clock():
                payload["sendAt"] = waiting.send_at.isoformat(timespec="milliseconds")
            result = services.engine.submit(waiting.account, payload, idempotency_key=guid)
            queue_id = result.queue_id
    except (EngineRejected, EngineNotFound) as refusal:
        mark_failed(services, guid, refusal.message, refusal.engine_code)
    except NotFound as missing:
        mark_failed(services, guid, missing.message, missing.code)
    else:
        _note_queued(services, guid, queue_id)


def take_back(services: Services, entry: Entry) -> bool:
    """Take a mail out of the engine's queue; tells whether it was there and is there no more."""
    queue_id = entry.queue_id or _queue_id_of(services, entry.account, entry.message_id)
    if not queue_id or not services.engine.cancel(queue_id):
        return False
    try:
        services.engine.outbox_entry(queue_id)
    except EngineNotFound:
        return True
    return False  # it is on its way just now


def in_sent(services: Services, account: str, message_id: str) -> bool:
    """Tell whether the account's Sent folder has the mail."""
    terms = {"header": {"Message-ID": message_id}}
    try:
        return bool(services.engine.search(account, "\\Sent", terms, page_size=1).messages)
    except EngineNotFound:  # no such folder; if it is the account, the submit will tell
        return False


def _withdraw(services: Services, entry: Entry) -> None:
    """Make sure that a cancelled mail stays; one that left all the same is shown as it is."""
    if not take_back(services, entry) and in_sent(services, entry.account, entry.message_id):
        apply(services, OUTBOX.c.guid == entry.guid, Report(state="sent", date=services.clock()))


def _waiting(services: Services, guid: str) -> _Waiting | Entry | None:
    """Read the mail; its entry if it was cancelled, `None` if it left or its message is gone."""
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entry = locked_entry(connection, OUTBOX.c.guid == guid)
        if entry is None or entry.state in WITHDRAWN:
            return entry
        # One that failed comes here only when a person asks for another try.
        if entry.queue_id is not None or entry.state not in ("queued", "failed"):
            return None
        columns = (OUTBOX.c.payload, OUTBOX.c.created_at, OUTBOX.c.send_at)
        row = connection.execute(select(*columns).where(OUTBOX.c.guid == guid)).one()
        waiting = _Waiting(guid, entry.account, entry.message_id, *row)
        if messagefollower_of(work.objects, entry) is not None:
            return waiting
        now = services.clock()
        if work.connection is None and now - waiting.created_at < _COMMIT_WINDOW:
            # Where objects live in another database, they are committed a moment later.
            early = Conflict("The message of this mail is not there yet.")
            early.retryable = True
            raise early
        _drop(work.objects, connection, entry, now)
    return None


def _drop(objects: Objects, connection: Connection, entry: Entry, now: datetime) -> None:
    """Cancel a mail whose message was deleted before it left, or never came to be."""
    mine = OUTBOX.c.guid == entry.guid
    connection.execute(update(OUTBOX).where(mine).values(state="cancelled", state_at=now))
    if entry.invites:
        gone = DeletedMail(entry.messagefollower, entry.message_id, entry.recipient)
        disinvite(objects, connection, [gone])


def _queued_before(services: Services, waiting: _Waiting) -> str | None:
    """Give the queue id that an earlier try got, or `None`; empty if the mail has left already.

    Needed only when the engine can have forgotten the key by now.
    """
    if services.clock() - waiting.created_at < KEY_LIFETIME:
        return None
    queue_id = _queue_id_of(services, waiting.account, waiting.message_id)
    if queue_id:
        return queue_id
    return "" if in_sent(services, waiting.account, waiting.message_id) else None


def _queue_id_of(services: Services, account: str, message_id: str) -> str:
    """Give the queue id of a mail that the engine is still to send, or an empty string."""
    for entry in services.engine.outbox(account):
        if entry.message_id == message_id and not entry.gave_up:
            return entry.queue_id
    return ""


def _with_content(application: Application, payload: dict[str, Any]) -> dict[str, Any]:
    """Put the files' content where the stored payload has their ids; raises `NotFound`."""
    for each in payload.get("attachments", ()):
        with application.files.open(each.pop(FILE)) as stream:
            each["content"] = base64.b64encode(stream.read()).decode("ascii")
    return payload


def _note_queued(services: Services, guid: str, queue_id: str) -> None:
    """Store the queue id; the state stays, because the engine's event may have been faster."""
    where = OUTBOX.c.guid == guid
    if not queue_id:
        apply(services, where, Report(state="sent", date=services.clock()))
        return
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entry = locked_entry(connection, where)
        if entry is None:
            return
        values: dict[str, object] = {"queue_id": queue_id}
        shown: dict[str, object] = {"queueid": queue_id}
        if entry.state == "failed" and entry.queue_id is None:
            now = services.clock()
            values |= {"state": "queued", "state_at": now}
            shown |= {"state": "queued", "statedate": now, "reason": ""}
        connection.execute(update(OUTBOX).where(where).values(values))
        found = messagefollower_of(work.objects, entry)
        if found is not None:
            work.objects.update("messagefollower", found.id, shown)
    if entry.state in WITHDRAWN:  # while it was handed over
        _withdraw(services, replace(entry, queue_id=queue_id))
