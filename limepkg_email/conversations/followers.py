"""Who follows a conversation: switched on and off, and added by address."""

from __future__ import annotations

from typing import cast

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.addresses import display_name, is_valid, normalise
from limepkg_email.conversations.invitations import settle
from limepkg_email.conversations.locking import (
    lock,
    read_conversations,
    settled,
    transaction,
)
from limepkg_email.errors import InvalidInput
from limepkg_email.follower_parents import find_parents, links
from limepkg_email.query import And, Equals, In, Order, Query
from limepkg_email.services import Services


def set_active(services: Services, follower: int, *, active: bool) -> None:
    """Let a follower get the messages of the conversation from now on, or not any more.

    Mails that are cancelled later, or leave, change nothing about it. Raises `NotFound` for one the
    user may not see, `Forbidden` for one they may not change.
    """
    with transaction(services) as (objects, connection):
        found = objects.get("follower", follower)
        objects.get("conversation", cast("int", found["conversation"] or 0))
        settle(objects, connection, [follower])
        objects.update("follower", follower, {"active": active})


def add_follower(services: Services, conversation: int, email: str, name: str = "") -> int:
    """Let somebody follow the conversation, and give their follower.

    An address that follows already stays one follower and is active again. Raises `InvalidInput`
    for what is no address, or is one of our own accounts: a mail to it would come back in.
    """
    address = normalise(email)
    if not is_valid(address):
        raise _refused(f"{address[:80] or '(empty)'} is not an e-mail address.")
    return settled(lambda: _add(services, conversation, address, display_name(name)))


def _add(services: Services, conversation: int, address: str, name: str) -> int:
    with transaction(services) as (objects, connection):
        if address in read_accounts(connection).own_addresses:
            raise _refused(f"{address} is the address of an account of ours.")
        lock(objects, read_conversations(objects, [conversation]))
        same = And(
            (Equals("conversation", conversation), In("email", (address,), ignore_case=True))
        )
        known = objects.query(Query("follower", same, (Order("id"),), properties=("active",)))
        if known:
            settle(objects, connection, [known[0].id])
            if not known[0]["active"]:
                objects.update("follower", known[0].id, {"active": True})
            return known[0].id
        parent = find_parents(services, objects, [address]).get(address)
        return objects.add(
            "follower",
            {
                "email": address,
                "name": name,
                "active": True,
                "conversation": conversation,
                **links(services.config, parent),
            },
        )


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors={"email": [sentence]})
