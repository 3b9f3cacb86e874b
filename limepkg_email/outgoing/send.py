"""One mail of the outbox is handed to the engine, once, whatever is repeated or lost on the way."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from limepkg_email.db import plugin_connection
from limepkg_email.errors import Conflict, EngineNotFound, EngineRejected, NotFound
from limepkg_email.host import Application
from limepkg_email.outgoing.mime import FILE
from limepkg_email.outgoing.status import mark_failed
from limepkg_email.outgoing.transitions import (
    OUTBOX,
    Report,
    apply,
    locked_entry,
    messagefollower_of,
)
from limepkg_email.services import Services

__all__ = ["mark_failed", "submit_outbox"]

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


def submit_outbox(services: Services, guid: str) -> None:
    """Hand the mail to the engine, unless it has been; a person's cancelling or sending counts too.

    A refusal for good becomes the state `failed` with the engine's reason. Raises retryable engine
    errors: the same call later cannot send the mail twice, for the guid is the idempotency key.
    """
    waiting = _waiting(services, guid)
    if waiting is None:
        return
    try:
        queue_id = _queued_before(services, waiting)
        if queue_id is None:
            payload = _with_content(services.application, json.loads(waiting.payload))
            result = services.engine.submit(waiting.account, payload, idempotency_key=guid)
            queue_id = result.queue_id
    except (EngineRejected, EngineNotFound) as refusal:
        mark_failed(services, guid, refusal.message, refusal.engine_code)
    except NotFound as missing:
        mark_failed(services, guid, missing.message, missing.code)
    else:
        _note_queued(services, guid, queue_id)


def _waiting(services: Services, guid: str) -> _Waiting | None:
    """Read the mail; `None` if it left, was cancelled, or its message is gone."""
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entry = locked_entry(connection, OUTBOX.c.guid == guid)
        # One that failed comes here only when a person asks for another try.
        if entry is None or entry.queue_id is not None or entry.state not in ("queued", "failed"):
            return None
        columns = (OUTBOX.c.account, OUTBOX.c.message_id, OUTBOX.c.payload, OUTBOX.c.created_at)
        row = connection.execute(select(*columns).where(OUTBOX.c.guid == guid)).one()
        waiting = _Waiting(guid, *row)
        if messagefollower_of(work.objects, entry) is not None:
            return waiting
        now = services.clock()
        if work.connection is None and now - waiting.created_at < _COMMIT_WINDOW:
            # Where objects live in another database, they are committed a moment later.
            early = Conflict("The message of this mail is not there yet.")
            early.retryable = True
            raise early
        _drop(connection, guid, now)
    return None


def _drop(connection: Connection, guid: str, now: datetime) -> None:
    """Cancel a mail whose message was deleted before it left, or never came to be."""
    connection.execute(
        update(OUTBOX).where(OUTBOX.c.guid == guid).values(state="cancelled", state_at=now)
    )


def _queued_before(services: Services, waiting: _Waiting) -> str | None:
    """Give the queue id that an earlier try got, or `None`; empty if the mail has left already.

    Needed only when the engine can have forgotten the key by now.
    """
    if services.clock() - waiting.created_at < KEY_LIFETIME:
        return None
    for entry in services.engine.outbox(waiting.account):
        if entry.message_id == waiting.message_id and not entry.gave_up:
            return entry.queue_id
    try:
        terms = {"header": {"Message-ID": waiting.message_id}}
        found = services.engine.search(waiting.account, "\\Sent", terms, page_size=1)
    except EngineNotFound:  # no such folder; if it is the account, the submit will tell
        return None
    return "" if found.messages else None


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
