"""The mail of the CRM's tickets, as the email package brings it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from email.utils import getaddresses
from typing import cast

from flask import url_for

from limepkg_email.accounts.listing import sending_accounts
from limepkg_email.errors import EmailIntegrationError, InvalidInput
from limepkg_email.feed.factory import FeedContext
from limepkg_email.feed.page import PAGE_SIZE, read_page
from limepkg_email.feed.unread import mark_read, settle_unread
from limepkg_email.hooks import ParentReference
from limepkg_email.host import Objects
from limepkg_email.outgoing.compose import Draft, OutgoingFile, Recipient, submit
from limepkg_email.plugin import EmailIntegration
from limepkg_email.query import And, Condition, Contains, Equals, In, Not, Or, Order, Query
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import (
    TICKET,
    Choice,
    Composer,
    ConversationLine,
    FeedPart,
    FollowerChoice,
    TicketMail,
    Upload,
    Writing,
)
from limepkg_email.reference.own_conversation import own_conversations
from limepkg_email.services import Services

_LAST = "lastmessagedate"
_LATEST = (Order(_LAST, descending=True), Order("id", descending=True))
_MOST_FOLLOWED = 500


class IntegratedMail:
    """Answers what the pages ask by the email package; it must be mounted in the same app."""

    def __init__(self, integration: EmailIntegration) -> None:
        self._integration = integration

    def overview(
        self, application: ReferenceApplication, tickets: Sequence[int]
    ) -> Mapping[int, TicketMail]:
        """Tell about the mail of several tickets."""
        relation = _relation(self._services(application))
        if not tickets:
            return {}
        with application.unit_of_work() as work:
            found: dict[int, list[ConversationLine]] = {}
            for each in _lines(work.objects, relation, In(relation, list(tickets)), None):
                found.setdefault(cast(int, each.ticket), []).append(each)
            own = own_conversations(work.objects, found)
            who = _first_followers(work.objects, [each.id for each in own.values()])
        return {
            ticket: TicketMail(
                max((each.last for each in lines if each.last), default=None),
                any(each.unread for each in lines),
                who.get(own[ticket].id, ""),
            )
            for ticket, lines in found.items()
        }

    def latest(self, application: ReferenceApplication, limit: int) -> Mapping[int, datetime]:
        """Give the tickets with the latest messages, and when those came."""
        relation = _relation(self._services(application))
        where = Not(Equals(relation, None))
        # From the earliest on, so that a ticket's latest message is the one that stays.
        query = Query("conversation", where, _LATEST, limit, properties=(relation, _LAST))
        with application.unit_of_work() as work:
            found = work.objects.query(query)[::-1]
        return {
            cast(int, each[relation]): cast(datetime, each[_LAST]) for each in found if each[_LAST]
        }

    def find(
        self, application: ReferenceApplication, text: str, limit: int, id: int | None = None
    ) -> Sequence[ConversationLine]:
        """Find conversations to choose from, by their subject or the one with this id."""
        where: Condition = Contains("subject", text) if text else And()
        if id is not None:
            where = Equals("id", id)
        relation = _relation(self._services(application))
        with application.unit_of_work() as work:
            found = _lines(work.objects, relation, where, limit)
            ids = [each.id for each in found]
            who, counts = _first_followers(work.objects, ids), _counts(work.objects, ids)
        return [replace(each, who=who.get(each.id, ""), messages=counts[each.id]) for each in found]

    def with_follower(self, application: ReferenceApplication, text: str) -> Sequence[int]:
        """Give the newest tickets in whose mail somebody has these words in name and address."""
        services = self._services(application)
        either = [Or((Contains("name", each), Contains("email", each))) for each in text.split()]
        newest = (Order("id", descending=True),)
        query = Query(
            "follower", And(tuple(either)), newest, _MOST_FOLLOWED, properties=("conversation",)
        )
        with application.unit_of_work() as work:
            ids = [each["conversation"] for each in work.objects.query(query)]
            relation = _relation(services)
            lines = _lines(work.objects, relation, In("id", ids), _MOST_FOLLOWED)
        return [each.ticket for each in lines if each.ticket is not None]

    def of_person(
        self, application: ReferenceApplication, person: int, limit: int
    ) -> Sequence[ConversationLine]:
        """Give the conversations that a person follows, the one with the latest message first."""
        services = self._services(application)
        behind = [each for each in services.config.follower_parents if each.limetype == "person"]
        if not behind:
            return []
        follows = Equals(behind[0].property, person)
        newest = (Order("id", descending=True),)
        query = Query("follower", follows, newest, _MOST_FOLLOWED, properties=("conversation",))
        with application.unit_of_work() as work:
            ids = [each["conversation"] for each in work.objects.query(query)]
            return _lines(work.objects, _relation(services), In("id", ids), limit)

    def feed(self, application: ReferenceApplication, ticket: int, offset: int) -> FeedPart:
        """Give a part of the ticket's messages, `offset` from the latest one on."""
        services = self._services(application)
        health = url_for("limepkg_email_health.health", application=application.identifier)
        context = FeedContext(TICKET, ticket, health.removesuffix("/health"))
        factory = self._integration.feed_item_factory(application)
        page = read_page(services, factory, context, limit=PAGE_SIZE, offset=offset)
        return FeedPart(page.items[::-1], page.total)

    def composer(
        self, application: ReferenceApplication, ticket: int | None, conversation: int | None
    ) -> Composer:
        """Give what the form offers, for a conversation of a ticket or for a new ticket."""
        services = self._services(application)
        # Before the unit of work: it has a connection of its own.
        accounts = sending_accounts(services)
        with application.unit_of_work() as work:
            relation = _relation(services)
            of_ticket = Equals(relation, ticket)
            found = [] if ticket is None else _lines(work.objects, relation, of_ticket, 50)
            chosen = _chosen(work.objects, found, conversation)
            followers = [] if chosen is None else _followers(work.objects, chosen.id)
            account = None if chosen is None else _account(work.objects, chosen.id)
        offered = tuple(Choice(each.id, f"{each.name} <{each.email}>") for each in accounts)
        if chosen is None:
            return Composer(offered, offered[0].id if offered else None)
        return Composer(
            offered,
            account,
            tuple(found),
            chosen.id,
            tuple(followers),
            chosen.subject,
        )

    def submit(self, application: ReferenceApplication, writing: Writing) -> int:
        """Send the mail and give its ticket."""
        services = self._services(application)
        with _stored(services, writing.files) as files:
            submitted = submit(services, _draft(writing, files))
        if submitted.repeated:
            for file in files:
                application.files.delete(file.file_id)
        with application.unit_of_work() as work:
            conversation = work.objects.get("conversation", submitted.conversation)
        return cast(int, conversation[_relation(services)])

    def mark_read(self, application: ReferenceApplication, ticket: int) -> None:
        """Mark every message of the ticket as read."""
        services = self._services(application)
        unread = And((Equals(_relation(services), ticket), Equals("unread", True)))
        with application.unit_of_work() as work:
            found = work.objects.query(Query("conversation", unread, properties=()))
            for each in found:
                mark_read(work.objects, each.id, None, read=True)
        system = self._integration.services(application.identifier)
        settle_unread(system, [each.id for each in found])

    def _services(self, application: ReferenceApplication) -> Services:
        anonymous = self._integration.anonymous_services(application.identifier)
        services = replace(anonymous, application=application)
        self._integration.require_installed(services)
        return services


