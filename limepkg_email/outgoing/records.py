"""The limeobjects of a message from the CRM: from its parent to its documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.config import Configuration, ConversationParent
from limepkg_email.conversations.invitations import settle
from limepkg_email.follower_parents import links
from limepkg_email.hooks import ParentReference
from limepkg_email.host import Objects
from limepkg_email.outgoing.content import MessageText
from limepkg_email.outgoing.draft import Draft, OutgoingFile
from limepkg_email.outgoing.mime import Mail
from limepkg_email.outgoing.problems import Problems
from limepkg_email.outgoing.recipients import Target
from limepkg_email.query import In
from limepkg_email.services import Services
from limepkg_email.text import cut, one_line

_TITLE_LENGTH = 255


def check_parent(services: Services, objects: Objects, draft: Draft, problems: Problems) -> None:
    """Check the object on which a new conversation is to hang; raises `NotFound`."""
    if draft.parent is None or draft.conversation is not None:
        return
    if _kind(services.config, draft.parent.limetype) is None:
        limetype = one_line(draft.parent.limetype, 64)
        problems.add("parent", f"A conversation cannot hang on a {limetype}.")
        return
    objects.get(draft.parent.limetype, draft.parent.id)


def touch_conversation(objects: Objects, draft: Draft, now: datetime) -> None:
    """Note on the draft's conversation that it is active now; raises `NotFound`.

    Comes before anything is read of the conversation: the change locks it, so that two messages at
    once cannot both add the same follower. A draft that is refused takes it back.
    """
    if draft.conversation is not None:
        objects.update("conversation", draft.conversation, {"lastmessagedate": now})


def conversation_for(
    services: Services,
    objects: Objects,
    draft: Draft,
    account: ConnectedAccount,
    subject: str,
    now: datetime,
) -> int:
    """Give the draft's conversation, or make a new one with its parent."""
    if draft.conversation is not None:
        return draft.conversation
    parent = draft.parent or _new_parent(services.config, objects, account, subject)
    kind = _kind(services.config, parent.limetype)
    return objects.add(
        "conversation",
        {
            "subject": subject,
            "lastmessagedate": now,
            "unread": False,
            "account": account.id,
            kind.property if kind else parent.limetype: parent.id,
        },
    )


def _kind(config: Configuration, limetype: str) -> ConversationParent | None:
    return next((each for each in config.conversation_parents if each.limetype == limetype), None)


def _new_parent(
    config: Configuration, objects: Objects, account: ConnectedAccount, subject: str
) -> ParentReference:
    kind = _kind(config, account.parent_limetype) or config.conversation_parents[0]
    created = objects.add(kind.limetype, {kind.title: cut(subject, _TITLE_LENGTH)})
    return ParentReference(kind.limetype, created)


def followers_for(
    services: Services,
    objects: Objects,
    connection: Connection,
    conversation: int,
    targets: Sequence[Target],
) -> list[int]:
    """Give the follower of each target: make new ones, and let those that had left come back."""
    returning = [each.follower for each in targets if each.follower and not each.active]
    if returning:
        # It is this message that they follow by, and none that invited them before they left.
        settle(objects, connection, returning)
        objects.update_where("follower", In("id", returning), {"active": True})
    new = [each for each in targets if each.follower is None]
    rows = [
        {
            "email": each.email,
            "name": each.name,
            "active": True,
            "conversation": conversation,
            **links(services.config, each.parent),
        }
        for each in new
    ]
    added = iter(objects.add_many("follower", rows) if rows else ())
    return [next(added) if each.follower is None else each.follower for each in targets]


def add_message(
    services: Services,
    objects: Objects,
    conversation: int,
    message: MessageText,
    account: ConnectedAccount,
    mails: Sequence[Mail],
    followers: Sequence[int],
    now: datetime,
) -> tuple[int, list[int]]:
    """Make the message and, for each of its mails, the message follower that shows its state."""
    user = services.application.user
    created = objects.add(
        "conversationmessage",
        {
            "subject": message.subject,
            "body": message.content.html,
            "visiblebody": message.content.html,
            "preview": message.content.preview,
            "date": now,
            "source": "lime",
            "unread": False,
            "machine": "no",
            "authorname": one_line(user.name, 256),
            "authoraddress": one_line(user.email or account.email, 320),
            "conversation": conversation,
        },
    )
    rows = [
        {
            "messageid": mail.message_id,
            "role": "to",
            "state": "queued",
            "statedate": now,
            "conversationmessage": created,
            "follower": follower,
        }
        for mail, follower in zip(mails, followers, strict=True)
    ]
    return created, objects.add_many("messagefollower", rows)


def add_documents(objects: Objects, message: int, files: Sequence[OutgoingFile]) -> None:
    """Show the files that went along as documents of the message."""
    if not files:
        return
    objects.add_many(
        "document",
        [
            {
                "comment": cut(each.filename, 256),
                "type": "email",
                "document": each.file_id,
                "conversationmessage": message,
            }
            for each in files
        ],
    )
