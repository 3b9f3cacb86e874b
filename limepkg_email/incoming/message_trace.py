"""Everything that is stored about why a message is in the CRM, and whom it was sent on to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, select

from limepkg_email.accounts.accounts import AccountBook, read_accounts
from limepkg_email.db import plugin_connection
from limepkg_email.errors import NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.incoming.receipt_search import ReceiptEntry, receipts_of_message
from limepkg_email.incoming.why import TraceEntry, as_seen_by, disposition_entry, entries_of
from limepkg_email.models import Disposition
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.query import And, Equals, In, Order, Query
from limepkg_email.services import Services

_MOST_RECEIPTS = 50
_MOST_REPLIES = 5
_MOST_MAILS = 500
_MESSAGE = ("conversation", "source", "authorname", "authoraddress")
_WRITTEN = {
    "lime": ("written_here", "{author} wrote it in the CRM."),
    "autoreply": ("answered_here", "It was sent automatically, as the answer to a new mail."),
    "system": ("made_here", "The CRM made it."),
}
_TOLD = {
    "message": ("sent", "A mail went to {address}: {state}."),
    "relay": ("relayed", "It was relayed to {address}: {state}."),
    "autoreply": ("auto_replied", "{address} was answered automatically: {state}."),
}


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """Why a message is where it is; `receipts` are the ids of the receipts of its mail."""

    message: int
    conversation: int
    receipts: tuple[int, ...]
    entries: tuple[TraceEntry, ...]


def message_trace(services: Services, message: int) -> MessageTrace:
    """Give the trace of a message that the acting user may see; raises `NotFound`.

    A number of statements that depends on nothing but the configured follower parents.
    """
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        found = _message(work.objects, message)
        receipts = receipts_of_message(connection, message, _MOST_RECEIPTS)
        accounts = read_accounts(connection)
        told = _told(work.objects, connection, found)
        entries = [*_arrival(found, receipts, accounts), *told]
        admin = application.user.can("email.admin")
        shown = as_seen_by(
            work.objects,
            entries,
            conversation=found["conversation"],
            author=str(found["authoraddress"] or ""),
            administrator=admin,
        )
    ids = tuple(each.id for each in receipts)
    return MessageTrace(message, cast(int, found["conversation"] or 0), ids, tuple(shown))


def receipt_entries(receipt: ReceiptEntry, accounts: AccountBook) -> list[TraceEntry]:
    """Say what became of a mail in one account, and why."""
    account = accounts.by_engine_account(receipt.account)
    first = disposition_entry(
        receipt.disposition,
        account.email if account else receipt.account,
        receipt.reason,
        receipt.attempts,
    )
    return [first, *entries_of(receipt.trace)]


def _message(objects: Objects, message: int) -> LimeObject:
    found = objects.query(Query("conversationmessage", Equals("id", message), properties=_MESSAGE))
    if not found:
        raise NotFound(f"There is no message {message}.")
    return found[0]


def _arrival(
    message: LimeObject, receipts: Sequence[ReceiptEntry], accounts: AccountBook
) -> list[TraceEntry]:
    if not receipts:
        return [_without_receipt(message)]
    imported = [each for each in receipts if each.disposition == Disposition.IMPORTED]
    others = [each for each in receipts if each not in imported]
    entries = [entry for each in (*imported, *others) for entry in receipt_entries(each, accounts)]
    origin = imported[0].conversation if imported else None
    if origin is not None and origin != message["conversation"]:
        sentence = f"It was imported into conversation {origin} and moved here later."
        entries.append(TraceEntry("moved", sentence, {"conversation": origin}))
    return entries


def _without_receipt(message: LimeObject) -> TraceEntry:
    author = str(message["authorname"] or message["authoraddress"] or "Somebody")
    code, sentence = _WRITTEN.get(
        str(message["source"]), ("no_receipt", "There is no receipt of the mail that it was.")
    )
    return TraceEntry(code, sentence.format(author=author), {"author": author})


def _told(objects: Objects, connection: Connection, message: LimeObject) -> list[TraceEntry]:
    """Say who got this message, and who was answered when it began the conversation."""
    messages = [message.id]
    if message["source"] == "email" and _is_first(objects, message):
        messages += _automatic_replies(objects, message)
    states = _states(objects, messages)
    if not states:
        return []
    columns = (OUTBOX.c.messagefollower, OUTBOX.c.kind, OUTBOX.c.recipient)
    mails = select(*columns).where(OUTBOX.c.messagefollower.in_(list(states)))
    rows = connection.execute(mails.order_by(OUTBOX.c.messagefollower, OUTBOX.c.created_at)).all()
    latest = {row.messagefollower: row for row in rows}
    return [_told_entry(row, states[row.messagefollower]) for row in latest.values()]


def _is_first(objects: Objects, message: LimeObject) -> bool:
    """Tell whether no mail of the conversation came before: that is the one to be answered."""
    conversation = Equals("conversation", message["conversation"])
    query = Query(
        "conversationmessage",
        And((conversation, Equals("source", "email"))),
        (Order("id"),),
        limit=1,
        properties=(),
    )
    return [each.id for each in objects.query(query)] == [message.id]


def _automatic_replies(objects: Objects, message: LimeObject) -> list[int]:
    conversation = Equals("conversation", message["conversation"])
    query = Query(
        "conversationmessage",
        And((conversation, Equals("source", "autoreply"))),
        (Order("id"),),
        _MOST_REPLIES,
        properties=(),
    )
    return [each.id for each in objects.query(query)]


def _states(objects: Objects, messages: Iterable[int]) -> Mapping[int, LimeObject]:
    query = Query(
        "messagefollower",
        In("conversationmessage", list(messages)),
        (Order("id"),),
        _MOST_MAILS,
        properties=("state", "reason", "follower"),
    )
    return {each.id: each for each in objects.query(query)}


def _told_entry(mail: Any, shown: LimeObject) -> TraceEntry:
    code, sentence = _TOLD.get(mail.kind, _TOLD["message"])
    state, reason = str(shown["state"] or "unknown"), str(shown["reason"] or "")
    said = sentence.format(address=mail.recipient, state=state)
    details = {"address": mail.recipient, "state": state, "reason": reason, "mail": mail.kind}
    if shown["follower"]:
        # So that it is withheld from who may not see the follower, as the address is the latter's.
        details |= {"limetype": "follower", "object": shown["follower"]}
    return TraceEntry(code, f"{said} {reason}".strip(), details)
