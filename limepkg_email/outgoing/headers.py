"""The header fields of an outgoing mail that we decide: ids, names, the marker."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.addresses import display_name
from limepkg_email.engine.types import Message
from limepkg_email.host import User

MARKER = "X-Limepkg-Email"
"""The header that says which installation sent a mail, and as which entry of its outbox."""

_LONGEST_DOMAIN = 200
_NO_DOMAIN = "limepkg-email.invalid"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


def first_guid(user: int, key: str) -> str:
    """Give the guid of the first mail of a message, always the same for the same user and key.

    So a message that is handed in twice meets itself in the outbox, whose key the guid is.
    """
    return str(uuid5(NAMESPACE_URL, f"limepkg-email:{user}:{key}") if key else uuid4())


def next_guid(first: str, number: int) -> str:
    """Give the guid of a further mail of the message; number 0 is the first mail itself."""
    return first if number == 0 else str(uuid5(UUID(first), str(number)))


def message_id(guid: str, address: str) -> str:
    """Give the Message-ID of a mail in angle brackets (RFC 5322, section 3.6.4)."""
    domain = address.rpartition("@")[2]
    if not domain.isascii() or not 0 < len(domain) <= _LONGEST_DOMAIN:
        domain = _NO_DOMAIN
    return f"<{guid}@{domain}>"


def marker(installation: str, guid: str) -> str:
    """Give the value of the marker: the installation's id, a dot, the guid in its outbox."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', installation)}.{guid}"


def is_marked(message: Message, installation: str) -> bool:
    """Tell whether the installation sent the mail, even if a server has replaced its Message-ID."""
    wanted = marker(installation, "")
    return any(each.strip().startswith(wanted) for each in message.headers.get(MARKER.lower(), ()))


def sender_name(user: User, account: ConnectedAccount) -> str:
    """Give the name that recipients see: who wrote, via which account."""
    person, mailbox = display_name(user.name), display_name(account.name)
    if person and mailbox and person != mailbox:
        return display_name(f"{person} via {mailbox}")
    return person or mailbox


def breaks_header(value: str) -> bool:
    """Tell whether the value has a control character, with which a header could be forged."""
    return _CONTROL.search(value) is not None
