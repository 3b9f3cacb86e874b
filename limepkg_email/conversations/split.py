"""Messages that are about something else get a conversation of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.config import ConversationParent
from limepkg_email.conversations.locking import read_conversations
from limepkg_email.conversations.move import Found, Relocated, relocate
from limepkg_email.errors import InvalidInput
from limepkg_email.hooks import ParentReference
from limepkg_email.host import LimeObject, Objects
from limepkg_email.services import Services
from limepkg_email.text import cut, one_line

MAX_SUBJECT = 512
_TITLE_LENGTH = 255


def split(
    services: Services,
    messages: Sequence[int],
    *,
    parent: ParentReference | None = None,
    subject: str = "",
) -> Relocated:
    """Move messages of one conversation into a new one, on the given parent or on a new object.

    Without a subject it is that of the first message. Followers go along as they do with `move`.
    Raises `NotFound`, `Forbidden`, `InvalidInput` for messages of several conversations or a parent
    on which no conversation can hang.
    """

    def destination(objects: Objects, connection: Connection, found: Found) -> int:
        return _begin(services, objects, connection, found, parent, subject)

    return relocate(services, messages, destination)


def _begin(
    services: Services,
    objects: Objects,
    connection: Connection,
    found: Found,
    parent: ParentReference | None,
    subject: str,
) -> int:
    old = read_conversations(objects, [found.source])[found.source]
    title = one_line(subject, MAX_SUBJECT) or _subject(found, old)
    if parent is None:
        kind = _kind_of_account(services, connection, old["account"])
        created = objects.add(kind.limetype, {kind.title: cut(title, _TITLE_LENGTH)})
        parent = ParentReference(kind.limetype, created)
    else:
        kind = _kind(services, parent.limetype)
        objects.get(parent.limetype, parent.id)
    dates = [cast("datetime", each["date"]) for each in found.messages if each["date"] is not None]
    return objects.add(
        "conversation",
        {
            "subject": title,
            "lastmessagedate": max(dates, default=services.clock()),
            "unread": False,
            "account": old["account"],
            kind.property: parent.id,
        },
    )


def _subject(found: Found, old: LimeObject) -> str:
    given = one_line(str(found.messages[0]["subject"] or ""), MAX_SUBJECT)
    return given or one_line(str(old["subject"] or ""), MAX_SUBJECT) or "(no subject)"


def _kind(services: Services, limetype: str) -> ConversationParent:
    for each in services.config.conversation_parents:
        if each.limetype == limetype:
            return each
    sentence = f"A conversation cannot hang on a {one_line(limetype, 64)}."
    raise InvalidInput(sentence, errors={"parent": [sentence]})


def _kind_of_account(
    services: Services, connection: Connection, account: object
) -> ConversationParent:
    kinds = services.config.conversation_parents
    accounts = read_accounts(connection).accounts
    wanted = next((each.parent_limetype for each in accounts if each.id == account), "")
    return next((each for each in kinds if each.limetype == wanted), kinds[0])