def _relation(services: Services) -> str:
    for parent in services.config.conversation_parents:
        if parent.limetype == TICKET:
            return parent.property
    raise InvalidInput(f"conversation_parents does not name {TICKET}")


def _lines(
    objects: Objects, relation: str, where: Condition, limit: int | None
) -> list[ConversationLine]:
    names = ("subject", _LAST, "unread", relation)
    rows = objects.query(Query("conversation", where, _LATEST, limit, properties=names))
    return [
        ConversationLine(
            each.id,
            str(each["subject"] or ""),
            cast("int | None", each[relation]),
            cast("datetime | None", each[_LAST]),
            bool(each["unread"]),
        )
        for each in rows
    ]


def _chosen(
    objects: Objects, found: Sequence[ConversationLine], id: int | None
) -> ConversationLine | None:
    if id is None:
        return own_conversations(objects, {0: found})[0] if found else None
    return next((each for each in found if each.id == id), None)


def _counts(objects: Objects, conversations: Sequence[int]) -> Counter[int]:
    of_them = In("conversation", conversations)
    rows = objects.query(Query("conversationmessage", of_them, properties=("conversation",)))
    return Counter(cast(int, each["conversation"]) for each in rows)


def _account(objects: Objects, conversation: int) -> int | None:
    query = Query("conversation", Equals("id", conversation), properties=("account",))
    return next((cast("int | None", each["account"]) for each in objects.query(query)), None)


def _followers(objects: Objects, conversation: int) -> list[FollowerChoice]:
    names = ("email", "name", "active")
    of_it = Equals("conversation", conversation)
    return [
        FollowerChoice(
            each.id, str(each["name"] or ""), str(each["email"] or ""), each["active"] is not False
        )
        for each in objects.query(Query("follower", of_it, (Order("id"),), properties=names))
    ]


def _first_followers(objects: Objects, conversations: Sequence[int]) -> dict[object, str]:
    names = ("conversation", "name", "email")
    of_them = In("conversation", conversations)
    # From the last to the first, so that the first stays.
    rows = objects.query(Query("follower", of_them, (Order("id", True),), properties=names))
    return {each["conversation"]: str(each["name"] or each["email"]) for each in rows}


def _draft(writing: Writing, files: Sequence[OutgoingFile]) -> Draft:
    typed = getaddresses([writing.recipients]) if writing.recipients.strip() else []
    parent = None if writing.ticket is None else ParentReference(TICKET, writing.ticket)
    return Draft(
        account=writing.account,
        subject=writing.subject,
        text=writing.text,
        conversation=writing.conversation,
        parent=parent if writing.conversation is None else None,
        followers=writing.followers,
        recipients=tuple(Recipient(email, name) for name, email in typed),
        files=tuple(files),
        idempotency_key=writing.key,
        signature=True,
    )


@contextmanager
def _stored(services: Services, uploads: Sequence[Upload]) -> Iterator[list[OutgoingFile]]:
    """Store the files; a mail that is refused must not leave them behind."""
    files = services.application.files
    stored: list[OutgoingFile] = []
    try:
        for each in uploads:
            file = files.create(each.filename, each.content_type, each.stream)
            stored.append(OutgoingFile(file.filename, file.content_type, file.id, file.size))
        yield stored
    except EmailIntegrationError:
        for kept in stored:
            files.delete(kept.file_id)
        raise
