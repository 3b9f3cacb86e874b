"""A template filled with the values of a conversation, for somebody who is about to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from limepkg_email.accounts.access import may_send
from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount, read_accounts
from limepkg_email.addresses import display_name, is_valid, normalise
from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, Equals, Order, Query
from limepkg_email.services import Services
from limepkg_email.templates.context import (
    ConversationValues,
    MessageValues,
    ParentValues,
    PersonValues,
    Values,
    context_for,
)
from limepkg_email.templates.rendering import Rendered, render
from limepkg_email.templates.service import get_template


@dataclass(frozen=True, slots=True)
class Writing:
    """What is known of the message to be written; 0 and empty for what is not.

    `recipient` is an address, `name` that person's name if it is no follower of the conversation.
    """

    conversation: int = 0
    account: int = 0
    recipient: str = ""
    name: str = ""


def filled(services: Services, template: int, writing: Writing) -> Rendered:
    """Fill the template with what the acting user may see; what is missing is marked and listed.

    Without a named recipient it is the only active follower; of several, it is nobody. Raises
    `NotFound`, `Forbidden` for an account that the user may not send from, and `TemplateError`.
    """
    source = get_template(services, template).source
    return render(source, _values(services, writing), strict=False)


def _values(services: Services, writing: Writing) -> Values:
    user = services.application.user
    if not writing.conversation:
        return context_for(
            recipient=_named(writing),
            account=_account(services, writing.account, None),
            user=PersonValues(user.name, user.email),
        )
    with services.application.unit_of_work() as work:
        objects = work.objects
        conversation = objects.get("conversation", writing.conversation)
        values = context_for(
            conversation=ConversationValues(conversation.id, str(conversation["subject"] or "")),
            parent=_parent(services, objects, conversation),
            recipient=_recipient(objects, writing),
            user=PersonValues(user.name, user.email),
            message=_last_received(objects, conversation.id),
        )
    # Afterwards: on SQLite the package's tables cannot be read within the transaction of another.
    account = _account(services, writing.account, conversation["account"])
    return {**values, "account": context_for(account=account)["account"]}


def _named(writing: Writing) -> PersonValues | None:
    address = normalise(writing.recipient)
    if writing.recipient and not is_valid(address):
        sentence = "This is no mail address."
        raise InvalidInput(sentence, errors={"recipient": [sentence]})
    return PersonValues(display_name(writing.name), address) if address else None


def _recipient(objects: Objects, writing: Writing) -> PersonValues | None:
    named = _named(writing)
    where = [Equals("conversation", writing.conversation)]
    where.append(Equals("email", named.email) if named else Equals("active", True))
    rows = objects.query(
        Query(
            "follower",
            And(tuple(where)),
            order_by=(Order("id"),),
            limit=2,
            properties=("email", "name"),
        )
    )
    if named is not None:
        return named if named.name or not rows else _person(rows)
    return _person(rows) if len(rows) == 1 else None


def _person(rows: Sequence[LimeObject]) -> PersonValues:
    return PersonValues(display_name(str(rows[0]["name"] or "")), str(rows[0]["email"] or ""))


def _parent(services: Services, objects: Objects, conversation: LimeObject) -> ParentValues | None:
    for kind in services.config.conversation_parents:
        found = conversation[kind.property]
        if isinstance(found, int):
            rows = objects.query(
                Query(kind.limetype, Equals("id", found), properties=(kind.title,))
            )
            url = services.application.object_url(kind.limetype, found)
            titles = [str(row[kind.title] or "") for row in rows]
            return ParentValues(found, titles[0], kind.limetype, url) if titles else None
    return None


def _last_received(objects: Objects, conversation: int) -> MessageValues | None:
    """Give the message that is being answered: the newest that a person sent us."""
    received = (
        Equals("conversation", conversation),
        Equals("source", "email"),
        Equals("machine", "no"),
    )
    rows = objects.query(
        Query(
            "conversationmessage",
            And(received),
            order_by=(Order("date", descending=True), Order("id", descending=True)),
            limit=1,
            properties=(
                "subject",
                "preview",
                "visiblebody",
                "date",
                "authorname",
                "authoraddress",
            ),
        )
    )
    if not rows:
        return None
    found, date = rows[0], rows[0]["date"]
    author = display_name(str(found["authorname"] or "")) or str(found["authoraddress"] or "")
    return MessageValues(
        subject=str(found["subject"] or ""),
        preview=str(found["preview"] or ""),
        body=str(found["visiblebody"] or ""),
        date=date if isinstance(date, datetime) else None,
        author=author,
    )


def _account(services: Services, named: int, former: object) -> PersonValues | None:
    with services.application.database.connect() as connection:
        book = read_accounts(connection)
        if named:
            account = book.by_id(named)
            if not may_send(services, connection, account.engine_account):
                raise Forbidden(f"You may not send from the account {named}.")
            return PersonValues(account.name, account.email)
    found = _known(book, former)
    return PersonValues(found.name, found.email) if found else None


def _known(book: AccountBook, id: object) -> ConnectedAccount | None:
    try:
        return book.by_id(id) if isinstance(id, int) else None
    except NotFound:
        return None
