"""What a message from the CRM is before it is sent, and what was made of it; no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from limepkg_email.hooks import ParentReference
from limepkg_email.host import StoredFile


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that goes along; it lies in the application's file store as `file_id` already.

    Made from what the store says (`Files.describe`), never from what a client claims. Whoever makes
    it has checked that the user may read the file.
    """

    filename: str
    content_type: str
    file_id: str
    size: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to become a follower, and optionally the CRM object (`limetype`, `id`) they are."""

    email: str
    name: str = ""
    limetype: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """What stands below a message; `pictures` are stored files by the address its html has."""

    html: str
    pictures: Mapping[str, StoredFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to send from one of our accounts.

    Without `conversation` a new one is made, on `parent` or on a new object. `followers` are those
    who get it; `None` means every active follower. With an `idempotency_key` the same draft can be
    handed in again when its answer was lost: the first one counts, whatever the second one says.
    It leaves at `send_at`, or after the time of `undo`, in which it can be taken back. With
    `signature` the user's one, or else the account's, is put below the text, and `quoted` below it.
    `draft_files` are files of the user's own unsent message, which the message takes over.
    """

    account: int
    subject: str = ""
    html: str = ""
    text: str = ""
    conversation: int | None = None
    parent: ParentReference | None = None
    followers: tuple[int, ...] | None = None
    recipients: tuple[Recipient, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    idempotency_key: str = ""
    send_at: datetime | None = None
    undo: timedelta = timedelta(0)
    signature: bool = False
    quoted: Quoted | None = None
    draft_files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """The limeobjects of a message that is on its way; `repeated` if it was so before already."""

    conversation: int
    conversationmessage: int
    messagefollowers: tuple[int, ...]
    repeated: bool = False
