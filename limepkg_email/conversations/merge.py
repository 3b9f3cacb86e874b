"""Two conversations about the same thing become one."""

from __future__ import annotations

from sqlalchemy import Connection

from limepkg_email import drafts
from limepkg_email.addresses import normalise
from limepkg_email.conversations.invitations import settle
from limepkg_email.conversations.locking import (
    Changed,
    lock,
    read_conversations,
    settled,
    summarise,
    transaction,
)
from limepkg_email.conversations.receipts import receipts_follow
from limepkg_email.errors import InvalidInput
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import Equals, In, Order, Query
from limepkg_email.services import Services
from limepkg_email.thread_index import has_signs, reassign_all


def merge(services: Services, gone: int, into: int) -> None:
    """Bring everything of one conversation into another and delete the first.

    Messages, followers (one per address; whether somebody who follows both is active, the second
    decides), unsent drafts, the signs by which later mail finds its thread, and what receipts say.
    What the first hung on stays, without it. Raises `NotFound`, `Forbidden`, `InvalidInput` for a
    conversation and itself, and `Conflict` if other objects of the host still point at the first.
    """
    if gone == into:
        sentence = "A conversation cannot be merged into itself."
        raise InvalidInput(sentence, errors={"conversation": [sentence]})
    settled(lambda: _merge(services, gone, into))


def _merge(services: Services, gone: int, into: int) -> None:
    with transaction(services) as (objects, connection):
        conversations = read_conversations(objects, [gone, into])
        reassign_all(connection, gone, into)
        lock(objects, conversations)
        if has_signs(connection, gone):
            # A mail joined, or left, before the lock; waiting for its signs now could be for ever.
            raise Changed
        both = In("conversation", (gone, into))
        messages = objects.query(Query("conversationmessage", both, properties=()))
        here = Equals("conversation", gone)
        objects.update_where("conversationmessage", here, {"conversation": into})
        _merge_followers(objects, connection, gone, into)
        drafts.follow_merge(connection, gone, into, services.clock())
        receipts_follow(connection, [each.id for each in messages], gone, into)
        summarise(objects, into)
        objects.delete("conversation", gone)


def _merge_followers(objects: Objects, connection: Connection, gone: int, into: int) -> None:
    both = In("conversation", (gone, into))
    properties = ("email", "conversation")
    rows = objects.query(Query("follower", both, (Order("id"),), properties=properties))
    kept = {_address(each): each.id for each in rows if each["conversation"] == into}
    going: list[int] = []
    twice: list[tuple[int, int]] = []
    for each in rows:
        if each["conversation"] == into:
            continue
        same = kept.setdefault(_address(each), each.id)
        if same == each.id:
            going.append(each.id)
        else:
            twice.append((each.id, same))
    if going:
        objects.update_where("follower", In("id", going), {"conversation": into})
    if twice:
        # They follow already: that does not depend on mails of the other conversation.
        settle(objects, connection, [old for old, _ in twice])
    for old, same in twice:
        objects.update_where("messagefollower", Equals("follower", old), {"follower": same})
        objects.delete("follower", old)


def _address(follower: LimeObject) -> str:
    return normalise(str(follower["email"] or "")) or f"#{follower.id}"
