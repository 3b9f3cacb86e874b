"""Reads one page of a feed, with a number of queries that does not depend on what is on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, select

from limepkg_email.accounts.accounts import AccountBook, read_accounts
from limepkg_email.config import Configuration
from limepkg_email.db import plugin_connection, table
from limepkg_email.errors import InvalidInput
from limepkg_email.feed.factory import FeedContext, FeedItemFactory
from limepkg_email.feed.item import FeedItem
from limepkg_email.feed.message import (
    SCHEDULED,
    AccountView,
    ConversationView,
    DocumentView,
    MessageFault,
    MessageView,
    Party,
)
from limepkg_email.hooks import ParentReference
from limepkg_email.host import LimeObject, Objects, UnitOfWork
from limepkg_email.models import Outbox
from limepkg_email.query import Condition, Equals, In, Order, Query
from limepkg_email.services import Services

OUTBOX = table(Outbox)

PAGE_SIZE = 50

MOST_CONVERSATIONS = 5000
"""Conversations of one object that its feed looks at, the latest first."""

_MESSAGE = (
    "subject",
    "preview",
    "date",
    "source",
    "machine",
    "unread",
    "authorname",
    "authoraddress",
    "conversation",
)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some of the items of a feed, and how many there are in all."""

    items: list[FeedItem]
    total: int


def read_page(
    services: Services,
    factory: FeedItemFactory,
    context: FeedContext,
    *,
    limit: int = PAGE_SIZE,
    offset: int = 0,
    newest_first: bool = True,
) -> FeedPage:
    """Give a page of the feed of an object, as far as the acting user may see it.

    Raises `NotFound` if the object itself is out of sight and `InvalidInput` if objects of its
    limetype have no feed of messages.
    """
    with services.application.unit_of_work() as work:
        conversations = _conversations(services.config, work.objects, context)
        where = In("conversation", list(conversations))
        total = work.objects.count("conversationmessage", where) if conversations else 0
        order = (Order("date", newest_first), Order("id", newest_first))
        query = Query("conversationmessage", where, order, limit, offset, _MESSAGE)
        found = work.objects.query(query) if total > offset else []
        messages = _complete(services, work, conversations, found)
    return FeedPage(factory.items(services.application, messages, context), total)


def _conversations(
    config: Configuration, objects: Objects, context: FeedContext
) -> Mapping[int, LimeObject]:
    seen = objects.get(context.limetype, context.id)
    if context.limetype == "conversation":
        return {seen.id: seen}
    where = Query(
        "conversation",
        _where(config, objects, context),
        (Order("lastmessagedate", descending=True),),
        MOST_CONVERSATIONS,
        properties=("subject", "account"),
    )
    return {each.id: each for each in objects.query(where)}


def _where(config: Configuration, objects: Objects, context: FeedContext) -> Condition:
    """Find the conversations that hang on the object, or else those that it follows."""
    for parent in config.conversation_parents:
        if parent.limetype == context.limetype:
            return Equals(parent.property, context.id)
    for follower in config.follower_parents:
        if follower.limetype == context.limetype:
            followed = Query(
                "follower",
                Equals(follower.property, context.id),
                (Order("id", descending=True),),
                MOST_CONVERSATIONS,
                properties=("conversation",),
            )
            return In("id", [each["conversation"] for each in objects.query(followed)])
    sentence = f"Objects of the limetype {context.limetype} have no conversations."
    raise InvalidInput(sentence, errors={"limetype": [sentence]})


def _complete(
    services: Services,
    work: UnitOfWork,
    conversations: Mapping[int, LimeObject],
    messages: list[LimeObject],
) -> list[MessageView]:
    if not messages:
        return []
    of_these = In("conversationmessage", [each.id for each in messages])
    parties = _parties(services.config, work.objects, of_these)
    documents = _documents(work.objects, of_these)
    faults = _faults(work.objects, of_these)
    with plugin_connection(services.application, work) as connection:
        accounts = read_accounts(connection)
        waiting = _waiting(connection, parties, services.clock())
    views = {id: _conversation(each, accounts) for id, each in conversations.items()}
    return [
        _view(
            each,
            views[cast(int, each["conversation"])],
            parties[each.id],
            documents[each.id],
            faults[each.id],
            waiting,
        )
        for each in messages
    ]


