"""A mail that did not arrive is sent again, from what was kept of it; the engine may forget it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from limepkg_email.accounts.access import may_send
from limepkg_email.accounts.accounts import AccountBook, read_accounts
from limepkg_email.addresses import is_valid, normalise
from limepkg_email.conversations.invitations import come_back
from limepkg_email.db import insert_new, plugin_connection
from limepkg_email.errors import Conflict, Forbidden
from limepkg_email.host import LimeObject, Objects
from limepkg_email.outgoing.forgetting import TEXT_GONE
from limepkg_email.outgoing.headers import MARKER, first_guid, marker, message_id
from limepkg_email.outgoing.send import submission
from limepkg_email.outgoing.transitions import OUTBOX, Entry, locked_entries, set_state
from limepkg_email.schema.setup import installation_of
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue
from limepkg_email.text import one_line
from limepkg_email.thread_index import enter_outgoing

AGAIN = frozenset({"failed", "bounced", "cancelled"})
"""States of mails that can be sent again without a second thought."""

_UNDER_WAY = frozenset({"queued", "delayed"})


@dataclass(frozen=True, slots=True)
class Resent:
    """The message follower whose mail is sent again; `repeated` if it was under way already."""

    conversationmessage: int
    messagefollower: int
    repeated: bool = False


def resend(
    services: Services, messagefollower: int, *, key: str = "", even_sent: bool = False
) -> Resent:
    """Send a mail again that failed, came back or was cancelled, and a sent one if asked to.

    It goes to the address that the follower has now. A mail that waits stays as it is, and so does
    everything when the same user comes with the same idempotency `key` once more. Raises `NotFound`
    for what the user may not see, `Forbidden` without the permission to send from the account, and
    `Conflict` for what cannot be sent again.
    """
    application = services.application
    guid = first_guid(application.user.id, key and f"resend:{messagefollower}:{key}")
    installation = installation_of(application)
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        # The lock first: what is read after it is what a second click must see.
        entries = locked_entries(connection, OUTBOX.c.messagefollower == messagefollower)
        shown = work.objects.get("messagefollower", messagefollower)
        known = connection.execute(select(OUTBOX.c.guid).where(OUTBOX.c.guid == guid)).first()
        entry = _current(entries, shown, again=known is not None)
        if entry is not None and not may_send(services, connection, entry.account):
            raise Forbidden("You may not send from the account of this message.")
        message = int(str(shown["conversationmessage"]))
        if known is not None or (entry is not None and shown["state"] in _UNDER_WAY):
            return Resent(message, messagefollower, repeated=True)
        accounts = read_accounts(connection)
        entry = _checked(accounts, entry, shown, even_sent=even_sent)
        columns = (OUTBOX.c.payload, OUTBOX.c.kind)
        kept = connection.execute(select(*columns).where(OUTBOX.c.guid == entry.guid)).one()
        if not kept.payload:
            raise Conflict(TEXT_GONE)
        recipient = _recipient(work.objects, accounts, entry, shown)
        now, corrected = services.clock(), recipient != entry.recipient
        if entry.invites and shown["state"] == "cancelled":
            come_back(work.objects, [messagefollower])
        if entry.queue_id is None and shown["state"] == "failed" and not corrected:
            # The engine may have it without our knowing: under its own key it cannot leave twice.
            set_state(work.objects, connection, [entry], "queued", now)
            guid = entry.guid
        else:
            new_id = _write(services, connection, entry, kept, recipient, guid, installation, now)
            reason = f"Sent again to {recipient}, not to {entry.recipient}." if corrected else ""
            _show(work.objects, connection, shown, message, new_id, reason, now)
        # The job of the old mail takes it back, should the engine have it without our knowing.
        guids = [guid, entry.guid] if corrected else [guid]
        enqueue(connection, [submission(each) for each in guids], now)
        work.after_commit(services.wake)
    return Resent(message, messagefollower)


def _current(entries: list[Entry], shown: LimeObject, *, again: bool) -> Entry | None:
    """Give the entry that the message follower shows; older ones were sent again before."""
    found = next((each for each in entries if each.message_id == shown["messageid"]), None)
    if found is None and entries and not again:
        raise Conflict("The mail is being sent again just now.")
    return found


def _checked(
    accounts: AccountBook, entry: Entry | None, shown: LimeObject, *, even_sent: bool
) -> Entry:
    if entry is None:
        raise Conflict("The mail was not sent from here, so it cannot be sent again.")
    if shown["state"] not in AGAIN and not (even_sent and shown["state"] == "sent"):
        raise Conflict("The mail was sent; say so if it is to be sent again all the same.")
    account = accounts.by_engine_account(entry.account)
    if account is None or not account.enabled:
        raise Conflict("The account of the mail is disabled or not connected any more.")
    return entry


def _recipient(objects: Objects, accounts: AccountBook, entry: Entry, shown: LimeObject) -> str:
    """Give the address to send to: somebody may have corrected the follower's meanwhile."""
    follower = shown["follower"]
    recipient = entry.recipient
    if isinstance(follower, int):
        recipient = normalise(str(objects.get("follower", follower)["email"] or "")) or recipient
    if not is_valid(recipient):
        raise Conflict(f"{recipient[:80]} is not an e-mail address: correct the follower first.")
    if recipient in accounts.own_addresses:
        raise Conflict(f"{recipient} is an account of ours, to which nothing is sent.")
    return recipient


def _write(
    services: Services,
    connection: Connection,
    entry: Entry,
    kept: Row[Any, Any],
    recipient: str,
    guid: str,
    installation: str,
    now: datetime,
) -> str:
    """Write the new mail to the outbox and put the old one aside; gives the new Message-ID."""
    payload = json.loads(kept.payload)
    new_id = message_id(guid, payload["from"]["address"])
    payload["messageId"] = new_id
    if recipient != entry.recipient:
        payload["to"] = [{**payload["to"][0], "address": recipient}]
    payload["headers"] = {**payload.get("headers", {}), MARKER: marker(installation, guid)}
    row = {
        "guid": guid,
        "messagefollower": entry.messagefollower,
        "account": entry.account,
        "message_id": new_id,
        "recipient": recipient,
        "payload": json.dumps(payload, ensure_ascii=False),
        "state": "queued",
        "state_at": now,
        "created_at": now,
        "kind": kept.kind,
        "author": services.application.user.id,
        "invites": entry.invites,
    }
    if insert_new(connection, OUTBOX, [row]) != 1:
        raise Conflict("The mail is being sent again just now.")
    old = update(OUTBOX).where(OUTBOX.c.guid == entry.guid)
    connection.execute(old.values(state="superseded", state_at=now))
    return new_id


def _show(
    objects: Objects,
    connection: Connection,
    shown: LimeObject,
    message: int,
    new_id: str,
    reason: str,
    now: datetime,
) -> None:
    values = {
        "messageid": new_id,
        "queueid": "",
        "state": "queued",
        "statedate": now,
        "reason": one_line(reason, 1024),
    }
    objects.update("messagefollower", shown.id, values)
    conversation = objects.get("conversationmessage", message)["conversation"]
    enter_outgoing(connection, [new_id], int(str(conversation)))
