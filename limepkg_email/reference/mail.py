"""What the CRM's pages ask of whatever brings mail to it: small values and one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from limepkg_email.reference.application import ReferenceApplication

TICKET = "helpdesk"
"""The limetype of the tickets that the pages show."""


@dataclass(frozen=True, slots=True)
class TicketMail:
    """What the list of tickets says about a ticket's mail.

    `who` takes part first in the conversation that is the ticket's own.
    """

    last: datetime | None
    unread: bool
    who: str = ""


@dataclass(frozen=True, slots=True)
class FeedPart:
    """Some messages of a ticket, the oldest of them first, and how many there are in all.

    An item is a mapping or an object with `id`, `timestamp`, `author` (`name`), `heading`, `value`
    (text, or markup that is known to be safe), `body_url`, `ui`, `helper_text`, `has_error`,
    `thumbnails` (`filename`, `image`, `href`), `unread` and `recipients` (`name`, `email`, `state`,
    `reason`).
    """

    items: Sequence[Any]
    total: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list to choose from."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A conversation in a list: on which ticket it is, and when its latest message came.

    Where somebody is to choose from several, `who` takes part first in its `messages`.
    """

    id: int
    subject: str
    ticket: int | None
    last: datetime | None
    unread: bool
    who: str = ""
    messages: int = 0


@dataclass(frozen=True, slots=True)
class FollowerChoice:
    """Somebody who can get the answer; `active` ones get it unless the writer says otherwise."""

    id: int
    name: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Composer:
    """What a form for writing a mail offers; there is none to fill in without an account."""

    accounts: tuple[Choice, ...]
    account: int | None = None
    conversations: tuple[ConversationLine, ...] = ()
    conversation: int | None = None
    followers: tuple[FollowerChoice, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody added to the form."""

    filename: str
    content_type: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A mail as it was written in a form.

    Without `ticket` it begins a new one, without `conversation` a new conversation of the ticket.
    `recipients` is what was typed: addresses with or without names. Handing in the same `key` once
    more sends nothing.
    """

    ticket: int | None
    conversation: int | None
    account: int
    subject: str
    text: str
    recipients: str
    followers: tuple[int, ...] | None
    files: tuple[Upload, ...]
    key: str


class Mail(Protocol):
    """Brings mail to the tickets; every method acts as the application's user."""

    def overview(
        self, application: ReferenceApplication, tickets: Sequence[int]
    ) -> Mapping[int, TicketMail]:
        """Tell about the mail of several tickets; those without any are left out."""

    def latest(self, application: ReferenceApplication, limit: int) -> Mapping[int, datetime]:
        """Give the tickets with the latest messages, and when those came."""

    def find(
        self, application: ReferenceApplication, text: str, limit: int, id: int | None = None
    ) -> Sequence[ConversationLine]:
        """Find conversations to choose from, by their subject or the one with this id.

        The one with the latest message comes first.
        """

    def with_follower(self, application: ReferenceApplication, text: str) -> Sequence[int]:
        """Give the newest tickets in whose mail somebody has these words in name and address."""

    def of_person(
        self, application: ReferenceApplication, person: int, limit: int
    ) -> Sequence[ConversationLine]:
        """Give the conversations that a person follows, the one with the latest message first."""

    def feed(self, application: ReferenceApplication, ticket: int, offset: int) -> FeedPart:
        """Give a part of the ticket's messages, `offset` from the latest one on."""

    def composer(
        self, application: ReferenceApplication, ticket: int | None, conversation: int | None
    ) -> Composer:
        """Give what the form offers, for a conversation of a ticket or for a new ticket."""

    def submit(self, application: ReferenceApplication, writing: Writing) -> int:
        """Send the mail and give its ticket; raises `InvalidInput` with sentences per field."""

    def mark_read(self, application: ReferenceApplication, ticket: int) -> None:
        """Mark every message of the ticket as read."""
