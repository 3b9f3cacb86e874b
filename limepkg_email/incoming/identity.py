"""The key of a mail that survives being moved, and the Message-ID by which it is known.

`Message.id`, folder and uid change at every move, so none of them takes part.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime

from limepkg_email import addresses
from limepkg_email.engine.types import Message
from limepkg_email.text import one_line

MAX_MESSAGE_ID = 998
"""Octets of the longest line that RFC 5322 (2.1.1) allows."""
MAX_EMAIL_ID = 190
_USABLE_ID = re.compile(r"[^<>\s]+")
_USABLE_EMAIL_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_EMAIL_ID}}}")


def content_key(message: Message) -> str:
    """Return a hash that is the same for a mail in a webhook, in a list, and in any folder.

    Over Message-ID, Date (to the second, in UTC), From address and Subject, because some senders
    use one Message-ID for different mails; the size takes part where there is no Message-ID.
    """
    parts = (
        _bare_id(message.message_id),
        _second(message.date),
        addresses.normalise(message.from_.address),
        one_line(message.subject),
        "" if message.message_id else str(message.size),
    )
    # JSON, so that no two different lists of parts have the same bytes.
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def mail_key(message: Message) -> str:
    """Return the key of the mail's receipt within its account.

    The server's own object id (RFC 8474, Gmail, Graph) where there is one, else the content key.
    """
    if _USABLE_EMAIL_ID.fullmatch(message.email_id):
        return f"e:{message.email_id}"
    return f"h:{content_key(message)}"


def effective_message_id(message: Message) -> str:
    """Return the Message-ID in angle brackets, or, where it cannot be used, a generated one.

    The generated one is always the same for the same mail. Its domain cannot exist (RFC 2606).
    """
    bare = _bare_id(message.message_id)
    octets = len(bare.encode("utf-8", "replace")) + 2
    if octets <= MAX_MESSAGE_ID and _USABLE_ID.fullmatch(bare) and bare.isprintable():
        return f"<{bare}>"
    return f"<{content_key(message)[:32]}@generated.invalid>"


def _bare_id(message_id: str) -> str:
    # White space inside comes from a folded header line; Message.references() drops it as well.
    return "".join(message_id.split()).removeprefix("<").removesuffix(">")


def _second(date: datetime | None) -> str:
    if date is None:
        return ""
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
