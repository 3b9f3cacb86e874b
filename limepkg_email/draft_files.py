"""Files of messages that are still being written: there from when they are attached until sent.

The content lies in the host's file store from the beginning. Sending hands it over to the message
in the transaction that writes it, and what is thrown away leaves the store once that is committed:
a crash in between leaves content that nothing refers to, which a host can sweep (`host.Files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from limepkg_email.db import insert_new, table
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.host import Application, Objects, StoredFile
from limepkg_email.models import DraftFile
from limepkg_email.query import In, Query
from limepkg_email.services import Services
from limepkg_email.text import one_line

FILES = table(DraftFile)

_MAX_NAME = 255
_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class DraftFileEntry:
    """A file of a draft; `size` is in bytes."""

    id: int
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody attaches; the same `key` once more is the same file, sent again."""

    filename: str
    content_type: str
    stream: IO[bytes]
    size: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one file, of those of a draft, of those of a user's drafts, and how many of each."""

    each: int
    together: int
    of_user: int
    count: int


class FilesGone(InvalidInput):
    """Files of a draft were sent or taken away before."""


def attach(services: Services, conversation: int, upload: Upload, limits: Limits) -> DraftFileEntry:
    """Keep a file with the user's draft in a conversation, 0 for the one of a new conversation.

    Raises `NotFound` for a conversation out of sight, and `InvalidInput` for a file that is empty
    or for which there is no room.
    """
    application = services.application
    key = upload.key or uuid4().hex
    _check_conversation(application, conversation)
    with application.database.connect() as connection:
        before = _of_key(connection, application.user.id, key)
    if before is not None:
        return before
    _check(upload, limits)
    _check_room(services, conversation, limits, files=1, size=upload.size)
    name = one_line(upload.filename, _MAX_NAME) or "file"
    stored = application.files.create(name, upload.content_type or _OCTETS, upload.stream)
    entry = _enter(services, conversation, key, stored)
    try:
        # Others may have come at the same time: whoever is last to be committed sees them all.
        _check_room(services, conversation, limits)
    except InvalidInput:
        detach(services, entry.id)
        raise
    return entry


def listing(services: Services, conversation: int) -> tuple[DraftFileEntry, ...]:
    """Give the files of the user's draft in a conversation."""
    application = services.application
    with application.database.connect() as connection:
        return read(connection, application.user.id, conversation)


def read(connection: Connection, user: int, conversation: int) -> tuple[DraftFileEntry, ...]:
    """Give the files of a draft in the order in which they were attached."""
    chosen = _entries().where(_of(user, conversation)).order_by(FILES.c.id)
    return tuple(DraftFileEntry(*row) for row in connection.execute(chosen))


def detach(services: Services, file: int) -> None:
    """Take one of the user's own files away for good; raises `NotFound`."""
    application = services.application
    mine = and_(FILES.c.user == application.user.id, FILES.c.id == file)
    with application.database.begin() as connection:
        stored = connection.scalar(select(FILES.c.file).where(mine))
        if stored is None or not connection.execute(delete(FILES).where(mine)).rowcount:
            raise NotFound(f"There is no file {file} in a draft of yours.")
    remove(application, [stored])


def take(connection: Connection, user: int, files: Sequence[int]) -> list[StoredFile]:
    """Hand files over to a message, in its transaction; they are the draft's no more.

    Raises `FilesGone` that names those that are not there.
    """
    if not files:
        return []
    wanted = list(dict.fromkeys(files))
    mine = and_(FILES.c.user == user, FILES.c.id.in_(wanted))
    rows = {row.id: row for row in connection.execute(select(FILES).where(mine))}
    missing = [each for each in wanted if each not in rows]
    # Somebody else may have taken them since they were read.
    if missing or connection.execute(delete(FILES).where(mine)).rowcount != len(wanted):
        sentences = [f"The file {each} is no longer in the draft." for each in missing or wanted]
        raise FilesGone(" ".join(sentences), errors={"draft_files": sentences})
    found = [rows[each] for each in wanted]
    return [StoredFile(row.file, row.filename, row.content_type, row.size) for row in found]


def forget(connection: Connection, user: int, conversation: int) -> list[str]:
    """Take the files from a draft; gives what is to be removed from the store after the commit."""
    # One statement: what a message that is just being sent takes over must not be among them.
    gone = delete(FILES).where(_of(user, conversation)).returning(FILES.c.file)
    return list(connection.scalars(gone))


