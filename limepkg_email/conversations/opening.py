"""What somebody who begins to write has to know of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.conversations.invitations import invitations, waits_for_its_time
from limepkg_email.conversations.locking import transaction
from limepkg_email.drafts import newest
from limepkg_email.host import Objects
from limepkg_email.query import Equals, Order, Query
from limepkg_email.services import Services

MOST_FOLLOWERS = 1000


@dataclass(frozen=True, slots=True)
class OpenFollower:
    """A follower; who is not `active` gets no messages until they are asked in (again)."""

    id: int
    name: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A conversation as it is when somebody begins to write in it.

    `account` is the one that it came in on, `None` if that is gone; `newest_message` is 0 for a
    conversation without messages, and `own_addresses` are those to which nothing can be sent.
    """

    conversation: int
    subject: str = ""
    account: int | None = None
    newest_message: int = 0
    followers: tuple[OpenFollower, ...] = ()
    own_addresses: tuple[str, ...] = ()


def opening(services: Services, conversation: int) -> Opening:
    """Give what there is to know; 0 stands for a new conversation. Raises `NotFound`."""
    with transaction(services) as (objects, connection):
        own = tuple(sorted(read_accounts(connection).own_addresses))
        if not conversation:
            return Opening(0, own_addresses=own)
        found = objects.get("conversation", conversation)
        query = Query(
            "follower",
            Equals("conversation", conversation),
            (Order("id"),),
            MOST_FOLLOWERS,
            properties=("name", "email", "active"),
        )
        rows = objects.query(query)
        later = _later(objects, connection, [each.id for each in rows], services.clock())
        followers = tuple(
            OpenFollower(
                row.id,
                str(row["name"] or ""),
                str(row["email"] or ""),
                bool(row["active"]) and row.id not in later,
            )
            for row in rows
        )
        account = found["account"]
        return Opening(
            conversation,
            str(found["subject"] or ""),
            account if isinstance(account, int) else None,
            newest(objects, conversation),
            followers,
            own,
        )


def _later(
    objects: Objects, connection: Connection, followers: Sequence[int], now: datetime
) -> set[int]:
    """Find those whose first mail waits for its time: until then they get nothing unasked."""
    found = invitations(objects, connection, followers)
    return {each for each, mails in found.items() if waits_for_its_time(mails, now)}
