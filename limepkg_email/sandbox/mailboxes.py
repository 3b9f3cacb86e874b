"""Mailboxes on disk: folders, messages, flags, moves. Knows nothing of accounts or webhooks."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.messages import ParsedMail
from limepkg_email.sandbox.stored import (
    MESSAGE_ROWS,
    Content,
    Folder,
    Mailbox,
    StoredMessage,
    folder_of,
    mailbox_of,
    message_of,
)

# Path, special use, and how a mail server tells the use.
STANDARD_FOLDERS = (
    ("INBOX", "\\Inbox"),
    ("Sent", "\\Sent"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
)
_REPLY_MARK = re.compile(r"^\s*((re|sv|fwd?|vs|aw)\s*(\[\d+\])?:\s*)+", re.I)


class Mailboxes:
    """All mailboxes of a sandbox."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], *, object_ids: bool
    ) -> None:
        self._database = database
        self._clock = clock
        self._object_ids = object_ids

    def find(self, address: str) -> Mailbox | None:
        """The mailbox of an address."""
        row = self._database.row("SELECT * FROM mailbox WHERE address = ?", address)
        return mailbox_of(row) if row else None

    def get(self, mailbox_id: int) -> Mailbox:
        """The mailbox with this row id."""
        row = self._database.row("SELECT * FROM mailbox WHERE id = ?", mailbox_id)
        if row is None:
            raise LookupError(f"no mailbox {mailbox_id}")
        return mailbox_of(row)

    def all(self) -> list[Mailbox]:
        """All mailboxes by address."""
        return [mailbox_of(row) for row in self._database.rows("SELECT * FROM mailbox ORDER BY 2")]

    def ensure(self, address: str, name: str = "") -> Mailbox:
        """The mailbox of an address, made with its standard folders when there is none."""
        found = self.find(address)
        if found is not None:
            return found
        with self._database.transaction():
            mailbox_id = self._database.run(
                "INSERT INTO mailbox (address, name, object_ids) VALUES (?, ?, ?)",
                address.lower(),
                name,
                self._object_ids,
            )
            for path, special_use in STANDARD_FOLDERS:
                self._add_folder(mailbox_id, path, special_use)
            return self.get(mailbox_id)

    def set_object_ids(self, mailbox: Mailbox, enabled: bool) -> None:
        """Let messages that arrive from now on have `emailId` and `threadId`, or not."""
        self._database.run("UPDATE mailbox SET object_ids = ? WHERE id = ?", enabled, mailbox.id)

    def folders(self, mailbox_id: int) -> list[Folder]:
        """The folders of a mailbox, standard ones first."""
        rows = self._database.rows("SELECT * FROM folder WHERE mailbox = ? ORDER BY id", mailbox_id)
        return [folder_of(row) for row in rows]

    def folder(self, mailbox_id: int, path: str) -> Folder | None:
        """The folder with this path or this special use (`\\Sent`)."""
        column = "special_use" if path.startswith("\\") else "path"
        if path.upper() == "INBOX":
            path = "INBOX"
        row = self._database.row(
            f"SELECT * FROM folder WHERE mailbox = ? AND {column} = ? COLLATE NOCASE",  # noqa: S608
            mailbox_id,
            path,
        )
        return folder_of(row) if row else None

    def create_folder(self, mailbox_id: int, path: str) -> Folder | None:
        """Make a folder; None when it exists."""
        with self._database.transaction():
            if self.folder(mailbox_id, path):
                return None
            self._add_folder(mailbox_id, path, None)
            return self.folder(mailbox_id, path)

    def delete_folder(self, folder: Folder) -> None:
        """Delete a folder and what is in it."""
        with self._database.transaction():
            for message in self.messages(folder):
                self._remove(message)
            self._database.run("DELETE FROM folder WHERE id = ?", folder.id)

    def counts(self, folder: Folder) -> tuple[int, int]:
        """How many messages are in the folder, and how many of them unseen."""
        row = self._database.row(
            "SELECT count(*), sum(flags NOT LIKE '%\\\\Seen\"%') FROM message WHERE folder = ?",
            folder.id,
        )
        return (int(row[0]), int(row[1] or 0)) if row else (0, 0)

    def store(self, content: Content) -> int:
        """Keep a raw mail; the messages that show it refer to it."""
        summary = content.parsed.summary
        return self._database.run(
            "INSERT INTO content (message_id, subject, sent, summary, detail, raw)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            content.parsed.message_id,
            summary.get("subject", ""),
            summary["date"],
            dumps(summary),
            dumps(content.parsed.detail),
            content.raw,
        )

    def append(
        self,
        folder: Folder,
        content_id: int,
        content: Content,
        *,
        prelude: bytes = b"",
        flags: Iterable[str] = (),
    ) -> StoredMessage:
        """Put a stored mail into a folder."""
        mailbox = self.get(folder.mailbox)
        email_id = thread_id = None
        if mailbox.object_ids:
            email_id = (
                "M" + hashlib.sha1(prelude + content.raw, usedforsecurity=False).hexdigest()[:24]
            )
            thread_id = self._thread_of(mailbox, content.parsed)
        return self._insert(
            folder,
            content_id,
            content.parsed.summary,
            prelude=prelude,
            flags=tuple(sorted(set(flags))),
            arrived=self._clock(),
            size=len(prelude) + len(content.raw),
            email_id=email_id,
            thread_id=thread_id,
        )

    def move(self, message: StoredMessage, target: Folder) -> StoredMessage:
        """Move a message: it gets a new uid and with it a new id."""
        with self._database.transaction():
            self._database.run("DELETE FROM message WHERE id = ?", message.row_id)
            return self._insert(
                target,
                message.content,
                message.summary,
                prelude=message.prelude,
                flags=message.flags,
                arrived=message.arrived,
                size=message.size,
                email_id=message.email_id,
                thread_id=message.thread_id,
            )

    def delete(self, message: StoredMessage) -> None:
        """Delete a message for good."""
        with self._database.transaction():
            self._remove(message)

    def set_flags(self, message: StoredMessage, flags: Iterable[str]) -> None:
        """Replace the flags of a message."""
        self._database.run(
            "UPDATE message SET flags = ? WHERE id = ?",
            dumps(sorted(set(flags))),
            message.row_id,
        )

    def by_id(self, mailbox_id: int, folder_code: int, uid: int) -> StoredMessage | None:
        """The message that an id stands for, if it is still there."""
        row = self._database.row(
            MESSAGE_ROWS + " WHERE folder.mailbox = ? AND folder.code = ? AND message.uid = ?",
            mailbox_id,
            folder_code,
            uid,
        )
        return message_of(row) if row else None

    def by_row(self, row_id: int) -> StoredMessage | None:
        """The message with this row id."""
        row = self._database.row(MESSAGE_ROWS + " WHERE message.id = ?", row_id)
        return message_of(row) if row else None

    def messages(
        self,
        folder: Folder,
        *,
        where: str = "",
        values: Sequence[object] = (),
        limit: int = -1,
        offset: int = 0,
    ) -> list[StoredMessage]:
        """The messages of a folder, newest first, optionally restricted by an SQL condition."""
        condition = f" AND ({where})" if where else ""
        rows = self._database.rows(
            f"{MESSAGE_ROWS} WHERE message.folder = ?{condition}"
            " ORDER BY message.uid DESC LIMIT ? OFFSET ?",
            folder.id,
            *values,
            limit,
            offset,
        )
        return [message_of(row) for row in rows]

    def in_mailbox(self, mailbox_id: int, *, after_row: int = 0) -> list[StoredMessage]:
        """All messages of a mailbox in the order in which they came."""
        rows = self._database.rows(
            MESSAGE_ROWS + " WHERE folder.mailbox = ? AND message.id > ? ORDER BY message.id",
            mailbox_id,
            after_row,
        )
        return [message_of(row) for row in rows]

    def last_row(self) -> int:
        """The row id of the newest message of all mailboxes."""
        return self._database.number("SELECT max(id) FROM message")

    def detail(self, message: StoredMessage) -> Json:
        """The part of a message that lists do not show."""
        row = self._database.row("SELECT detail FROM content WHERE id = ?", message.content)
        found: Json = json.loads(row["detail"]) if row else {"headers": []}
        return found

    def raw(self, message: StoredMessage) -> bytes:
        """The whole mail as it lies in the mailbox."""
        return message.prelude + self.original(message)

    def original(self, message: StoredMessage) -> bytes:
        """The mail as the sender sent it, without what the mail server put before it."""
        row = self._database.row("SELECT raw FROM content WHERE id = ?", message.content)
        return bytes(row["raw"]) if row else b""

    def _thread_of(self, mailbox: Mailbox, parsed: ParsedMail) -> str:
        headers = dict(parsed.detail["headers"])
        related = re.findall(r"<[^<>\s]+>", headers.get("references", ""))[-50:]
        related.append(str(parsed.summary.get("inReplyTo", "")))
        subject = _base_subject(str(parsed.summary.get("subject", "")))
        marks = ",".join("?" * len(related))
        rows = self._database.rows(
            "SELECT content.subject, message.thread_id FROM content"  # noqa: S608 - only marks
            " JOIN message ON message.content = content.id"
            " JOIN folder ON folder.id = message.folder"
            f" WHERE content.message_id IN ({marks}) AND folder.mailbox = ?"
            " AND message.thread_id IS NOT NULL",
            *related,
            mailbox.id,
        )
        for row in rows:
            # As some servers do, an answer with another subject begins another thread.
            if _base_subject(row["subject"]) == subject:
                return str(row["thread_id"])
        seed = f"{mailbox.id}:{parsed.message_id or self.last_row()}:{subject}"
        return "T" + hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()[:16]

    def _add_folder(self, mailbox_id: int, path: str, special_use: str | None) -> None:
        self._database.run(
            "INSERT INTO folder (mailbox, path, special_use, uid_validity) VALUES (?, ?, ?, ?)",
            mailbox_id,
            path,
            special_use,
            int(self._clock().timestamp()),
        )

    def _insert(
        self,
        folder: Folder,
        content_id: int,
        summary: Json,
        *,
        prelude: bytes,
        flags: tuple[str, ...],
        arrived: datetime,
        size: int,
        email_id: str | None,
        thread_id: str | None,
    ) -> StoredMessage:
        with self._database.transaction():
            row = self._database.row("SELECT uid_next, code FROM folder WHERE id = ?", folder.id)
            if row is None:
                raise LookupError(f"no folder {folder.id}")
            uid, code = int(row["uid_next"]), row["code"]
            if code is None:
                code = self._next_code(folder)
            self._database.run("UPDATE folder SET uid_next = ? WHERE id = ?", uid + 1, folder.id)
            row_id = self._database.run(
                "INSERT INTO message (folder, uid, content, prelude, flags, arrived, size,"
                " email_id, thread_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                folder.id,
                uid,
                content_id,
                prelude,
                dumps(list(flags)),
                # Mail servers keep arrival times to the second.
                iso(arrived.replace(microsecond=0)),
                size,
                email_id,
                thread_id,
            )
        return StoredMessage(
            row_id=row_id,
            uid=uid,
            content=content_id,
            prelude=prelude,
            flags=flags,
            arrived=arrived.replace(microsecond=0),
            size=size,
            email_id=email_id,
            thread_id=thread_id,
            folder_id=folder.id,
            path=folder.path,
            special_use=folder.special_use,
            code=code,
            mailbox=folder.mailbox,
            summary=summary,
        )

    def _next_code(self, folder: Folder) -> int:
        code = self._database.number("SELECT next_code FROM mailbox WHERE id = ?", folder.mailbox)
        if folder.path != "INBOX" and code == 1:
            # The inbox is always the first folder that is looked at.
            self._database.run(
                "UPDATE folder SET code = 1 WHERE mailbox = ? AND path = 'INBOX'", folder.mailbox
            )
            code = 2
        self._database.run("UPDATE folder SET code = ? WHERE id = ?", code, folder.id)
        self._database.run(
            "UPDATE mailbox SET next_code = ? WHERE id = ?", code + 1, folder.mailbox
        )
        return code

    def _remove(self, message: StoredMessage) -> None:
        self._database.run("DELETE FROM message WHERE id = ?", message.row_id)
        self._database.run(
            "DELETE FROM content WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM message WHERE content = content.id)",
            message.content,
        )


def _base_subject(subject: str) -> str:
    return _REPLY_MARK.sub("", subject).strip().lower()
