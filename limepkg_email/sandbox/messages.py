"""From a raw mail to what the API says about it. Each mail is read once, when it arrives."""

import re
from dataclasses import dataclass

from limepkg_email.sandbox import bounces
from limepkg_email.sandbox.dates import iso, parse_date_header
from limepkg_email.sandbox.headers import addresses, clean, decode_words, split_fields, unfold
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mime import Part, leaves, split_mail, to_crlf

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_AUTO_SUBJECT = re.compile(
    r"\s*(auto(matic)?[ -]?(reply|response)\b|auto:|out of (the )?office\b|oof:|ooo:)", re.I
)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What is known about a mail wherever it lies: no ids, no flags, no folder.

    `summary` holds what lists show (plus where the parts are), `detail` the rest.
    """

    summary: Json
    detail: Json

    @property
    def message_id(self) -> str:
        """The `Message-ID` with its angle brackets, or an empty string."""
        return str(self.summary.get("messageId", ""))


def parse_mail(raw: bytes) -> ParsedMail:
    """Read a raw mail (with CRLF line ends); a hostile one is read as far as it goes."""
    head, _ = split_mail(raw)
    fields = [(name.lower(), unfold(value)) for name, value in split_fields(head)]
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name, value)
    parts = leaves(raw)
    summary = _envelope(first)
    detail: Json = {"headers": [[name, value] for name, value in fields]}
    for key in ("sender", "bcc"):
        if key in first and (people := addresses(first[key])):
            detail[key] = people[0] if key == "sender" else people
    if "sender" not in detail and "from" in summary:
        detail["sender"] = summary["from"]
    _add_texts(summary, detail, parts)
    files = _attachments(parts, str(detail.get("html", "")))
    if files:
        summary["attachments"] = files
    if _is_auto_reply(first):
        detail["isAutoReply"] = True
    bounce = bounces.read_bounce(parts)
    if bounce is not None:
        detail["bounce"] = bounce
    return ParsedMail(summary, detail)


def complete(raw: bytes, message_id: str, date: str) -> bytes:
    """The mail with the `Message-ID` and `Date` a mail server adds when the sender had none."""
    head, body_start = split_mail(raw)
    names = {name.lower() for name, _ in split_fields(head)}
    missing = b""
    if "message-id" not in names:
        missing += f"Message-Id: {message_id}\r\n".encode()
    if "date" not in names:
        missing += f"Date: {date}\r\n".encode()
    if not missing:
        return raw
    if head and not head.endswith(b"\n"):
        head += b"\r\n"
    return head + missing + b"\r\n" + raw[body_start:]


def normalize(raw: bytes) -> bytes:
    """The mail with CRLF line ends."""
    return to_crlf(raw)


def find_part(raw: bytes, number: str) -> Part | None:
    """The part with this number."""
    return next((part for part in leaves(raw) if part.number == number), None)


def _envelope(first: dict[str, str]) -> Json:
    summary: Json = {}
    sent = parse_date_header(first.get("date", ""))
    summary["date"] = iso(sent) if sent else None
    subject = clean(decode_words(first.get("subject", "")))
    if subject:
        summary["subject"] = subject
    sender = addresses(first.get("from", ""))
    if sender:
        summary["from"] = sender[0]
    reply_to = addresses(first.get("reply-to", "")) or sender[:1]
    if reply_to:
        summary["replyTo"] = reply_to
    for key in ("to", "cc"):
        people = addresses(first.get(key, ""))
        if people:
            summary[key] = people
    for key, name in (("messageId", "message-id"), ("inReplyTo", "in-reply-to")):
        value = first.get(name, "").strip()
        if value:
            match = _MESSAGE_ID.search(value)
            summary[key] = match[0] if match else value
    return summary


def _add_texts(summary: Json, detail: Json, parts: list[Part]) -> None:
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    numbers: dict[str, list[str]] = {"plain": [], "html": []}
    sizes: dict[str, int] = {}
    for part in parts:
        if part.is_text:
            kind = "html" if part.content_type == "text/html" else "plain"
            texts[kind].append(clean(part.text()))
            numbers[kind].append(part.number)
            sizes[kind] = sizes.get(kind, 0) + len(part.body)
        elif part.content_type == "message/rfc822" and bounces.is_report(parts):
            # The returned mail is shown with the report, as one more text.
            detail["rfc822"] = clean(part.text())
            numbers["plain"].append(part.number)
    if sizes:
        summary["textParts"] = [numbers["plain"], numbers["html"], []]
        summary["encodedSize"] = sizes
    for kind, found in texts.items():
        if found:
            detail[kind] = "\n".join(found)


def _attachments(parts: list[Part], html: str) -> list[Json]:
    return [_attachment(part, html) for part in parts if not part.is_text]


def _attachment(part: Part, html: str) -> Json:
    cid = part.content_id.strip()
    bare = cid.strip("<>")
    entry: Json = {
        "part": part.number,
        "contentType": clean(part.content_type),
        "encodedSize": len(part.body),
        "embedded": bool(bare) and f"cid:{bare}" in html,
        "inline": part.disposition == "inline",
        "encodedInMessage": False,
    }
    if part.filename:
        entry["filename"] = clean(part.filename)
    if cid:
        entry["contentId"] = clean(cid)
    if part.content_type == "text/calendar" and part.type_parameters.get("method"):
        entry["method"] = part.type_parameters["method"].upper()
    return entry


def _is_auto_reply(first: dict[str, str]) -> bool:
    return (
        first.get("auto-submitted", "").lower().startswith("auto-replied")
        or first.get("precedence", "").strip().lower() in ("auto_reply", "auto-reply")
        or "x-auto-response-suppress" in first
        or bool(_AUTO_SUBJECT.match(decode_words(first.get("subject", ""))))
    )
