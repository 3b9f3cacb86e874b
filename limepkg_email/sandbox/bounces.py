"""Delivery reports: reading the ones that arrive and writing the ones the sandbox sends."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime

from limepkg_email.sandbox.headers import clean, split_fields, unfold
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mime import Part, split_mail

_CATEGORIES = {
    "5.1.1": ("user_unknown", "remove"),
    "5.1.2": ("host_unknown", "remove"),
    "5.2.1": ("mailbox_disabled", "remove"),
    "5.2.2": ("mailbox_full", "retry_later"),
    "4.2.2": ("mailbox_full", "retry_later"),
    "5.7.1": ("policy_rejection", "review"),
}


def is_report(parts: Sequence[Part]) -> bool:
    """Whether these are the parts of a delivery report."""
    return any(part.content_type == "message/delivery-status" for part in parts)


def read_bounce(parts: Sequence[Part]) -> Json | None:
    """What a delivery report says, or None when the mail is none."""
    report = next((part for part in parts if part.content_type == "message/delivery-status"), None)
    if report is None:
        return None
    blocks = [
        {name.lower(): unfold(value) for name, value in split_fields(block)}
        for block in re.split(rb"(?:\r?\n){2,}", report.data().strip()[:100_000])
    ]
    server = blocks[0]
    failed = next((block for block in blocks if "final-recipient" in block), {})
    source, _, message = failed.get("diagnostic-code", "").partition(";")
    status = failed.get("status", "").strip()
    category, action = _CATEGORIES.get(status, ("unknown", "review"))
    bounce: Json = {
        "recipient": clean(_after_type(failed.get("final-recipient", ""))),
        "action": clean(failed.get("action", "failed").strip().lower()),
        "response": {
            "source": clean(source.strip()),
            "message": clean(message.strip()),
            "status": clean(status),
            "category": category,
            "recommendedAction": action,
        },
        "mta": clean(_after_type(server.get("reporting-mta", ""))),
    }
    if "x-postfix-queue-id" in server:
        bounce["queueId"] = clean(server["x-postfix-queue-id"].strip())
    returned = _returned_headers(parts)
    if returned:
        message_ids = returned.get("message-id", [])
        if message_ids:
            bounce["messageId"] = message_ids[0]
        bounce["messageHeaders"] = returned
    return bounce


def write_report(
    *,
    original: bytes,
    sender: str,
    recipient: str,
    mail_host: str,
    mail_queue_id: str,
    now: datetime,
) -> bytes:
    """The delivery report that a mail server sends about a mail it could not deliver."""
    stamp = f"{now:%a, %d %b %Y %H:%M:%S} +0000 (UTC)"
    boundary = f"{mail_queue_id}.{int(now.timestamp())}/{mail_host}"
    reason = "The email account that you tried to reach does not exist"
    domain = mail_host.partition(".")[2] or mail_host
    lines = [
        f"Date: {stamp}",
        f"From: Mail Delivery System <MAILER-DAEMON@{domain}>",
        "Subject: Undelivered Mail Returned to Sender",
        f"To: {sender}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
        "Content-Transfer-Encoding: 8bit",
        f"Message-Id: <{now:%Y%m%d%H%M%S}.{uuid.uuid4().hex[:11].upper()}@{mail_host}>",
        "",
        f"--{boundary}",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"This is the mail system at host {mail_host}.",
        "",
        "I'm sorry to have to inform you that your message could not",
        "be delivered to one or more recipients. It's attached below.",
        "",
        f"<{recipient}>: {reason}",
        "",
        f"--{boundary}",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {mail_host}",
        f"X-Postfix-Queue-ID: {mail_queue_id}",
        f"X-Postfix-Sender: rfc822; {sender}",
        f"Arrival-Date: {stamp}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Original-Recipient: rfc822;{recipient}",
        "Action: failed",
        "Status: 5.1.1",
        f"Diagnostic-Code: X-Postfix; {reason}",
        "",
        f"--{boundary}",
        "Content-Description: Undelivered Message",
        "Content-Type: message/rfc822",
        "",
        f"Return-Path: <{sender}>",
        "",
    ]
    text = "\r\n".join(lines).encode("utf-8", "replace")
    return text + original[:1_000_000] + f"\r\n--{boundary}--\r\n".encode()


def _returned_headers(parts: Sequence[Part]) -> dict[str, list[str]]:
    part = next(
        (part for part in parts if part.content_type in ("message/rfc822", "text/rfc822-headers")),
        None,
    )
    if part is None:
        return {}
    head, _ = split_mail(part.data())
    found: dict[str, list[str]] = {}
    for name, value in split_fields(head):
        found.setdefault(name.lower(), []).append(clean(value.decode("utf-8", "replace")))
    return found


def _after_type(value: str) -> str:
    return value.partition(";")[2].strip() or value.strip()
