"""A message from the CRM is accepted: everything about it is checked, then written at once.

Nothing is sent here. One job for each mail does that (`send`) after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from limepkg_email.accounts.access import may_send
from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount, read_accounts
from limepkg_email.db import insert_new, plugin_connection
from limepkg_email.draft_files import FilesGone, take
from limepkg_email.errors import Conflict, Forbidden, NotFound
from limepkg_email.host import Objects
from limepkg_email.outgoing import records
from limepkg_email.outgoing.content import Content, MessageText
from limepkg_email.outgoing.draft import Draft, OutgoingFile, Recipient, Submitted
from limepkg_email.outgoing.headers import first_guid, sender_name
from limepkg_email.outgoing.mime import Mail, mails_for
from limepkg_email.outgoing.pictures import Picture, add_pictures, stored_pictures
from limepkg_email.outgoing.problems import MAX_SUBJECT, Problems, check_draft
from limepkg_email.outgoing.recipients import Target, resolve
from limepkg_email.outgoing.references import earlier_mails
from limepkg_email.outgoing.scheduled import announcement, send_time
from limepkg_email.outgoing.send import SUBMIT_MESSAGE, submission
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.outgoing.whole import whole_content
from limepkg_email.query import Equals, In, Order, Query
from limepkg_email.schema.setup import installation_of
from limepkg_email.services import Services
from limepkg_email.signatures import signature_for
from limepkg_email.tasks.jobs import enqueue
from limepkg_email.text import cut, one_line
from limepkg_email.thread_index import enter_outgoing

__all__ = ["SUBMIT_MESSAGE", "Draft", "OutgoingFile", "Recipient", "Submitted", "submit"]

_REPLY = "Re: "


class _BegunElsewhere(Exception):
    """Another request with the same key is committing just now."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A draft with what it says; its pictures are stored unless it is going to be refused."""

    draft: Draft
    content: Content
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """A draft that may be written: nothing about it is refused any more."""

    draft: Draft
    pictures: tuple[Picture, ...]
    account: ConnectedAccount
    targets: tuple[Target, ...]
    message: MessageText
    send_at: datetime | None


def submit(services: Services, draft: Draft) -> Submitted:
    """Accept a message: write its limeobjects, its mails and the jobs that send them.

    All in one transaction, as the acting user. Raises `InvalidInput` with sentences per field,
    `Forbidden` without the permission `email.send_as:<account>` (or to change what is changed),
    `NotFound` for a conversation or parent that the user may not see, and `Conflict` when the
    message that was begun under the idempotency key is not there any more.
    """
    guid = first_guid(services.application.user.id, draft.idempotency_key)
    # Before the transaction, for these take their time: pictures are written to the file store.
    content = whole_content(draft, _signature(services, draft), services.config.max_body_size)
    with stored_pictures(services.application.files) as stored:
        sound = Problems()
        check_draft(draft, content, services.config, sound)
        pictures = () if sound.found else tuple(stored.store(each) for each in content.pictures)
        prepared = _Prepared(draft, content, pictures)
        try:
            submitted = _submit(services, prepared, guid)
        except (_BegunElsewhere, FilesGone):
            # The other request has committed, or its rows would not have been in the way.
            submitted = _submit(services, prepared, guid)
        if submitted.repeated:
            stored.discard()
    return submitted


def _signature(services: Services, draft: Draft) -> str:
    """Give the signature for the draft, empty if none is wanted or its account is not there."""
    if not draft.signature:
        return ""
    try:
        return signature_for(services, draft.account, services.application.user.id)
    except NotFound:
        return ""


def _submit(services: Services, prepared: _Prepared, guid: str) -> Submitted:
    draft = prepared.draft
    application = services.application
    installation = installation_of(application)
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        if draft.idempotency_key:
            before = _submitted_before(work.objects, connection, guid)
            if before is not None:
                return before
        prepared = _with_draft_files(services, connection, prepared)
        checked = _check(services, work.objects, connection, prepared)
        submitted = _write(services, work.objects, connection, checked, installation, guid)
        work.after_commit(services.wake)
    return submitted


def _with_draft_files(services: Services, connection: Connection, prepared: _Prepared) -> _Prepared:
    """Take the files over from the unsent message; they stay its own if this one is refused."""
    draft = prepared.draft
    taken = take(connection, services.application.user.id, draft.draft_files)
    files = [OutgoingFile(each.filename, each.content_type, each.id, each.size) for each in taken]
    return replace(prepared, draft=replace(draft, files=(*draft.files, *files)))


