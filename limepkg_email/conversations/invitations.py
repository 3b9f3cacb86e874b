"""Who follows a conversation only through a mail of ours that has not left.

Such a mail is an invitation: until one has left, its recipient does not know of the conversation,
and nothing that others write there is for them. If all are cancelled they do not follow at all.
Somebody who wrote, or whom a person has switched on or off meanwhile, needs no invitation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from limepkg_email import thread_index
from limepkg_email.addresses import normalise
from limepkg_email.db import table
from limepkg_email.host import LimeObject, Objects
from limepkg_email.models import Outbox
from limepkg_email.query import And, Equals, In, Query

OUTBOX = table(Outbox)

_STANDING: Final = ("queued", "delayed", "failed")
_PENDING: Final = (*_STANDING, "cancelled")
_TAKING_PART: Final = ("received", "sent", "bounced")
"""States of mails that came from a follower, or have left for them."""
_TOGETHER: Final = 10_000  # databases take a bounded number of values in one statement


@dataclass(frozen=True, slots=True)
class Invitation:
    """A mail that is to bring its recipient into the conversation, and has not left."""

    messagefollower: int
    state: str
    send_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeletedMail:
    """An invitation that was deleted, with its message, before it left."""

    messagefollower: int
    message_id: str
    recipient: str


def invitations(
    objects: Objects, connection: Connection, followers: Collection[int | None]
) -> Mapping[int, tuple[Invitation, ...]]:
    """Give those of the followers who only have invitations as yet, with these.

    One statement where every mail has left, four at most. Read the followers before, so that what
    another transaction commits in between cannot show somebody without the invitation.
    """
    pending = _mails(objects, followers, _PENDING)
    found: dict[int, list[Invitation]] = {}
    for mail, row in _inviting(connection, pending):
        invitation = Invitation(mail.id, str(mail["state"]), row.send_at)
        found.setdefault(_follower(mail), []).append(invitation)
    if not found:
        return {}
    known = _taking_part(objects, connection, found)
    return {each: tuple(mails) for each, mails in found.items() if each not in known}


def waits_for_its_time(invitations: Iterable[Invitation], now: datetime) -> bool:
    """Tell whether what is not cancelled of them is all to leave later; none was tried yet."""
    standing = [each for each in invitations if each.state != "cancelled"]
    return bool(standing) and all(
        each.state == "queued" and each.send_at is not None and each.send_at > now
        for each in standing
    )


def is_withdrawn(invitations: Collection[Invitation]) -> bool:
    """Tell whether there were invitations, and all of them were cancelled."""
    return bool(invitations) and all(each.state == "cancelled" for each in invitations)


def withdraw(objects: Objects, connection: Connection, messagefollowers: Sequence[int]) -> None:
    """Let those follow no more to whom nothing leaves, now that these invitations are cancelled."""
    if not messagefollowers:
        return
    gone = _withdrawn(objects, connection, _followers_of(objects, messagefollowers))
    if gone:
        objects.update_where("follower", In("id", gone), {"active": False})


def rejoin(objects: Objects, connection: Connection, followers: Collection[int]) -> None:
    """Let those follow again whose invitations were withdrawn: they came by themselves."""
    back = _withdrawn(objects, connection, followers)
    if back:
        objects.update_where("follower", In("id", back), {"active": True})


def come_back(objects: Objects, messagefollowers: Sequence[int]) -> None:
    """Let the recipients of invitations follow again that leave, though they were cancelled."""
    if not messagefollowers:
        return
    ids = sorted(_followers_of(objects, messagefollowers))
    objects.update_where("follower", In("id", ids), {"active": True})


def disinvite(objects: Objects, connection: Connection, mails: Sequence[DeletedMail]) -> None:
    """Let the recipients of deleted invitations follow no more, unless other mails make them."""
    found = thread_index.find(connection, [each.message_id for each in mails])
    invited: dict[int, dict[str, int]] = {}
    for each in sorted(mails, key=lambda mail: mail.messagefollower, reverse=True):
        if each.message_id in found:
            people = invited.setdefault(found[each.message_id], {})
            people[normalise(each.recipient)] = each.messagefollower
    for conversation, since in sorted(invited.items()):
        _disinvite(objects, conversation, since)


def _disinvite(objects: Objects, conversation: int, since: Mapping[str, int]) -> None:
    there = And(
        (
            Equals("conversation", conversation),
            Equals("active", True),
            In("email", list(since), ignore_case=True),
        )
    )
    followers = objects.query(Query("follower", there, properties=("email",)))
    emails = {each.id: normalise(str(each["email"])) for each in followers}
    # Databases and we need not agree on what is upper and lower case in every script.
    first = {id: since[email] for id, email in emails.items() if email in since}
    mails = _mails(objects, first, (*_STANDING, *_TAKING_PART))
    kept = {
        _follower(each)
        for each in mails
        if each["state"] in _STANDING or each.id >= first[_follower(each)]
    }
    gone = sorted(first.keys() - kept)
    if gone:
        objects.update_where("follower", In("id", gone), {"active": False})


def settle(objects: Objects, connection: Connection, followers: Collection[int]) -> None:
    """Note that a person has decided about followers: no mail decides whether they follow.

    Comes before a change of the followers themselves, in the order in which others lock.
    """
    mails = objects.query(Query("messagefollower", In("follower", list(followers)), properties=()))
    settle_mails(connection, [each.id for each in mails])


def settle_mails(connection: Connection, messagefollowers: Sequence[int]) -> None:
    """Note the same about the mails of message followers."""
    for together in _portions(messagefollowers):
        these = OUTBOX.c.messagefollower.in_(together)
        connection.execute(update(OUTBOX).where(these, OUTBOX.c.invites).values(invites=False))


def _withdrawn(objects: Objects, connection: Connection, followers: Collection[int]) -> list[int]:
    found = invitations(objects, connection, followers)
    return sorted(each for each, mails in found.items() if is_withdrawn(mails))


def _followers_of(objects: Objects, messagefollowers: Sequence[int]) -> set[int]:
    where = In("id", messagefollowers)
    rows = objects.query(Query("messagefollower", where, properties=("follower",)))
    return {id for each in rows if isinstance(id := each["follower"], int)}


def _mails(
    objects: Objects, followers: Collection[int | None], states: Sequence[str]
) -> list[LimeObject]:
    ids = sorted({each for each in followers if each is not None})
    if not ids:
        return []
    where = And((In("follower", ids), In("state", states)))
    names = ("follower", "state", "messageid")
    return objects.query(Query("messagefollower", where, properties=names))


def _inviting(
    connection: Connection, mails: Sequence[LimeObject]
) -> Iterable[tuple[LimeObject, Any]]:
    """Give those of the mails that invite, each with its row of the outbox."""
    # By Message-ID too: a mail that was sent again left an older row behind.
    known = {(each.id, each["messageid"]): each for each in mails}
    columns = (OUTBOX.c.messagefollower, OUTBOX.c.message_id, OUTBOX.c.send_at)
    for together in _portions([each.id for each in mails]):
        these = OUTBOX.c.messagefollower.in_(together)
        for row in connection.execute(select(*columns).where(these, OUTBOX.c.invites)):
            mail = known.get((row.messagefollower, row.message_id))
            if mail is not None:
                yield mail, row


def _taking_part(
    objects: Objects, connection: Connection, found: Mapping[int, Sequence[Invitation]]
) -> set[int]:
    """Find those who wrote, or to whom a mail has left, since they were invited first.

    What was before does not count: they had left the conversation when they were asked in again.
    """
    mails = _mails(objects, found.keys(), _TAKING_PART)
    since = {each: min(mail.messagefollower for mail in found[each]) for each in found}
    for mail, _ in _inviting(connection, mails):
        since[_follower(mail)] = min(mail.id, since[_follower(mail)])
    return {_follower(each) for each in mails if each.id >= since[_follower(each)]}


def _follower(mail: LimeObject) -> int:
    return int(str(mail["follower"]))


def _portions(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for first in range(0, len(ids), _TOGETHER):
        yield ids[first : first + _TOGETHER]
