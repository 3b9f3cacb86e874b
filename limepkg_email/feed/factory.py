"""How a message looks in a feed: the factory that other packages may replace or wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Protocol

from limepkg_email.feed.item import (
    Action,
    Author,
    FeedItem,
    ItemRecipient,
    Relation,
    Separator,
    Style,
    Thumbnail,
)
from limepkg_email.feed.message import MessageView, Party
from limepkg_email.hooks import ParentReference, hookimpl
from limepkg_email.host import Application

UNDELIVERED = frozenset({"failed", "bounced"})
"""States of a recipient whom the message did not reach."""

_PLAIN_STATES = frozenset({"received", "sent", ""})
_STYLES: dict[str, Style] = {"email": "emphasized", "lime": "standard"}
_ICONS = {"email": "email", "lime": "reply"}
_AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class FeedContext:
    """Whose feed it is, and below which address the package's endpoints are."""

    limetype: str
    id: int
    base_url: str

    @property
    def foreign(self) -> bool:
        """Tell whether the conversations themselves happen elsewhere."""
        return self.limetype != "conversation"


class FeedItemFactory(Protocol):
    """Turns messages into feed items."""

    def items(
        self, application: Application, messages: Sequence[MessageView], context: FeedContext
    ) -> list[FeedItem]:
        """Give one item for each message, in their order, without a query per message."""


class DefaultFeedItemFactory:
    """The looks that a feed has unless an extension says otherwise."""

    def items(
        self, application: Application, messages: Sequence[MessageView], context: FeedContext
    ) -> list[FeedItem]:
        """Give one item for each message, in their order."""
        return [self.item(application, each, context) for each in messages]

    def item(
        self, application: Application, message: MessageView, context: FeedContext
    ) -> FeedItem:
        """Give the item of one message."""
        reasons = faults(message)
        told = [*reasons, *announcements(message)]
        return FeedItem(
            id=message.id,
            timestamp=message.date,
            author=author(application, message),
            heading=heading(message),
            value=message.preview,
            ui=style(message, context),
            icon=_icon(message),
            relations=_relations(application, message, context),
            promoted_actions=_promoted(message),
            unpromoted_actions=_unpromoted(message),
            helper_text="\n".join(told),
            has_error=bool(reasons),
            thumbnails=_thumbnails(application, message),
            unread=message.unread,
            body_url=f"{context.base_url}/message/{message.id}/body",
            conversation=message.conversation.id,
            machine=message.machine,
            recipients=tuple(_recipient(each) for each in message.recipients),
        )


class DefaultFeed:
    """The plugin that gives the default factory; every other one comes before it."""

    @hookimpl(trylast=True)
    def feed_item_factory(self) -> FeedItemFactory:
        """Give the default factory."""
        return DefaultFeedItemFactory()


def style(message: MessageView, context: FeedContext) -> Style:
    """Choose how loudly the message speaks."""
    if faults(message):
        return "error-message"
    if context.foreign:
        return "thread-message"
    if message.machine != "no":
        return "minimal"
    return _STYLES.get(message.source, "minimal")


def _icon(message: MessageView) -> str:
    # A newsletter or a web form is something to read; an answering machine says nothing new.
    if message.machine in ("autoreply", "bounce"):
        return _AUTOMATIC
    return _ICONS.get(message.source, _AUTOMATIC)


def faults(message: MessageView) -> list[str]:
    """Give a sentence for each thing that went wrong, without saying one twice."""
    undelivered = [each for each in message.parties if each.state in UNDELIVERED]
    found = [
        f"{_name(each)}: {each.reason or f'The message {each.state}.'}" for each in undelivered
    ]
    for each in message.faults:
        sentence = f"{each.recipient}: {each.text}" if each.recipient else each.text
        if not any(each.text in known for known in found):
            found.append(sentence)
    return found


def announcements(message: MessageView) -> list[str]:
    """Say when the mails leave that wait for their time."""
    if message.send_at is None:
        return []
    return [f"To be sent {message.send_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."]


def heading(message: MessageView) -> str:
    """Say who wrote to whom, through which account, and how it went where that is not plain."""
    account = message.conversation.account
    name = message.author_name or message.author_address or "Somebody"
    people = ", ".join(_with_state(each) for each in message.addressed)
    if message.source == "email":
        ours = account.name or account.email if account else ""
        return f"{name} wrote to {', '.join(each for each in (ours, people) if each) or 'us'}"
    verb = "wrote" if message.source == "lime" else "answered automatically"
    return f"{name} {verb}" + (f" to {people}" if people else "") + _through(message)


def author(application: Application, message: MessageView) -> Author:
    """Give who wrote, with a link to the object that the CRM has for them."""
    sender = message.sender
    behind = sender.object if sender else None
    return Author(
        id=_id(behind) if behind else message.author_address,
        name=message.author_name or message.author_address,
        href=application.object_url(behind.limetype, behind.id) if behind else "",
    )


def _through(message: MessageView) -> str:
    account = message.conversation.account
    return f" from {account.email}" if account else ""


def _with_state(party: Party) -> str:
    known = party.state in _PLAIN_STATES
    return _name(party) if known else f"{_name(party)} ({party.state})"


def _name(party: Party) -> str:
    return party.name or party.email


def _id(reference: ParentReference) -> str:
    return f"{reference.limetype}/{reference.id}"


def _relations(
    application: Application, message: MessageView, context: FeedContext
) -> tuple[Relation, ...]:
    if not context.foreign:
        return ()
    behind = ParentReference("conversation", message.conversation.id)
    return (
        Relation(
            id=_id(behind),
            text=message.conversation.subject or "(no subject)",
            icon="conversation",
            href=application.object_url(behind.limetype, behind.id),
        ),
    )


def _promoted(message: MessageView) -> tuple[Action, ...]:
    found = [Action("reply", "Reply", "reply")]
    if any(each.state in UNDELIVERED for each in message.parties):
        found.insert(0, Action("resend", "Send again", "resend"))
    if message.send_at is not None:
        found = [
            Action("cancel", "Cancel sending", "cancel"),
            Action("edit", "Take back and edit", "edit"),
            *found,
        ]
    return tuple(found)


def _unpromoted(message: MessageView) -> tuple[Action | Separator, ...]:
    mark = (
        Action("mark-read", "Mark as read", "read")
        if message.unread
        else Action("mark-unread", "Mark as unread", "unread")
    )
    return (
        Action("forward", "Forward", "forward"),
        mark,
        Separator(),
        Action("move", "Move to another conversation", "move"),
        Action("trace", "Show why it is here", "trace"),
    )


def _thumbnails(application: Application, message: MessageView) -> tuple[Thumbnail, ...]:
    return tuple(
        Thumbnail(each.filename, href=application.object_url("document", each.id))
        for each in message.documents
    )


def _recipient(party: Party) -> ItemRecipient:
    return ItemRecipient(party.name, party.email, party.role, party.state, party.reason, party.id)
