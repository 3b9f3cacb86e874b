"""What is sent without anybody pressing a button: what relay and automatic reply have in common.

Both read what they need, make their mails, and then write everything in one transaction. The guid
of each mail is derived from what it is about, so that doing it again meets itself in the outbox.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import Connection, delete, func, select

from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount, read_accounts
from limepkg_email.addresses import display_name, normalise
from limepkg_email.db import insert_new, plugin_connection
from limepkg_email.errors import Conflict, NotFound, TemplateError
from limepkg_email.host import LimeObject, Objects, UnitOfWork
from limepkg_email.outgoing.content import Content, MessageText, document, text_from
from limepkg_email.outgoing.headers import MARKER, marker, message_id
from limepkg_email.outgoing.problems import MAX_SUBJECT
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.references import earlier_mails, threading_headers
from limepkg_email.outgoing.send import submission
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.query import And, Equals, In, Order, Query
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import enqueue
from limepkg_email.templates.context import (
    ConversationValues,
    MessageValues,
    ParentValues,
    PersonValues,
    Values,
    context_for,
)
from limepkg_email.templates.defaults import Purpose, built_in
from limepkg_email.templates.rendering import Rendered, TemplateSource, render
from limepkg_email.templates.service import source_for
from limepkg_email.text import one_line
from limepkg_email.thread_index import enter_outgoing

_logger = logging.getLogger(__name__)

_COMMIT_WINDOW = timedelta(minutes=5)
_SUPPRESS = {"X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True, slots=True)
class Occasion:
    """The imported mail on account of which something is sent; it travels in the job.

    `engine_id` tells whether a message of that number is the one that was meant. `also` are those
    addresses of the mail that did not become followers.
    """

    account: str
    conversation: int
    conversationmessage: int
    engine_id: str
    at: datetime
    also: tuple[str, ...] = ()

    def as_payload(self) -> dict[str, object]:
        """Give the occasion as JSON can carry it."""
        values = {name: getattr(self, name) for name in Occasion.__slots__}
        return {**values, "at": self.at.isoformat(), "also": list(self.also)}

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Occasion:
        """Read the occasion from the payload of a job."""
        at = datetime.fromisoformat(payload["at"])
        return cls(**{**payload, "at": at, "also": tuple(payload["also"])})


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is when the job runs; `roles` are the mail's, by the follower's id."""

    occasion: Occasion
    installation: str
    accounts: AccountBook
    conversation: LimeObject
    message: LimeObject
    followers: tuple[Target, ...]
    roles: Mapping[int, str]
    parent: ParentValues | None

    @property
    def author(self) -> str:
        """Who wrote the mail: a name, or the address."""
        name = display_name(str(self.message["authorname"] or ""))
        return name or str(self.message["authoraddress"] or "")


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


def compose_text(
    services: Services,
    purpose: str,
    account: ConnectedAccount,
    situation: Situation,
    targets: Sequence[Target],
    body: str = "",
) -> list[MessageText]:
    """Write the mail to each target with the account's template; `body` is sanitised html.

    The template sees a word in place of the body, so that a long one is not worked through for each
    recipient. One that cannot be rendered gives way to the built-in text.
    """
    chosen = account.relay_template if purpose == "relay" else account.autoreply_template
    source = source_for(services, chosen, purpose, account.language)
    word, text = f"body-{uuid4().hex}" if body else "", text_from(body)
    written: list[MessageText] = []
    for target in targets:
        rendered = _rendered(source, purpose, _values(account, situation, target, word))
        if word not in rendered.html:
            # Left out, or changed by a filter, which needs the real one.
            rendered = _rendered(source, purpose, _values(account, situation, target, body))
        plain = text_from(rendered.html).replace(word, text)
        subject = rendered.subject or one_line(str(situation.message["subject"] or ""), MAX_SUBJECT)
        written.append(MessageText(subject, Content(rendered.html.replace(word, body), plain)))
    return written


def _rendered(source: TemplateSource, purpose: str, values: Values) -> Rendered:
    try:
        return render(source, values)
    except TemplateError as error:
        _logger.warning("a template for automatic mail failed: %s", error.message)
        return render(built_in(Purpose(purpose), source.language), {**values, "parent": None})


def _values(account: ConnectedAccount, situation: Situation, target: Target, body: str) -> Values:
    message, date = situation.message, situation.message["date"]
    sender = PersonValues(account.name, account.email)
    return context_for(
        conversation=ConversationValues(
            situation.conversation.id, str(situation.conversation["subject"] or "")
        ),
        parent=situation.parent,
        recipient=PersonValues(target.name, target.email),
        account=sender,
        user=sender,
        message=MessageValues(
            subject=str(message["subject"] or ""),
            preview=str(message["preview"] or ""),
            body=body,
            date=date if isinstance(date, datetime) else None,
            author=situation.author,
        ),
    )


def guid_of(*parts: object) -> str:
    """Give the guid of a mail, always the same for the same parts."""
    return str(uuid5(NAMESPACE_URL, ":".join(str(each) for each in parts)))


def read_situation(
    services: Services,
    work: UnitOfWork,
    connection: Connection,
    occasion: Occasion,
    installation: str,
) -> Situation | None:
    """Read what is there now, in six statements; `None` if the message is gone.

    Raises a retryable `Conflict` where the message may not be committed yet.
    """
    message = _message(services, work, occasion)
    if message is None or not isinstance(message["conversation"], int):
        return None
    try:
        conversation = work.objects.get("conversation", message["conversation"])
    except NotFound:
        return None
    return Situation(
        occasion,
        installation,
        read_accounts(connection),
        conversation,
        message,
        _active_followers(work.objects, conversation.id),
        _roles(work.objects, message.id),
        _parent(services, work.objects, conversation),
    )


def _message(services: Services, work: UnitOfWork, occasion: Occasion) -> LimeObject | None:
    try:
        found = work.objects.get("conversationmessage", occasion.conversationmessage)
        if found["emailengineid"] == occasion.engine_id:
            return found
    except NotFound:
        pass
    if work.connection is None and services.clock() - occasion.at < _COMMIT_WINDOW:
        # Where objects live in another database, they are committed a moment later.
        early = Conflict("The imported message is not there yet.")
        early.retryable = True
        raise early
    return None


def _parent(services: Services, objects: Objects, conversation: LimeObject) -> ParentValues | None:
    for kind in services.config.conversation_parents:
        found = conversation[kind.property]
        if isinstance(found, int):
            where = Equals("id", found)
            rows = objects.query(Query(kind.limetype, where, properties=(kind.title,)))
            url = services.application.object_url(kind.limetype, found)
            titles = [str(row[kind.title] or "") for row in rows]
            return ParentValues(found, titles[0], kind.limetype, url) if titles else None
    return None


def _active_followers(objects: Objects, conversation: int) -> tuple[Target, ...]:
    where = And((Equals("conversation", conversation), Equals("active", True)))
    rows = objects.query(
        Query("follower", where, order_by=(Order("id"),), properties=("email", "name"))
    )
    found: dict[str, Target] = {}
    for row in rows:
        email = normalise(str(row["email"] or ""))
        found.setdefault(email, Target(email, display_name(str(row["name"] or "")), row.id))
    found.pop("", None)
    return tuple(found.values())


def _roles(objects: Objects, message: int) -> Mapping[int, str]:
    rows = objects.query(
        Query(
            "messagefollower",
            Equals("conversationmessage", message),
            order_by=(Order("id", descending=True),),
            properties=("follower", "role"),
        )
    )
    return {row["follower"]: str(row["role"]) for row in rows if isinstance(row["follower"], int)}


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
