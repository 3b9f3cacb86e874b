"""What happens to mail in registered mailboxes, and the webhooks that tell of it."""

import base64
from collections.abc import Callable, Iterable
from datetime import datetime

from limepkg_email.sandbox import views
from limepkg_email.sandbox.account_record import Account, folder_event
from limepkg_email.sandbox.accounts import Accounts
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.events import Events
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.messages import find_part
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.stored import Content, Folder, StoredMessage


class Mail:
    """Every change to mail goes through here, so that no change goes untold."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        accounts: Accounts,
        settings: Settings,
        events: Events,
        options: SandboxOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._accounts = accounts
        self._settings = settings
        self._events = events
        self._options = options
        self._clock = clock
        accounts.on_connected = self.announce_missed

    def add(
        self,
        folder: Folder,
        content_id: int,
        content: Content,
        *,
        prelude: bytes = b"",
        flags: Iterable[str] = (),
        delay: float | None = None,
    ) -> StoredMessage:
        """Put a stored mail into a folder and announce it."""
        with self._database.transaction():
            message = self._mailboxes.append(
                folder, content_id, content, prelude=prelude, flags=flags
            )
            wait = self._options.arrival_delay if delay is None else delay
            for account in self._listeners(folder.mailbox):
                self._announce(account, message, content.parsed.detail, delay=wait)
        return message

    def move(self, message: StoredMessage, target: Folder) -> StoredMessage:
        """Move a message; that is one message gone and another one come."""
        with self._database.transaction():
            moved = self._mailboxes.move(message, target)
            listeners = self._listeners(message.mailbox)
            detail = self._mailboxes.detail(moved) if listeners else {}
            for account in listeners:
                self._tell_deleted(account, message)
                self._announce(account, moved, detail, delay=0.0)
        return moved

    def set_flags(self, message: StoredMessage, flags: Iterable[str]) -> None:
        """Replace the flags of a message."""
        before, after = set(message.flags), set(flags)
        if before == after:
            return
        changes: Json = {}
        if after - before:
            changes["added"] = sorted(after - before)
        if before - after:
            changes["deleted"] = sorted(before - after)
        changes["value"] = sorted(after)
        with self._database.transaction():
            self._mailboxes.set_flags(message, after)
            for account in self._listeners(message.mailbox):
                self._events.emit(
                    account.id,
                    "messageUpdated",
                    {"id": message.id, "uid": message.uid, "changes": {"flags": changes}},
                    path=message.path,
                    special_use=message.special_use,
                )

    def delete(self, message: StoredMessage) -> None:
        """Delete a message for good."""
        with self._database.transaction():
            self._mailboxes.delete(message)
            for account in self._listeners(message.mailbox):
                self._tell_deleted(account, message)

    def create_folder(self, mailbox_id: int, path: str) -> bool:
        """Make a folder; False when it exists."""
        with self._database.transaction():
            folder = self._mailboxes.create_folder(mailbox_id, path)
            if folder is None:
                return False
            for account in self._listeners(mailbox_id):
                self._events.emit(account.id, "mailboxNew", folder_event(folder), path=folder.path)
        return True

    def delete_folder(self, mailbox_id: int, path: str) -> bool:
        """Delete a folder; False when there is none."""
        with self._database.transaction():
            folder = self._mailboxes.folder(mailbox_id, path)
            if folder is None or folder.path == "INBOX":
                return False
            self._mailboxes.delete_folder(folder)
            data = folder_event(folder)
            del data["uidValidity"]
            for account in self._listeners(mailbox_id):
                self._events.emit(account.id, "mailboxDeleted", data, path=folder.path)
        return True

    def remember(self, account_id: str, message_id: str) -> bool:
        """Note that the account has met this Message-ID; True when it was the first time."""
        if not message_id:
            return True
        known = self._database.row(
            "SELECT 1 FROM announced WHERE account = ? AND message_id = ?", account_id, message_id
        )
        if known is None:
            self._database.run(
                "INSERT INTO announced (account, message_id) VALUES (?, ?)", account_id, message_id
            )
        return known is None

    def announce_missed(self, account: Account) -> None:
        """Announce what came while the account was not connected."""
        last = int(account.runtime.get("lastRow", 0))
        for message in self._mailboxes.in_mailbox(account.mailbox, after_row=last):
            if message.date >= account.notify_from:
                self._announce(account, message, self._mailboxes.detail(message), delay=0.0)

    def _listeners(self, mailbox_id: int) -> list[Account]:
        if self._accounts.suspended:
            return []
        return [account for account in self._accounts.of_mailbox(mailbox_id) if account.receiving]

    def _announce(
        self, account: Account, message: StoredMessage, detail: Json, *, delay: float
    ) -> None:
        if min(message.date, message.arrived) < account.notify_from:
            return
        is_new = self.remember(account.id, str(message.summary.get("messageId", "")))
        if self._settings.get("inboxNewOnly") and message.path != "INBOX":
            return
        data = self._payload(message, detail)
        data["seemsLikeNew"] = is_new
        place = {"path": message.path, "special_use": message.special_use}
        self._events.emit(account.id, "messageNew", data, delay=delay, **place)
        bounce = detail.get("bounce")
        if bounce and message.path == "INBOX":
            self._events.emit(
                account.id, "messageBounce", {"bounceMessage": message.id, **bounce}, delay=delay
            )

    def _payload(self, message: StoredMessage, detail: Json) -> Json:
        data = views.full(message, detail, self._settings.get("notifyHeaders") or None)
        if "text" in data and self._settings.get("notifyText"):
            found = views.texts(detail, limit=self._settings.get("notifyTextSize"))
            if self._settings.get("notifyWebSafeHtml"):
                found = views.web_safe(found, message, self._mailboxes.raw(message))
            data["text"] = {**data["text"], **found}
        if self._settings.get("notifyAttachments") and "attachments" in data:
            self._add_files(message, data)
        views.add_properties(message, detail, data)
        return data

    def _add_files(self, message: StoredMessage, data: Json) -> None:
        raw = self._mailboxes.original(message)
        limit = self._settings.get("notifyAttachmentSize")
        for entry, shown in zip(message.summary["attachments"], data["attachments"], strict=True):
            part = find_part(raw, entry["part"])
            if part is not None and (limit is None or entry["encodedSize"] <= limit):
                shown["content"] = base64.b64encode(part.data()).decode("ascii")

    def _tell_deleted(self, account: Account, message: StoredMessage) -> None:
        self._events.emit(
            account.id,
            "messageDeleted",
            {"id": message.id, "uid": message.uid},
            path=message.path,
            special_use=message.special_use,
        )
