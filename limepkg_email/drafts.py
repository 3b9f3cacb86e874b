"""Unsent messages: one per user and conversation, which two windows do not overwrite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, and_, bindparam, delete, select, update

from limepkg_email import draft_files
from limepkg_email.db import insert_new, plugin_connection, table
from limepkg_email.draft_files import DraftFileEntry
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.host import Objects
from limepkg_email.models import Draft
from limepkg_email.query import And, AtLeast, Equals, Order, Query
from limepkg_email.services import Services

DRAFTS = table(Draft)

NEW_CONVERSATION = 0
"""Stands for the conversation that a draft is going to begin."""

MAX_SIZE = 8_000_000
"""Bytes of a draft as JSON with the pictures pasted into it; its files lie in the file store."""

MOST_ARRIVED = 50
"""Messages that are looked at to tell what is new."""

_QUIET_SOURCES = frozenset({"autoreply", "relay", "system"})


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What has been written so far; `files` are ids of documents, `followers` `None` for all.

    `account` is the one to send from, and `parent` what a new conversation is to hang on, as
    `limetype` and `id`; `None` for what was not chosen.
    """

    subject: str = ""
    html: str = ""
    recipients: tuple[Mapping[str, object], ...] = ()
    followers: tuple[int, ...] | None = None
    files: tuple[int, ...] = ()
    account: int | None = None
    parent: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class DraftEntry:
    """A draft as it is stored; `newest_message` is the newest message its user had seen.

    `uploads` are the files that go along besides the documents of its content.
    """

    conversation: int
    version: int
    newest_message: int
    content: DraftContent
    changed_at: datetime
    uploads: tuple[DraftFileEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that came since."""

    id: int
    author: str
    preview: str
    date: datetime


class StaleDraft(Conflict):
    """The draft was changed elsewhere; `newer` is what it is now, `None` if it is gone."""

    def __init__(self, newer: DraftEntry | None) -> None:
        gone = "The draft was sent or discarded elsewhere."
        super().__init__("The draft was changed in another window." if newer else gone)
        self.newer = newer


class NewMessages(Conflict):
    """The conversation has messages that the author had not seen; `arrived` lists them."""

    def __init__(self, arrived: Sequence[Arrived]) -> None:
        who = ", ".join(dict.fromkeys(each.author for each in arrived if each.author))
        super().__init__(f"There are new messages in the conversation{f' from {who}' * bool(who)}.")
        self.arrived = tuple(arrived)


def save(
    services: Services,
    conversation: int,
    content: DraftContent,
    version: int,
    *,
    newest_message: int | None = None,
) -> DraftEntry:
    """Store the user's draft over the version they had (0 for none), and give it.

    Without `newest_message` the newest one of now is remembered for a new draft, and what was
    remembered before for an old one. Raises `StaleDraft` that carries the newer draft, `NotFound`
    for a conversation out of sight and `InvalidInput` for what is too long.
    """
    values = _checked(content)
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        _check_conversation(work.objects, conversation)
        seen = newest_message
        if seen is None and version == 0:
            seen = newest(work.objects, conversation)
        row: dict[str, Any] = {"content": values, "changed_at": services.clock()}
        row |= {} if seen is None else {"newest_message": seen}
        key = {"user": application.user.id, "conversation": conversation}
        if version == 0:
            saved = insert_new(connection, DRAFTS, [{**key, **row, "version": 1}])
        else:
            mine = _of(application.user.id, conversation)
            change = update(DRAFTS).where(mine, DRAFTS.c.version == version)
            saved = connection.execute(change.values(version=version + 1, **row)).rowcount
        entry = _read(connection, application.user.id, conversation)
        if not saved or entry is None:
            raise StaleDraft(entry)
        return entry


def read(services: Services, conversation: int) -> DraftEntry | None:
    """Give the user's draft, or `None`; raises `NotFound` for a conversation out of sight."""
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        _check_conversation(work.objects, conversation)
        return _read(connection, application.user.id, conversation)


def discard(services: Services, conversation: int) -> bool:
    """Throw the user's draft away with its files, and tell whether there was one."""
    application = services.application
    with application.database.begin() as connection:
        mine = _of(application.user.id, conversation)
        found = connection.execute(delete(DRAFTS).where(mine)).rowcount > 0
        files = draft_files.forget(connection, application.user.id, conversation)
    draft_files.remove(application, files)
    return found


def discard_after_send(
    services: Services, conversation: int, version: int, until: datetime | None = None
) -> bool:
    """Remove the draft that was sent; one that was changed meanwhile in another window stays.

    So does one that was changed after `until`, when a message that is handed in again was sent: its
    versions may have begun anew. Files that it had and that were not sent go with it: the next
    message must not take them along.
    """
    application = services.application
    files: list[str] = []
    with application.database.begin() as connection:
        mine = _of(application.user.id, conversation)
        sent = delete(DRAFTS).where(mine, DRAFTS.c.version <= version)
        if until is not None:
            sent = sent.where(DRAFTS.c.changed_at <= until)
        removed = connection.execute(sent).rowcount > 0
        if removed:
            files = draft_files.forget(connection, application.user.id, conversation)
    draft_files.remove(application, files)
    return removed


def check_newest(
    services: Services, conversation: int, newest_message: int, *, anyway: bool = False
) -> None:
    """Raise `NewMessages` if anything came after the newest message that the author had seen.

    What is sent automatically and automatic replies do not count. Raises `NotFound` for a
    conversation out of sight.
    """
    if anyway:
        return
    with services.application.unit_of_work() as work:
        work.objects.get("conversation", conversation)
        since = And(
            (Equals("conversation", conversation), AtLeast("id", newest_message + 1)),
        )
        names = ("authorname", "authoraddress", "preview", "date", "source", "machine")
        query = Query("conversationmessage", since, (Order("id"),), MOST_ARRIVED, properties=names)
        rows = work.objects.query(query)
    arrived = [
        Arrived(
            each.id,
            str(each["authorname"] or each["authoraddress"] or ""),
            str(each["preview"] or ""),
            cast("datetime", each["date"]),
        )
        for each in rows
        if each["source"] not in _QUIET_SOURCES and each["machine"] != "autoreply"
    ]
    if arrived:
        raise NewMessages(arrived)


def newest(objects: Objects, conversation: int) -> int:
    """Give the id of the newest message of the conversation, or 0."""
    if conversation == NEW_CONVERSATION:
        return 0
    here = Equals("conversation", conversation)
    order = (Order("id", descending=True),)
    found = objects.query(Query("conversationmessage", here, order, limit=1, properties=()))
    return found[0].id if found else 0


def follow_merge(connection: Connection, gone: int, into: int, now: datetime) -> None:
    """Bring the drafts of a conversation into the one it is merged into.

    Who has one in both gets the text of the first below that of the second. Files come along.
    """
    draft_files.follow_merge(connection, gone, into)
    rows = connection.execute(
        select(DRAFTS).where(DRAFTS.c.conversation.in_((gone, into))).order_by(DRAFTS.c.id)
    ).all()
    kept = {row.user: row for row in rows if row.conversation == into}
    joined = [
        {"key": kept[row.user].id, "joined": _joined(kept[row.user].content, row.content)}
        for row in rows
        if row.conversation == gone and row.user in kept
    ]
    if joined:
        change = update(DRAFTS).where(DRAFTS.c.id == bindparam("key"))
        change = change.values(
            content=bindparam("joined", type_=DRAFTS.c.content.type),
            version=DRAFTS.c.version + 1,
            changed_at=now,
        )
        connection.execute(change, joined)
        twice = and_(DRAFTS.c.conversation == gone, DRAFTS.c.user.in_(list(kept)))
        connection.execute(delete(DRAFTS).where(twice))
    if any(row.conversation == gone for row in rows):
        here = update(DRAFTS).where(DRAFTS.c.conversation == gone)
        # Chosen followers that are gone stay named: sending then asks to choose again.
        connection.execute(here.values(conversation=into, version=DRAFTS.c.version + 1))


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    html = "<hr>".join(each for each in (one.get("html", ""), other.get("html", "")) if each)
    files = list(dict.fromkeys([*one.get("files", ()), *other.get("files", ())]))
    recipients = [*one.get("recipients", ()), *other.get("recipients", ())]
    return {**one, "html": html, "files": files, "recipients": recipients}


def _checked(content: DraftContent) -> dict[str, Any]:
    values = asdict(content)
    try:
        encoded = json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError):
        raise _refused("The draft holds what cannot be stored.") from None
    if len(encoded) > MAX_SIZE:
        raise _refused(
            f"The draft has more than {MAX_SIZE // 1_000_000} MB; attach large pictures as files."
        )
    decoded: dict[str, Any] = json.loads(encoded)
    return decoded


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors={"html": [sentence]})


def _check_conversation(objects: Objects, conversation: int) -> None:
    if conversation != NEW_CONVERSATION:
        objects.get("conversation", conversation)


def _of(user: int, conversation: int) -> Any:
    return and_(DRAFTS.c.user == user, DRAFTS.c.conversation == conversation)


def _read(connection: Connection, user: int, conversation: int) -> DraftEntry | None:
    row = connection.execute(select(DRAFTS).where(_of(user, conversation))).one_or_none()
    return None if row is None else _entry(row, draft_files.read(connection, user, conversation))


def _entry(row: Row[Any], uploads: tuple[DraftFileEntry, ...]) -> DraftEntry:
    content = row.content
    followers = content.get("followers")
    return DraftEntry(
        conversation=row.conversation,
        version=row.version,
        newest_message=row.newest_message,
        content=DraftContent(
            subject=content.get("subject", ""),
            html=content.get("html", ""),
            recipients=tuple(content.get("recipients", ())),
            followers=None if followers is None else tuple(followers),
            files=tuple(content.get("files", ())),
            account=content.get("account"),
            parent=content.get("parent"),
        ),
        changed_at=row.changed_at,
        uploads=uploads,
    )
