"""What a feed shows of one message, as data that any front end can draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Style = Literal["minimal", "standard", "emphasized", "thread-message", "error-message"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote; `href` and `picture` are empty where there is none."""

    id: str
    name: str
    href: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """Another object that the item has to do with."""

    id: str
    text: str
    icon: str = ""
    image: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done with the message; `id` is what a front end acts on."""

    id: str
    text: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Separator:
    """A line between actions."""

    separator: bool = True


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A file that belongs to the message."""

    filename: str
    image: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class ItemRecipient:
    """To whom the message went, as what, and what became of that.

    `id` is the message follower, by which the mail is sent again; 0 if the factory gives none. The
    `state` is the message follower's, or `scheduled` while the mail waits for its time.
    """

    name: str
    email: str
    role: str
    state: str
    reason: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """One message in a feed.

    The first part are the fields of the platform's feed; the second part is what a mail has beside
    them. All texts are plain text, written by strangers: escape them. The mail itself, with its
    formatting, is at `body_url`.
    """

    id: int
    timestamp: datetime
    author: Author
    heading: str
    value: str
    ui: Style
    icon: str = ""
    color: str = ""
    relations: tuple[Relation, ...] = ()
    promoted_actions: tuple[Action | Separator, ...] = ()
    unpromoted_actions: tuple[Action | Separator, ...] = ()
    helper_text: str = ""
    has_error: bool = False
    thumbnails: tuple[Thumbnail, ...] = ()
    has_default_table_styles: bool = True

    unread: bool = False
    body_url: str = ""
    conversation: int = 0
    machine: str = "no"
    recipients: tuple[ItemRecipient, ...] = ()
