"""Who takes part in a mail, and which followers and CRM objects they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from limepkg_email import addresses
from limepkg_email.config import Configuration, FollowerParent
from limepkg_email.conversations.invitations import rejoin
from limepkg_email.engine.types import Address, Message
from limepkg_email.follower_parents import find_parents, links
from limepkg_email.hooks import ParentReference
from limepkg_email.host import Objects
from limepkg_email.incoming.trace import Trace
from limepkg_email.query import And, Equals, In, Query
from limepkg_email.services import Services
from limepkg_email.text import cut

_LONGEST_NAME = 64
"""Characters of each part of a new person's name: a long one must not keep the mail out."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One address of a mail in its first role; `email` is normalised.

    `active` is false for a sender who asks for answers to another address (RFC 5322, 3.6.2): they
    follow the conversation, but the answer goes where they want it.
    """

    email: str
    name: str
    role: str
    active: bool = True


def participants(
    message: Message, own: frozenset[str], limit: int, trace: Trace
) -> tuple[Participant, ...]:
    """List the addresses of From, Reply-To, To and Cc, each once, without our own accounts'."""
    elsewhere = _answers_elsewhere(message, own)
    found: dict[str, Participant] = {}
    left_out: list[str] = []
    for role, people in _by_role(message):
        for each in people:
            email = addresses.normalise(each.address)
            if not addresses.is_valid(email):
                if each.address:
                    trace.note(
                        "followers",
                        f"not an address: {each.address!r}",
                        "no_address",
                        address=each.address,
                    )
                continue
            if email in own or email in found:
                continue
            if len(found) >= limit:
                left_out.append(email)
                continue
            active = role != "from" or not elsewhere
            found[email] = Participant(email, addresses.display_name(each.name), role, active)
    if left_out:
        trace.note(
            "followers",
            f"{len(left_out)} above the limit: {', '.join(left_out[:40])}",
            "followers_left_out",
            count=len(left_out),
            addresses=left_out,
        )
    return tuple(found.values())


def _by_role(message: Message) -> Iterable[tuple[str, Sequence[Address]]]:
    return (
        ("from", (message.from_,)),
        ("replyto", message.reply_to),
        ("to", message.to),
        ("cc", message.cc),
    )


def _answers_elsewhere(message: Message, own: frozenset[str]) -> bool:
    sender = addresses.normalise(message.from_.address)
    asked = {addresses.normalise(each.address) for each in message.reply_to}
    usable = {each for each in asked if addresses.is_valid(each) and each not in own}
    return bool(usable) and sender not in usable


def followers_of(
    objects: Objects, connection: Connection, conversation: int, people: Sequence[Participant]
) -> dict[str, int]:
    """Give the ids of those people who follow the conversation already, by address.

    Whom only a cancelled mail of ours had made a follower follows anew, as a stranger would.
    """
    where = And(
        (Equals("conversation", conversation), In("email", [each.email for each in people]))
    )
    found = objects.query(Query("follower", where, properties=("email", "active")))
    usual = {each.email for each in people if each.active}
    rejoin(
        objects,
        connection,
        [each.id for each in found if not each["active"] and each["email"] in usual],
    )
    return {str(each["email"]): each.id for each in found}


def add_followers(
    services: Services,
    objects: Objects,
    conversation: int,
    people: Sequence[Participant],
    trace: Trace,
    *,
    create_persons: bool,
) -> dict[str, int]:
    """Make followers of people who are none yet, linked to the CRM objects that they are."""
    if not people:
        return {}
    parents = find_parents(services, objects, [each.email for each in people])
    matched = dict(parents)
    if create_persons:
        _create_persons(services.config, objects, people, parents)
    for each in people:
        _note_match(trace, each.email, matched.get(each.email), parents.get(each.email))
    rows = [
        {
            "email": each.email,
            "name": each.name,
            "active": each.active,
            "conversation": conversation,
            **links(services.config, parents.get(each.email)),
        }
        for each in people
    ]
    ids = objects.add_many("follower", rows)
    return {each.email: id for each, id in zip(people, ids, strict=True)}


def _note_match(
    trace: Trace, email: str, matched: ParentReference | None, linked: ParentReference | None
) -> None:
    if linked is None:
        trace.note("match", f"{email} is nobody the CRM knows", "unmatched", address=email)
        return
    code, verb = ("matched", "is") if matched is not None else ("person_created", "was made")
    what = f"{linked.limetype} {linked.id}"
    facts = {"address": email, "limetype": linked.limetype, "object": linked.id}
    trace.note("match", f"{email} {verb} {what}", code, **facts)


def _create_persons(
    config: Configuration,
    objects: Objects,
    people: Sequence[Participant],
    parents: dict[str, ParentReference],
) -> None:
    if not config.follower_parents:
        return
    kind = config.follower_parents[-1]
    unknown = [each for each in people if each.email not in parents]
    if not unknown:
        return
    ids = objects.add_many(kind.limetype, [_person(kind, each) for each in unknown])
    for each, id in zip(unknown, ids, strict=True):
        parents[each.email] = ParentReference(kind.limetype, id)


def _person(kind: FollowerParent, participant: Participant) -> dict[str, object]:
    name = participant.name or participant.email.partition("@")[0]
    parts = [cut(each, _LONGEST_NAME) for each in name.split(None, len(kind.names) - 1)]
    values = dict.fromkeys(kind.names, "")
    values.update(zip(kind.names, parts, strict=False))
    return {kind.address: participant.email, **values}
