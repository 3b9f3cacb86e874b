"""The mails that the benchmarks import, as the engine announces them and as they arrive."""

from __future__ import annotations

import json
from email.message import EmailMessage

PLAIN = """Hello,

I would like to book a table for two persons on Friday at 19:00.
Is the terrace open?

Best regards
Anna Andersson
"""
HTML = (
    '<html><body style="font-family:Calibri"><p>Hello,</p><p>I would like to book a <b>table</b>'
    " for two persons on Friday at 19:00. Is the terrace open?</p><table><tr>"
    '<td style="color:#333">Best regards</td></tr></table><p>Anna Andersson<br>'
    '<a href="https://example.org/anna">example.org/anna</a></p></body></html>'
)
RECEIVED = (
    "from mx.example.com ([127.0.0.1]) by mail with LMTP id KH6gCWuTAmuiaAAAg+zDdQ"
    " (envelope-from <anna@example.org>) for <support@example.com>;"
    " Sun, 22 Nov 2026 07:02:03 +0000"
)


def webhook_body(number: int) -> str:
    """Give the JSON of the webhook that announces mail number so-and-so."""
    sender = {"name": "Anna Andersson", "address": f"anna{number}@example.org"}
    data = {
        "id": f"AAAAAQ{number:05d}",
        "uid": number + 1,
        "path": "INBOX",
        "date": "2026-11-22T11:00:00.000Z",
        "flags": [],
        "unseen": True,
        "size": 2400,
        "subject": f"Booking {number}",
        "from": sender,
        "replyTo": [sender],
        "sender": sender,
        "to": [{"name": "Support", "address": "support@example.com"}],
        "cc": [{"name": "Lisa", "address": "lisa@example.net"}],
        "messageId": f"<booking-{number}@example.org>",
        "headers": {
            "return-path": ["<anna@example.org>"],
            "received": [RECEIVED, RECEIVED],
            "from": [f"Anna Andersson <anna{number}@example.org>"],
            "to": ["Support <support@example.com>"],
            "subject": [f"Booking {number}"],
            "date": ["Sun, 22 Nov 2026 12:00:00 +0100"],
            "message-id": [f"<booking-{number}@example.org>"],
            "mime-version": ["1.0"],
            "content-type": ["multipart/alternative; boundary=x"],
        },
        "text": {
            "id": "AAAAAQAAAAyTkaUxLjE",
            "encodedSize": {"plain": len(PLAIN), "html": len(HTML)},
            "plain": PLAIN,
            "html": HTML,
            "hasMore": False,
        },
        "messageSpecialUse": "\\Inbox",
        "specialUse": "\\Inbox",
        "seemsLikeNew": True,
    }
    event = {
        "serviceUrl": "http://127.0.0.1:3000",
        "account": "support",
        "date": "2026-11-22T11:00:01.000Z",
        "path": "INBOX",
        "specialUse": "\\Inbox",
        "event": "messageNew",
        "data": data,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def raw_mail(number: int) -> bytes:
    """Give the same mail as it travels."""
    mail = EmailMessage()
    mail["From"] = f"Anna Andersson <anna{number}@example.org>"
    mail["To"] = "Support <support@example.com>"
    mail["Cc"] = "Lisa <lisa@example.net>"
    mail["Subject"] = f"Booking {number}"
    mail["Message-ID"] = f"<booking-{number}@example.org>"
    mail.set_content(PLAIN)
    mail.add_alternative(HTML, subtype="html")
    return mail.as_bytes()