def remove(application: Application, files: Iterable[str]) -> None:
    """Remove content that no draft has any more from the host's store."""
    for each in files:
        application.files.delete(each)


def follow_merge(connection: Connection, gone: int, into: int) -> None:
    """Bring the files of a conversation's drafts into the one it is merged into."""
    here = update(FILES).where(FILES.c.conversation == gone)
    connection.execute(here.values(conversation=into))


def _enter(services: Services, conversation: int, key: str, stored: StoredFile) -> DraftFileEntry:
    application = services.application
    row = {
        "user": application.user.id,
        "conversation": conversation,
        "key": key,
        "file": stored.id,
        "filename": stored.filename[:_MAX_NAME],
        "content_type": stored.content_type[:_MAX_NAME],
        "size": stored.size,
        "created_at": services.clock(),
    }
    entered = 0
    try:
        with application.database.begin() as connection:
            entered = insert_new(connection, FILES, [row])
            entry = _of_key(connection, application.user.id, key)
    finally:
        if not entered:
            application.files.delete(stored.id)
    if entry is None:
        raise NotFound("The file was taken away while it was being attached.")
    return entry


def _check(upload: Upload, limits: Limits) -> None:
    """Refuse a file that no message may have; `errors` names `files`."""
    name = one_line(upload.filename, 80)
    if not upload.size:
        _refuse(f"{name} is empty.")
    if upload.size > limits.each:
        _refuse(f"{name} has {upload.size:,} bytes, and {limits.each:,} is the limit.")


def _check_room(
    services: Services, conversation: int, limits: Limits, *, files: int = 0, size: int = 0
) -> None:
    """Refuse what is too much with so many more files and bytes; `errors` names `files`."""
    user = services.application.user.id
    with services.application.database.connect() as connection:
        count, together = _sums(connection, _of(user, conversation))
    if count + files > limits.count:
        _refuse(f"A message has at most {limits.count} files.")
    if together + size > limits.together:
        _refuse(f"A message's files have at most {limits.together:,} bytes together.")
    if _held(services) + size > limits.of_user:
        _drop_out_of_sight(services)
        if _held(services) + size > limits.of_user:
            _refuse(
                f"The files in your drafts have at most {limits.of_user:,} bytes together:"
                " send or discard a draft first."
            )


def _refuse(sentence: str) -> None:
    raise InvalidInput(sentence, errors={"files": [sentence]})


def _held(services: Services) -> int:
    application = services.application
    with application.database.connect() as connection:
        return _sums(connection, FILES.c.user == application.user.id)[1]


def _sums(connection: Connection, where: ColumnElement[bool]) -> tuple[int, int]:
    sums = select(func.count(), func.coalesce(func.sum(FILES.c.size), 0)).where(where)
    count, size = connection.execute(sums.select_from(FILES)).one()
    return int(count), int(size)


def _drop_out_of_sight(services: Services) -> None:
    """Make room: nobody can discard the draft of a conversation that is not there any more."""
    application = services.application
    user = application.user.id
    with application.database.connect() as connection:
        chosen = select(FILES.c.conversation).where(FILES.c.user == user, FILES.c.conversation > 0)
        known = sorted(set(connection.scalars(chosen)))
    with application.unit_of_work() as work:
        rows = work.objects.query(Query("conversation", In("id", known), properties=()))
    there = {row.id for row in rows}
    for each in known:
        if each not in there:
            with application.database.begin() as connection:
                files = forget(connection, user, each)
            remove(application, files)


def _check_conversation(application: Application, conversation: int) -> None:
    if conversation:
        with application.unit_of_work() as work:
            objects: Objects = work.objects
            objects.get("conversation", conversation)


def _of(user: int, conversation: int) -> ColumnElement[bool]:
    return and_(FILES.c.user == user, FILES.c.conversation == conversation)


def _entries() -> Any:
    return select(FILES.c.id, FILES.c.filename, FILES.c.content_type, FILES.c.size)


def _of_key(connection: Connection, user: int, key: str) -> DraftFileEntry | None:
    chosen = _entries().where(FILES.c.user == user, FILES.c.key == key)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else DraftFileEntry(*row)
