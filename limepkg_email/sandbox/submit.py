"""Submission: from the body of a request to a mail in the outbox (or in a folder)."""

import base64
import binascii
import html
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from limepkg_email.sandbox import ids
from limepkg_email.sandbox.account_record import Account
from limepkg_email.sandbox.compose import Draft, File, html_to_text, person, write
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import iso
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.mail import Mail
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.messages import find_part, normalize, parse_mail
from limepkg_email.sandbox.mime import split_mail
from limepkg_email.sandbox.outbox import Outbox
from limepkg_email.sandbox.stored import StoredMessage
from limepkg_email.sandbox.validation import invalid

_REMEMBERED = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to go."""

    raw: bytes
    message_id: str
    subject: str
    sender: str
    recipients: list[str]
    reference: Json | None
    original: StoredMessage | None


class Submission:
    """Writes what a request describes and queues it."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        mail: Mail,
        outbox: Outbox,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._mail = mail
        self._outbox = outbox
        self._clock = clock

    def submit(self, account: Account, body: Json, idempotency_key: str) -> Json:
        """Queue a mail, once for each idempotency key."""
        if not idempotency_key or body.get("dryRun"):
            return self._submit(account, body)
        with self._database.transaction():
            known = self._known_answer(account, idempotency_key)
            if known is not None:
                return {**known, "idempotency": {"key": idempotency_key, "status": "HIT"}}
            answer = self._submit(account, body)
            self._database.run(
                "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?)",
                account.id,
                idempotency_key,
                self._clock().timestamp(),
                dumps(answer),
            )
        return {**answer, "idempotency": {"key": idempotency_key, "status": "MISS"}}

    def letter(self, account: Account, body: Json) -> Letter:
        """Write the mail that a request describes."""
        reference = body.get("reference")
        original = self._original(account, reference) if reference else None
        if reference and original is None and not reference.get("ignoreMissing"):
            raise ApiError(404, "Referenced message was not found", code="ReferenceNotFound")
        if original is not None and reference is not None:
            body = self._completed(account, body, reference, original)
        if "raw" in body:
            return self._raw_letter(account, body)
        return self._written_letter(account, body, original, reference)

    def _submit(self, account: Account, body: Json) -> Json:
        letter = self.letter(account, body)
        if body.get("dryRun"):
            preview = base64.b64encode(letter.raw).decode("ascii")
            return {"response": "Dry run", "messageId": letter.message_id, "preview": preview}
        now = self._clock()
        send_at: datetime = body.get("sendAt") or now
        queue_id = ids.queue_id(send_at)
        with self._database.transaction():
            self._outbox.add(
                account,
                letter.raw,
                queue_id=queue_id,
                message_id=letter.message_id,
                subject=letter.subject,
                sender=letter.sender,
                recipients=letter.recipients,
                send_at=max(send_at, now),
                attempts=body.get("deliveryAttempts"),
                copy=body.get("copy", account.record.get("copy")),
                sent_path=body.get("sentMailPath"),
            )
            if letter.original is not None and letter.reference is not None:
                self._mark(letter.original, letter.reference["action"])
        answer: Json = {
            "response": "Queued for delivery",
            "messageId": letter.message_id,
            "sendAt": iso(send_at),
            "queueId": queue_id,
        }
        if "reference" in body:
            answer["reference"] = _reference_answer(body["reference"], letter.original)
        return answer

    def _written_letter(
        self, account: Account, body: Json, original: StoredMessage | None, reference: Json | None
    ) -> Letter:
        sender = body.get("from") or {
            "name": account.record.get("name", ""),
            "address": account.email,
        }
        domain = str(sender["address"]).rpartition("@")[2] or "localhost"
        message_id = _angled(body["messageId"]) if body.get("messageId") else _new_id(domain)
        headers: list[tuple[str, str]] = [
            (str(name), str(value)) for name, value in (body.get("headers") or {}).items()
        ]
        headers.append(("From", person(sender)))
        for key, name in (("to", "To"), ("cc", "Cc"), ("replyTo", "Reply-To")):
            if body.get(key):
                headers.append((name, ", ".join(person(entry) for entry in body[key])))
        headers.append(("Subject", str(body.get("subject", ""))))
        headers.append(("Message-ID", message_id))
        if original is not None and reference is not None and reference["action"] != "forward":
            headers += self._thread_headers(original)
        now = self._clock()
        headers.append(("Date", f"{now:%a, %d %b %Y %H:%M:%S} +0000"))
        text, markup = body.get("text"), body.get("html")
        if markup is not None and text is None:
            text = html_to_text(markup)
        files = [self._file(account, entry) for entry in body.get("attachments") or []]
        raw = write(Draft(headers, text=text, html=markup, files=files))
        people = [entry for key in ("to", "cc", "bcc") for entry in body.get(key) or []]
        envelope = body.get("envelope") or {}
        recipients = envelope.get("to") or [entry["address"] for entry in people]
        if isinstance(recipients, str):
            recipients = [recipients]
        return Letter(
            raw=raw,
            message_id=message_id,
            subject=str(body.get("subject", "")),
            sender=str(envelope.get("from") or sender["address"]),
            recipients=list(dict.fromkeys(recipients)),
            reference=reference,
            original=original,
        )

    def _raw_letter(self, account: Account, body: Json) -> Letter:
        raw = normalize(_base64(body["raw"], "raw"))
        _, body_start = split_mail(raw)
        parsed = parse_mail(raw).summary
        message_id = parsed.get("messageId", "")
        if not message_id:
            message_id = _new_id(account.email.rpartition("@")[2])
            raw = f"Message-ID: {message_id}\r\n".encode() + raw
        people = [entry for key in ("to", "cc") for entry in body.get(key) or parsed.get(key, [])]
        people += body.get("bcc") or []
        envelope = body.get("envelope") or {}
        recipients = envelope.get("to") or [entry["address"] for entry in people]
        return Letter(
            raw=raw if body_start else raw + b"\r\n\r\n",
            message_id=message_id,
            subject=str(parsed.get("subject", "")),
            sender=str(envelope.get("from") or account.email),
            recipients=[recipients] if isinstance(recipients, str) else list(recipients),
            reference=None,
            original=None,
        )

    def _completed(
        self, account: Account, body: Json, reference: Json, original: StoredMessage
    ) -> Json:
        """The body with what a reply or forward takes from the original."""
        completed = dict(body)
        action = reference["action"]
        subject = re.sub(r"(?i)^\s*((re|fwd?):\s*)+", "", str(original.summary.get("subject", "")))
        completed.setdefault("subject", f"{'Fwd' if action == 'forward' else 'Re'}: {subject}")
        if action in ("reply", "reply-all") and not completed.get("to"):
            completed["to"] = original.summary.get("replyTo", [])
        if action == "reply-all" and not body.get("cc"):
            known = {account.email.lower()}
            known |= {entry["address"].lower() for entry in completed["to"]}
            others = original.summary.get("to", []) + original.summary.get("cc", [])
            copies = [entry for entry in others if entry["address"].lower() not in known]
            if copies:
                completed["cc"] = copies
        if reference.get("inline"):
            self._quote(completed, original)
        if action == "forward" and reference.get("forwardAttachments"):
            completed["attachments"] = [
                *(completed.get("attachments") or []),
                *(
                    {"reference": ids.attachment_id(original.code, original.uid, entry["part"])}
                    for entry in original.summary.get("attachments", [])
                ),
            ]
        return completed

    def _quote(self, completed: Json, original: StoredMessage) -> None:
        detail = self._mailboxes.detail(original)
        sender = original.summary.get("from", {}).get("address", "")
        intro = f"On {original.date:%d %b %Y at %H:%M}, {sender} wrote:"
        if completed.get("html") is not None or "html" in detail:
            quoted = detail.get("html") or f"<pre>{html.escape(str(detail.get('plain', '')))}</pre>"
            own = completed.get("html")
            if own is None:
                own = html.escape(str(completed.get("text", ""))).replace("\n", "<br>")
            completed["html"] = f"{own}<p>{html.escape(intro)}</p><blockquote>{quoted}</blockquote>"
        if "html" not in detail and completed.get("text") is not None:
            lines = "\n".join(f"> {line}" for line in str(detail.get("plain", "")).splitlines())
            completed["text"] = f"{completed['text']}\n\n{intro}\n{lines}\n"

    def _thread_headers(self, original: StoredMessage) -> list[tuple[str, str]]:
        message_id = str(original.summary.get("messageId", ""))
        if not message_id:
            return []
        headers = dict(self._mailboxes.detail(original)["headers"])
        chain = [*re.findall(r"<[^<>\s]+>", headers.get("references", ""))[-50:], message_id]
        return [("In-Reply-To", message_id), ("References", " ".join(dict.fromkeys(chain)))]

    def _original(self, account: Account, reference: Json) -> StoredMessage | None:
        try:
            code, uid, _ = ids.split_id(reference["message"])
        except ids.MalformedIdError:
            return None
        found = self._mailboxes.by_id(account.mailbox, code, uid)
        wanted = reference.get("messageId")
        if found is not None and wanted and found.summary.get("messageId") != wanted:
            return None
        return found

    def _file(self, account: Account, entry: Json) -> File:
        content_id = str(entry.get("cid", ""))
        inline = entry.get("contentDisposition") == "inline"
        if entry.get("reference"):
            return self._referenced_file(account, entry["reference"], inline=inline)
        content = _base64(str(entry.get("content", "")), "content")
        return File(
            str(entry.get("filename", "")),
            content,
            str(entry.get("contentType") or "application/octet-stream"),
            content_id,
            inline,
        )

    def _referenced_file(self, account: Account, attachment: str, *, inline: bool) -> File:
        try:
            code, uid, number = ids.split_id(attachment)
        except ids.MalformedIdError:
            code, uid, number = 0, 0, b""
        message = self._mailboxes.by_id(account.mailbox, code, uid)
        part = (
            find_part(self._mailboxes.original(message), number.decode("ascii", "replace"))
            if message
            else None
        )
        if part is None:
            raise ApiError(404, "Referenced message was not found", code="ReferenceNotFound")
        return File(
            part.filename, part.data(), part.content_type, part.content_id.strip("<>"), inline
        )

    def _mark(self, original: StoredMessage, action: str) -> None:
        flag = "$Forwarded" if action == "forward" else "\\Answered"
        self._mail.set_flags(original, {*original.flags, flag})

    def _known_answer(self, account: Account, key: str) -> Json | None:
        limit = (self._clock() - _REMEMBERED).timestamp()
        self._database.run("DELETE FROM idempotency WHERE created < ?", limit)
        row = self._database.row(
            "SELECT answer FROM idempotency WHERE account = ? AND key = ?", account.id, key
        )
        known: Json | None = json.loads(row["answer"]) if row else None
        return known


def _reference_answer(reference: Json, original: StoredMessage | None) -> Json:
    answer: Json = {
        "message": reference["message"],
        "documentStore": False,
        "success": original is not None,
    }
    if original is None:
        answer["error"] = "Referenced message was not found"
    return answer


def _angled(message_id: str) -> str:
    message_id = re.sub(r"\s+", "", message_id)
    return message_id if message_id.startswith("<") else f"<{message_id}>"


def _new_id(domain: str) -> str:
    return f"<{uuid.uuid4()}@{domain}>"


def _base64(text: str, key: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except binascii.Error as error:
        raise invalid(
            [{"message": f'"{key}" must be a valid base64 string', "key": key}]
        ) from error
