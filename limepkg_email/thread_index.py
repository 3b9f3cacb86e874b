"""The thread index: which conversation a Message-ID or a mail server's thread id belongs to.

Shared by incoming and outgoing mail, because an answer refers to what we sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from limepkg_email.db import insert_new, table
from limepkg_email.models import ThreadEntry

THREAD = table(ThreadEntry)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one sign: the conversation, and whether the Message-ID is one we made."""

    conversation: int | None
    outgoing: bool


def message_id_digest(message_id: str) -> str:
    """Give the digest of a Message-ID, with or without its angle brackets."""
    return _digest("m", message_id.strip().strip("<>"))


def provider_thread_digest(account: str, thread_id: str) -> str:
    """Give the digest of a mail server's thread id, which means nothing outside its account."""
    return _digest("t", account, thread_id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


_READ = (
    select(THREAD.c.digest, THREAD.c.conversation, THREAD.c.outgoing)
    .where(THREAD.c.digest.in_(bindparam("digests", expanding=True)))
    .order_by(THREAD.c.digest)
    .with_for_update()
)
_FIND = select(THREAD.c.digest, THREAD.c.conversation).where(
    THREAD.c.digest.in_(bindparam("digests", expanding=True)), THREAD.c.conversation.is_not(None)
)
_ASSIGN = (
    update(THREAD)
    .where(
        THREAD.c.digest.in_(bindparam("digests", expanding=True)), THREAD.c.conversation.is_(None)
    )
    .values(conversation=bindparam("into"))
)
_RELEASE = (
    update(THREAD)
    .where(
        THREAD.c.digest.in_(bindparam("digests", expanding=True)),
        THREAD.c.conversation == bindparam("gone"),
    )
    .values(conversation=None)
)


def enter(connection: Connection, digests: Iterable[str]) -> Mapping[str, Entry]:
    """Insert the signs that are new, lock them all, and give what is known of each.

    Always in sorted order, so that two imports of one thread wait for each other and never
    deadlock. On SQLite the transaction holds the database's write lock anyway.
    """
    ordered = sorted(set(digests))
    insert_new(
        connection,
        THREAD,
        [{"digest": each, "conversation": None, "outgoing": False} for each in ordered],
    )
    rows = connection.execute(_READ, {"digests": ordered})
    return {row.digest: Entry(row.conversation, row.outgoing) for row in rows}


def find(connection: Connection, message_ids: Iterable[str]) -> Mapping[str, int]:
    """Give the conversation of each Message-ID that belongs to one, without locking any."""
    digests = {message_id_digest(each): each for each in message_ids}
    rows = connection.execute(_FIND, {"digests": sorted(digests)}) if digests else ()
    return {digests[row.digest]: row.conversation for row in rows}


def assign(connection: Connection, digests: Iterable[str], conversation: int) -> None:
    """Let the signs that belong to no conversation yet belong to this one."""
    connection.execute(_ASSIGN, {"digests": sorted(digests), "into": conversation})


def release(connection: Connection, digests: Iterable[str], conversation: int) -> None:
    """Let the signs belong to no conversation any more, since this one was deleted."""
    connection.execute(_RELEASE, {"digests": sorted(digests), "gone": conversation})


def enter_outgoing(connection: Connection, message_ids: Iterable[str], conversation: int) -> None:
    """Note the Message-IDs of mails that we are about to send."""
    insert_new(
        connection,
        THREAD,
        [
            {"digest": each, "conversation": conversation, "outgoing": True}
            for each in sorted(message_id_digest(each) for each in message_ids)
        ],
    )


_RELOCATE = (
    update(THREAD)
    .where(THREAD.c.digest.in_(bindparam("digests", expanding=True)))
    .values(conversation=bindparam("into"))
)
_LOCK_OF = (
    select(THREAD.c.digest)
    .where(THREAD.c.conversation == bindparam("of"))
    .order_by(THREAD.c.digest)
    .with_for_update()
)
_RELOCATE_OF = (
    update(THREAD)
    .where(THREAD.c.conversation == bindparam("of"))
    .values(conversation=bindparam("into"))
)
_ANY_OF = select(THREAD.c.digest).where(THREAD.c.conversation == bindparam("of")).limit(1)


def reassign(connection: Connection, message_ids: Iterable[str], conversation: int) -> None:
    """Let Message-IDs belong to this conversation, whichever they belonged to before.

    Locks their signs in sorted order, so it comes before any conversation is locked.
    """
    digests = sorted({message_id_digest(each) for each in message_ids if each})
    if digests:
        enter(connection, digests)
        connection.execute(_RELOCATE, {"digests": digests, "into": conversation})


def reassign_all(connection: Connection, gone: int, conversation: int) -> None:
    """Let every sign of one conversation belong to another; locks them in sorted order first."""
    connection.execute(_LOCK_OF, {"of": gone}).all()
    connection.execute(_RELOCATE_OF, {"of": gone, "into": conversation})


def has_signs(connection: Connection, conversation: int) -> bool:
    """Tell whether any sign belongs to the conversation, without locking it."""
    return connection.scalar(_ANY_OF, {"of": conversation}) is not None