def _submitted_before(objects: Objects, connection: Connection, guid: str) -> Submitted | None:
    follower = connection.scalar(select(OUTBOX.c.messagefollower).where(OUTBOX.c.guid == guid))
    if follower is None:
        return None
    try:
        message = objects.get("messagefollower", follower)["conversationmessage"]
        assert isinstance(message, int)  # noqa: S101 - every message follower has its message
        conversation = objects.get("conversationmessage", message)["conversation"]
        assert isinstance(conversation, int)  # noqa: S101 - and that its conversation
    except NotFound:
        raise Conflict(
            "The message that was begun under this idempotency key is not there any more."
        ) from None
    rows = objects.query(
        Query(
            "messagefollower",
            Equals("conversationmessage", message),
            order_by=(Order("id"),),
            properties=(),
        )
    )
    return Submitted(conversation, message, tuple(row.id for row in rows), repeated=True)


def _check(
    services: Services, objects: Objects, connection: Connection, prepared: _Prepared
) -> _Checked:
    """Read what is needed and refuse what must be refused; what is refused leaves no trace."""
    problems, draft, content = Problems(), prepared.draft, prepared.content
    check_draft(draft, content, services.config, problems)
    send_at = send_time(draft, services.clock(), problems)
    accounts = read_accounts(connection)
    account = _account(services, connection, accounts, draft.account, problems)
    records.touch_conversation(objects, draft, services.clock())
    subject = _subject(objects, draft)
    records.check_parent(services, objects, draft, problems)
    targets = resolve(services, objects, connection, draft, accounts.own_addresses, problems)
    problems.raise_any()
    assert account is not None  # noqa: S101 - its absence is a problem
    message = MessageText(subject, content)
    return _Checked(draft, prepared.pictures, account, targets, message, send_at)


def _account(
    services: Services,
    connection: Connection,
    accounts: AccountBook,
    number: int,
    problems: Problems,
) -> ConnectedAccount | None:
    account = next((each for each in accounts.accounts if each.id == number), None)
    if account is None:
        problems.add("account", f"There is no e-mail account {number}.")
        return None
    if not may_send(services, connection, account.engine_account):
        raise Forbidden(f"You may not send as {account.email}.")
    if not account.enabled:
        problems.add("account", f"The account {account.email} is disabled.")
    return account


def _subject(objects: Objects, draft: Draft) -> str:
    """Give the subject, for a reply without one that of the conversation; raises `NotFound`."""
    given = one_line(draft.subject, MAX_SUBJECT)
    if draft.conversation is None:
        return given
    conversation = objects.get("conversation", draft.conversation)
    if given:
        return given
    subject = one_line(str(conversation["subject"] or ""))
    if subject[: len(_REPLY)].lower() == _REPLY.lower():
        return cut(subject, MAX_SUBJECT)
    return cut(_REPLY + subject, MAX_SUBJECT).strip()


def _write(
    services: Services,
    objects: Objects,
    connection: Connection,
    checked: _Checked,
    installation: str,
    guid: str,
) -> Submitted:
    now, draft = services.clock(), checked.draft
    conversation = records.conversation_for(
        services, objects, draft, checked.account, checked.message.subject, now
    )
    known = [each.follower for each in checked.targets if each.follower is not None]
    mails = mails_for(
        sender_name(services.application.user, checked.account),
        installation,
        checked.account,
        checked.message,
        draft.files,
        checked.pictures,
        checked.targets,
        earlier_mails(objects, known),
        guid,
    )
    followers = records.followers_for(services, objects, connection, conversation, checked.targets)
    message, messagefollowers = records.add_message(
        services, objects, conversation, checked.message, checked.account, mails, followers, now
    )
    records.add_documents(objects, message, draft.files)
    add_pictures(objects, message, checked.pictures)
    if checked.send_at is not None:
        reason = {"reason": announcement(checked.send_at)}
        objects.update_where("messagefollower", In("id", messagefollowers), reason)
    author = services.application.user.id
    _queue(connection, checked, author, conversation, mails, messagefollowers, now)
    return Submitted(conversation, message, tuple(messagefollowers))


def _queue(
    connection: Connection,
    checked: _Checked,
    author: int,
    conversation: int,
    mails: list[Mail],
    messagefollowers: list[int],
    now: datetime,
) -> None:
    """Write the outbox, the thread index and the jobs; the outbox is what settles a race."""
    rows = [
        {
            "guid": mail.guid,
            "messagefollower": messagefollower,
            "account": checked.account.engine_account,
            "message_id": mail.message_id,
            "recipient": mail.target.email,
            "payload": mail.payload,
            "state": "queued",
            "state_at": now,
            "created_at": now,
            "kind": "message",
            "author": author,
            "send_at": checked.send_at,
            "invites": mail.target.is_invited,
        }
        for mail, messagefollower in zip(mails, messagefollowers, strict=True)
    ]
    if insert_new(connection, OUTBOX, rows) != len(rows):
        raise _BegunElsewhere
    enter_outgoing(connection, [mail.message_id for mail in mails], conversation)
    enqueue(connection, [submission(mail.guid) for mail in mails], now)
