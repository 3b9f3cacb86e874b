"""What EmailEngine answers about mails, folders, accounts and its outbox, as immutable data.

Mails themselves are in `message`, whose names can be imported from here as well. Parsing is as
tolerant as it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from limepkg_email.engine.message import NOBODY, Address, Attachment, Message, Text
from limepkg_email.engine.reading import Json, integer, items, mapping, moment, text, texts

__all__ = [
    "NOBODY",
    "Address",
    "Attachment",
    "EngineAccount",
    "License",
    "Mailbox",
    "Message",
    "MessageEntry",
    "MessagePage",
    "MoveResult",
    "NewAccount",
    "OutboxEntry",
    "SubmitResult",
    "Text",
]

MessageEntry: TypeAlias = Message
"""A mail in a list: the same class with less in it."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of a list of mails, newest first; `page` counts from 0."""

    total: int
    page: int
    pages: int
    messages: tuple[MessageEntry, ...]

    @classmethod
    def parse(cls, value: Json, *, path: str = "") -> MessagePage:
        """Read the answer of a list or a search in the folder `path`; no id, no entry."""
        entries = [
            Message.parse(item, path=path)
            for item in items(value.get("messages"))
            if isinstance(item, dict) and text(item.get("id"))
        ]
        return cls(
            total=integer(value.get("total")),
            page=integer(value.get("page")),
            pages=integer(value.get("pages")),
            messages=tuple(entries),
        )


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What EmailEngine answers to a submit: the mail is queued, not sent.

    `message_id` is final and in angle brackets, `queue_id` is what later events name the mail by.
    `idempotent_hit` says that the key had been used, so that nothing was queued now.
    `reference_missing` says that the mail to reply to was not found and `ignoreMissing` was given:
    the mail goes out without In-Reply-To and References.
    """

    message_id: str
    queue_id: str
    send_at: datetime | None = None
    idempotent_hit: bool = False
    reference_missing: bool = False

    @classmethod
    def parse(cls, value: Json) -> SubmitResult:
        """Read the answer of a submit."""
        return cls(
            message_id=text(value.get("messageId")).strip(),
            queue_id=text(value.get("queueId")),
            send_at=moment(value.get("sendAt")),
            idempotent_hit=mapping(value.get("idempotency")).get("status") == "HIT",
            reference_missing=mapping(value.get("reference")).get("success") is False,
        )


@dataclass(frozen=True, slots=True)
class MoveResult:
    """Where a mail lies after a move: folder, new id, new uid (0 if the provider has none)."""

    path: str
    id: str
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A folder of an account; `messages` counts its mails and may lag behind."""

    path: str
    name: str = ""
    delimiter: str = ""
    special_use: str = ""
    messages: int = 0

    @classmethod
    def parse(cls, value: Json) -> Mailbox:
        """Read one entry of the list of folders."""
        return cls(
            path=text(value.get("path")),
            name=text(value.get("name")),
            delimiter=text(value.get("delimiter")),
            special_use=text(value.get("specialUse")),
            messages=integer(value.get("messages")),
        )


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The id of an account just registered; `existing` says that it replaced one of that id."""

    account: str
    existing: bool = False


@dataclass(frozen=True, slots=True)
class EngineAccount:
    """An account as registered with EmailEngine.

    `state` alone proves little: with a wrong password it flips between `authenticationError` and
    `connecting`, and it stays `connected` when EmailEngine's workers are down; `last_error` and
    `last_error_code` tell of the login to the mailbox, `smtp_error` of the one for sending. `type`
    is `imap`, `sending` (receiving is off), a provider, or `oauth2` when its `app` is gone.
    `has_imap` says that it receives through IMAP with a password, `paused` that this is turned off;
    lists do not tell them.
    """

    account: str
    name: str = ""
    email: str = ""
    state: str = ""
    last_error: str = ""
    last_error_code: str = ""
    smtp_error: str = ""
    type: str = ""
    app: str = ""
    notify_from: datetime | None = None
    has_imap: bool = False
    paused: bool = False

    @classmethod
    def parse(cls, value: Json) -> EngineAccount:
        """Read an account, alone or in a list, which lacks `smtp_error` and `notify_from`."""
        error, smtp = mapping(value.get("lastError")), mapping(value.get("smtpStatus"))
        imap = mapping(value.get("imap"))
        failing = smtp.get("status") == "error"
        return cls(
            account=text(value.get("account")),
            name=text(value.get("name")),
            email=text(value.get("email")),
            state=text(value.get("state")),
            last_error=text(error.get("response")),
            last_error_code=text(error.get("serverResponseCode")),
            smtp_error=(text(smtp.get("response")) or text(smtp.get("code"))) if failing else "",
            type=text(value.get("type")),
            app=text(value.get("app")),
            notify_from=moment(value.get("notifyFrom")),
            has_imap=bool(imap),
            paused=imap.get("disabled") is True,
        )


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A mail that waits in EmailEngine's outbox, or lies there because it failed.

    `status` is `queued`, `error`, or a stage of sending; `error_status_code` is SMTP's, 0 if none.
    """

    account: str
    queue_id: str
    message_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    created: datetime | None = None
    scheduled: datetime | None = None
    next_attempt: datetime | None = None
    status: str = ""
    error: str = ""
    error_status_code: int = 0
    attempts_made: int = 0
    attempts: int = 0

    @property
    def gave_up(self) -> bool:
        """Whether no further attempt is to be expected, as far as the entry shows it.

        EmailEngine lists failed and retrying mails alike; a permanent SMTP refusal (5xx, not 503)
        ends at the first attempt. Its webhook `messageFailed` is the only sure sign.
        """
        refused = 500 <= self.error_status_code < 600 and self.error_status_code != 503
        return self.status == "error" and (refused or self.attempts_made >= self.attempts)

    @classmethod
    def parse(cls, value: Json) -> OutboxEntry:
        """Read one entry of the outbox, alone or in a list."""
        envelope, progress = mapping(value.get("envelope")), mapping(value.get("progress"))
        error = mapping(progress.get("error"))
        return cls(
            account=text(value.get("account")),
            queue_id=text(value.get("queueId")),
            message_id=text(value.get("messageId")),
            sender=text(envelope.get("from")),
            recipients=texts(envelope.get("to")),
            subject=text(value.get("subject")),
            created=moment(value.get("created")),
            scheduled=moment(value.get("scheduled")),
            next_attempt=moment(value.get("nextAttempt")),
            status=text(progress.get("status")),
            error=text(error.get("message")),
            error_status_code=integer(error.get("statusCode")),
            attempts_made=integer(value.get("attemptsMade")),
            attempts=integer(value.get("attempts")),
        )


@dataclass(frozen=True, slots=True)
class License:
    """EmailEngine's licence; `suspended` means that it has stopped working though it answers."""

    active: bool
    suspended: bool
    type: str = ""

    @classmethod
    def parse(cls, value: Json) -> License:
        """Read the answer of the licence call."""
        return cls(
            active=value.get("active") is True,
            suspended=value.get("suspended") is True,
            type=text(value.get("type")),
        )
