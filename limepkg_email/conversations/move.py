"""Messages go to another conversation, with the people who wrote and got them.

Answers to them follow, because their Message-IDs belong to the new conversation then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection

from limepkg_email.addresses import normalise
from limepkg_email.config import Configuration
from limepkg_email.conversations.invitations import settle_mails
from limepkg_email.conversations.locking import (
    Changed,
    lock,
    read_conversations,
    settled,
    summarise,
    transaction,
)
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, Equals, In, Not, Or, Order, Query
from limepkg_email.services import Services
from limepkg_email.thread_index import reassign


@dataclass(frozen=True, slots=True)
class Relocated:
    """Where messages were and where they are."""

    source: int
    conversation: int
    messages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The messages that are to go, as they were read, and the conversation they are in."""

    source: int
    messages: tuple[LimeObject, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the messages."""
        return tuple(each.id for each in self.messages)


@dataclass(slots=True)
class _Plan:
    """What becomes of the followers of the messages that go."""

    going: list[int] = field(default_factory=list)
    copied: list[LimeObject] = field(default_factory=list)
    replaced: dict[int, int] = field(default_factory=dict)
    left_over: list[int] = field(default_factory=list)


Destination = Callable[[Objects, Connection, Found], int]
"""Gives the conversation to which messages go; may make it."""


def move(services: Services, message: int, conversation: int) -> Relocated:
    """Move a message to another conversation; one that is there already stays.

    Followers who take part in nothing else of the old conversation go along, the others follow
    both. Raises `NotFound` for what the user may not see, `Forbidden` for what they may not change.
    """
    return relocate(services, [message], lambda *_: conversation)


def relocate(services: Services, messages: Sequence[int], destination: Destination) -> Relocated:
    """Bring messages of one conversation into another one, in one transaction.

    Raises `InvalidInput` for messages of several conversations and `Conflict` when others do not
    stop changing them.
    """
    return settled(lambda: _relocate(services, messages, destination))


def _relocate(services: Services, messages: Sequence[int], destination: Destination) -> Relocated:
    with transaction(services) as (objects, connection):
        found = _find(objects, messages)
        target = destination(objects, connection, found)
        if target == found.source:
            return Relocated(found.source, target, found.ids)
        conversations = read_conversations(objects, [found.source, target])
        reassigned = _message_ids(_message_followers(objects, found))
        reassign(connection, reassigned, target)
        lock(objects, conversations)
        if _find(objects, messages).source != found.source:
            raise Changed
        rows = _message_followers(objects, found)
        if not _message_ids(rows) <= reassigned:
            raise Changed
        of_these = In("id", found.ids)
        objects.update_where("conversationmessage", of_these, {"conversation": target})
        _bring_followers(services.config, objects, connection, found, rows, target)
        summarise(objects, found.source)
        summarise(objects, target)
        return Relocated(found.source, target, found.ids)


def _find(objects: Objects, messages: Sequence[int]) -> Found:
    wanted = sorted(set(messages))
    properties = ("subject", "date", "conversation")
    rows = objects.query(
        Query("conversationmessage", In("id", wanted), (Order("id"),), properties=properties)
    )
    missing = set(wanted) - {each.id for each in rows}
    if missing or not rows:
        raise NotFound(f"There is no message {min(missing, default=0)}.")
    sources = {cast("int", each["conversation"] or 0) for each in rows}
    if len(sources) > 1:
        sentence = "The messages are not all in one conversation."
        raise InvalidInput(sentence, errors={"messages": [sentence]})
    return Found(sources.pop(), tuple(rows))


def _message_followers(objects: Objects, found: Found) -> list[LimeObject]:
    where = In("conversationmessage", found.ids)
    properties = ("messageid", "follower")
    return objects.query(Query("messagefollower", where, (Order("id"),), properties=properties))


def _message_ids(rows: Sequence[LimeObject]) -> set[str]:
    return {str(each["messageid"]) for each in rows if each["messageid"]}


def _bring_followers(
    config: Configuration,
    objects: Objects,
    connection: Connection,
    found: Found,
    rows: Sequence[LimeObject],
    target: int,
) -> None:
    """Let the message followers point at followers of the conversation in which they are now."""
    used = sorted({cast("int", each["follower"]) for each in rows if each["follower"]})
    if not used:
        return
    relations = tuple(each.property for each in config.follower_parents)
    either = Or((In("id", used), Equals("conversation", target)))
    properties = ("email", "name", "active", "conversation", *relations)
    known = {
        each.id: each
        for each in objects.query(Query("follower", either, (Order("id"),), properties=properties))
    }
    plan = _plan(known, used, _staying(objects, used, found), target)
    # Who follows there already does so whatever becomes of these mails.
    settle_mails(connection, [each.id for each in rows if each["follower"] in plan.replaced])
    if plan.going:
        objects.update_where("follower", In("id", plan.going), {"conversation": target})
    _copy(objects, plan, relations, target)
    _replace(objects, plan, found)


def _staying(objects: Objects, used: Sequence[int], found: Found) -> set[object]:
    """Find those who wrote or got other messages of the old conversation as well."""
    others = And((In("follower", used), Not(In("conversationmessage", found.ids))))
    rows = objects.query(Query("messagefollower", others, properties=("follower",)))
    return {each["follower"] for each in rows}


def _plan(
    known: Mapping[int, LimeObject], used: Sequence[int], staying: set[object], target: int
) -> _Plan:
    there = {_address(each): id for id, each in known.items() if each["conversation"] == target}
    plan = _Plan()
    for id in used:
        # One that the user may not see, or that is there already, is left as it is.
        follower = known.get(id)
        if follower is None or follower["conversation"] == target:
            continue
        same = there.get(_address(follower))
        if same is not None:
            plan.replaced[id] = same
        if id in staying:
            if same is None:
                plan.copied.append(follower)
        elif same is None:
            plan.going.append(id)
            there[_address(follower)] = id
        else:
            plan.left_over.append(id)
    return plan


def _address(follower: LimeObject) -> str:
    return normalise(str(follower["email"] or "")) or f"#{follower.id}"


def _copy(objects: Objects, plan: _Plan, relations: Sequence[str], target: int) -> None:
    if not plan.copied:
        return
    names = ("email", "name", "active", *relations)
    rows = [
        {"conversation": target, **{name: each[name] for name in names}} for each in plan.copied
    ]
    added = objects.add_many("follower", rows)
    plan.replaced.update(zip((each.id for each in plan.copied), added, strict=True))


def _replace(objects: Objects, plan: _Plan, found: Found) -> None:
    moved = In("conversationmessage", found.ids)
    for old, new in sorted(plan.replaced.items()):
        where = And((Equals("follower", old), moved))
        objects.update_where("messagefollower", where, {"follower": new})
    for each in plan.left_over:
        objects.delete("follower", each)