def _view(
    message: LimeObject,
    conversation: ConversationView,
    parties: Iterable[Party],
    documents: Iterable[DocumentView],
    faults: Iterable[MessageFault],
    waiting: Mapping[int, datetime],
) -> MessageView:
    shown = tuple(
        replace(each, state=SCHEDULED) if each.id in waiting else each for each in parties
    )
    return MessageView(
        id=message.id,
        conversation=conversation,
        subject=_text(message["subject"]),
        preview=_text(message["preview"]),
        date=cast(datetime, message["date"]),
        source=_text(message["source"]),
        machine=_text(message["machine"]) or "no",
        unread=bool(message["unread"]),
        author_name=_text(message["authorname"]),
        author_address=_text(message["authoraddress"]),
        parties=shown,
        documents=tuple(documents),
        faults=tuple(faults),
        send_at=min((waiting[each.id] for each in shown if each.id in waiting), default=None),
    )


def _waiting(
    connection: Connection, parties: Mapping[int, Iterable[Party]], now: datetime
) -> Mapping[int, datetime]:
    """Give when those mails leave, by message follower, that wait for their time."""
    queued = [each.id for found in parties.values() for each in found if each.state == "queued"]
    if not queued:
        return {}
    query = select(OUTBOX.c.messagefollower, OUTBOX.c.send_at).where(
        OUTBOX.c.messagefollower.in_(queued),
        OUTBOX.c.state == "queued",
        OUTBOX.c.send_at > now,
    )
    return {row.messagefollower: row.send_at for row in connection.execute(query)}


def _parties(
    config: Configuration, objects: Objects, of_these: Condition
) -> defaultdict[int, list[Party]]:
    names = ("role", "state", "reason", "conversationmessage", "follower")
    rows = objects.query(Query("messagefollower", of_these, (Order("id"),), properties=names))
    followers = _followers(config, objects, {each["follower"] for each in rows})
    found: defaultdict[int, list[Party]] = defaultdict(list)
    for each in rows:
        follower = followers.get(cast(int, each["follower"]))
        if follower is not None:
            party = _party(config, each, follower)
            found[cast(int, each["conversationmessage"])].append(party)
    return found


def _followers(
    config: Configuration, objects: Objects, ids: Iterable[object]
) -> dict[int, LimeObject]:
    properties = ("email", "name", *(each.property for each in config.follower_parents))
    rows = objects.query(Query("follower", In("id", list(ids)), properties=properties))
    return {each.id: each for each in rows}


def _party(config: Configuration, row: LimeObject, follower: LimeObject) -> Party:
    behind = (
        ParentReference(each.limetype, cast(int, follower[each.property]))
        for each in config.follower_parents
        if follower[each.property] is not None
    )
    return Party(
        name=_text(follower["name"]),
        email=_text(follower["email"]),
        role=_text(row["role"]),
        state=_text(row["state"]),
        reason=_text(row["reason"]),
        object=next(behind, None),
        id=row.id,
    )


def _documents(objects: Objects, of_these: Condition) -> defaultdict[int, list[DocumentView]]:
    names = ("comment", "document", "conversationmessage")
    found: defaultdict[int, list[DocumentView]] = defaultdict(list)
    for each in objects.query(Query("document", of_these, (Order("id"),), properties=names)):
        view = DocumentView(each.id, _text(each["comment"]), _text(each["document"]))
        found[cast(int, each["conversationmessage"])].append(view)
    return found


def _faults(objects: Objects, of_these: Condition) -> defaultdict[int, list[MessageFault]]:
    names = ("text", "code", "recipient", "conversationmessage")
    found: defaultdict[int, list[MessageFault]] = defaultdict(list)
    query = Query("conversationmessageerror", of_these, (Order("id"),), properties=names)
    for each in objects.query(query):
        view = MessageFault(_text(each["text"]), _text(each["code"]), _text(each["recipient"]))
        found[cast(int, each["conversationmessage"])].append(view)
    return found


def _conversation(conversation: LimeObject, accounts: AccountBook) -> ConversationView:
    wanted = conversation["account"]
    account = next((each for each in accounts.accounts if each.id == wanted), None)
    return ConversationView(
        id=conversation.id,
        subject=_text(conversation["subject"]),
        account=AccountView(account.id, account.email, account.name) if account else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
