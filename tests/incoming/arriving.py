"""Mails as the engine announces them, made from a few words."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from itertools import count

from limepkg_email.engine.types import Message
from tests.installation import NOW

_uids = count(1)


def arriving(
    subject: str = "Booking",
    *,
    sender: str = "anna@example.org",
    name: str = "Anna Andersson",
    to: tuple[str, ...] = ("support@example.com",),
    cc: tuple[str, ...] = (),
    reply_to: tuple[str, ...] = (),
    message_id: str | None = None,
    in_reply_to: str = "",
    references: tuple[str, ...] = (),
    plain: str = "Hello, I would like to book a table.",
    html: str = "",
    date: datetime | None = NOW,
    headers: dict[str, str] | None = None,
    path: str = "INBOX",
    special_use: str = "\\Inbox",
    unseen: bool = True,
    thread_id: str = "",
    email_id: str = "",
    seems_like_new: bool = True,
    received: tuple[str, ...] | None = None,
) -> Message:
    """Make a mail; without other `received` stamps a server got it when it was written."""
    uid = next(_uids)
    given = {name: [value] for name, value in (headers or {}).items()}
    if received is None:
        received = (f"from a by b with LMTP id {uid}; {format_datetime(date or NOW)}",)
    given["received"] = list(received)
    given["from"] = [sender]
    if references:
        given["references"] = [" ".join(references)]
    value = {
        "id": f"AAAAAQ{uid:05d}",
        "uid": uid,
        "path": path,
        "date": date.isoformat().replace("+00:00", "Z") if date else None,
        "unseen": unseen,
        "size": 1000,
        "subject": subject,
        "from": {"name": name, "address": sender},
        "replyTo": [{"name": "", "address": each} for each in reply_to or (sender,)],
        "to": [{"name": "", "address": each} for each in to],
        "cc": [{"name": "", "address": each} for each in cc],
        "messageId": f"<mail-{uid}@example.org>" if message_id is None else message_id,
        "inReplyTo": in_reply_to,
        "headers": given,
        "text": {"id": "t", "plain": plain, "html": html, "hasMore": False},
        "threadId": thread_id,
        "emailId": email_id,
        "messageSpecialUse": special_use,
        "seemsLikeNew": seems_like_new,
    }
    return Message.parse(value)
