"""Mailboxes, folders and messages as data: what lies in the rows of the database."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from limepkg_email.sandbox import ids
from limepkg_email.sandbox.dates import parse_iso
from limepkg_email.sandbox.headers import split_fields, unfold
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.messages import ParsedMail, parse_mail

# The beginning of every query for messages.
MESSAGE_ROWS = """
    SELECT message.id AS row_id, message.uid, message.content, message.prelude, message.flags,
        message.arrived, message.size, message.email_id, message.thread_id,
        folder.id AS folder_id, folder.path, folder.special_use, folder.code, folder.mailbox,
        content.summary
    FROM message
    JOIN folder ON folder.id = message.folder
    JOIN content ON content.id = message.content
"""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A place where mail for one address is kept."""

    id: int
    address: str
    name: str
    object_ids: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a mailbox."""

    id: int
    mailbox: int
    path: str
    special_use: str | None
    uid_validity: int
    uid_next: int
    code: int | None

    @property
    def name(self) -> str:
        """The last piece of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in a folder; its content may be shared with other messages."""

    row_id: int
    uid: int
    content: int
    prelude: bytes
    flags: tuple[str, ...]
    arrived: datetime
    size: int
    email_id: str | None
    thread_id: str | None
    folder_id: int
    path: str
    special_use: str | None
    code: int
    mailbox: int
    summary: Json

    @property
    def id(self) -> str:
        """The id by which the API knows the message while it lies here."""
        return ids.message_id(self.code, self.uid)

    @property
    def date(self) -> datetime:
        """When it was written, or arrived when it does not say."""
        sent = self.summary.get("date")
        return parse_iso(sent) if sent else self.arrived


@dataclass(frozen=True, slots=True)
class Content:
    """A raw mail together with what was read from it, ready to be stored."""

    raw: bytes
    parsed: ParsedMail

    @classmethod
    def of(cls, raw: bytes) -> "Content":
        """Read a raw mail with CRLF line ends."""
        return cls(raw, parse_mail(raw))


def prelude_fields(prelude: bytes) -> list[tuple[str, str]]:
    """The header fields that the mail server put before the mail."""
    return [(name.lower(), unfold(value)) for name, value in split_fields(prelude)]


def mailbox_of(row: sqlite3.Row) -> Mailbox:
    """The mailbox in a row."""
    return Mailbox(row["id"], row["address"], row["name"], bool(row["object_ids"]))


def folder_of(row: sqlite3.Row) -> Folder:
    """The folder in a row."""
    return Folder(
        row["id"],
        row["mailbox"],
        row["path"],
        row["special_use"],
        row["uid_validity"],
        row["uid_next"],
        row["code"],
    )


def message_of(row: sqlite3.Row) -> StoredMessage:
    """The message in a row of `MESSAGE_ROWS`."""
    return StoredMessage(
        row_id=row["row_id"],
        uid=row["uid"],
        content=row["content"],
        prelude=row["prelude"],
        flags=tuple(json.loads(row["flags"])),
        arrived=parse_iso(row["arrived"]),
        size=row["size"],
        email_id=row["email_id"],
        thread_id=row["thread_id"],
        folder_id=row["folder_id"],
        path=row["path"],
        special_use=row["special_use"],
        code=row["code"],
        mailbox=row["mailbox"],
        summary=json.loads(row["summary"]),
    )
