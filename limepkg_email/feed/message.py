"""What a feed item factory is given: messages with everything about them but their bodies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from limepkg_email.hooks import ParentReference

SCHEDULED = "scheduled"
"""The state of a recipient whose mail is queued and leaves at a later time."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """The mailbox that a conversation runs through."""

    id: int
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class ConversationView:
    """The conversation of a message; `account` is `None` if it was disconnected."""

    id: int
    subject: str
    account: AccountView | None


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or recipient of one message; `object` is whom the CRM knows behind the address.

    `id` is the message follower, and `state` its state, or `SCHEDULED`.
    """

    name: str
    email: str
    role: str
    state: str
    reason: str = ""
    object: ParentReference | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of a message; `id` is the document's, `file` the stored file's."""

    id: int
    filename: str
    file: str


@dataclass(frozen=True, slots=True)
class MessageFault:
    """Something that went wrong with a message."""

    text: str
    code: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One conversation message with the things that hang on it.

    `send_at` is when those of its mails leave that are still to wait, `None` if there are none.
    """

    id: int
    conversation: ConversationView
    subject: str
    preview: str
    date: datetime
    source: str
    machine: str
    unread: bool
    author_name: str
    author_address: str
    parties: tuple[Party, ...] = ()
    documents: tuple[DocumentView, ...] = ()
    faults: tuple[MessageFault, ...] = ()
    send_at: datetime | None = None

    @property
    def sender(self) -> Party | None:
        """Who sent it, as far as it is a follower."""
        return next((each for each in self.parties if each.role == "from"), None)

    @property
    def recipients(self) -> tuple[Party, ...]:
        """To whom it went, those included to whom a received mail was sent on."""
        return tuple(each for each in self.parties if each.role in ("to", "cc"))

    @property
    def addressed(self) -> tuple[Party, ...]:
        """To whom its author wrote: of a received mail, those who stood in it."""
        received = self.source == "email"
        return tuple(
            each for each in self.recipients if not received or each.state in ("received", "")
        )
