"""Which of our mails a delivery report is about, and what happened to it.

Reads what EmailEngine sends along with the report: the enclosed mail (`text.rfc822`), the report's
own text, in which mail servers repeat the facts, and its headers. Never more than the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from limepkg_email import addresses
from limepkg_email.engine.types import Message
from limepkg_email.markup import plain_text
from limepkg_email.text import one_line, storable

MAX_CANDIDATES = 32
_MAX_SEARCHED = 20_000
_MAX_REASON = 500

_ID = re.compile(r"<([^<>\s]{1,996})>")
_ID_LINE = re.compile(
    r"^(?:message-id|x-message-id):[ \t]*\r?\n?[ \t]*<([^<>\s]{1,996})>", re.I | re.M
)
_REFERENCE_LINE = re.compile(
    r"^(?:in-reply-to|references):((?:[^\r\n]{0,2000}\r?\n[ \t])*[^\r\n]{0,2000})", re.I | re.M
)
_ENCLOSED_TO = re.compile(r"^to:[ \t]*([^\r\n]{1,1000})", re.I | re.M)
_ADDRESS = r"<?([^\s<>()\[\]:;,\"'@]{1,64}@[\w.-]{1,255}\w)>?"

# RFC 3464 (2.3), as far as the report is repeated in the text.
_FIELD_RECIPIENT = re.compile(
    rf"^(?:final|original)-recipient:[^\r\n;]{{0,40}};\s?{_ADDRESS}", re.I | re.M
)
_FIELD_ACTION = re.compile(r"^action:\s?(failed|delayed|delivered|relayed|expanded)\b", re.I | re.M)
_FIELD_STATUS = re.compile(r"^status:\s?([245]\.\d{1,3}\.\d{1,3})\b", re.I | re.M)
_FIELD_REASON = re.compile(
    r"^diagnostic-code:[ \t]?([^\r\n]{1,1000}(?:\r?\n[ \t]+[^\r\n]{1,1000}){0,5})", re.I | re.M
)

# How mail servers name the recipient in words, the more specific first.
_RECIPIENT = tuple(
    re.compile(pattern, re.I | re.M)
    for pattern in (
        rf"^[ \t]*<{_ADDRESS[2:-2]}>[ \t]*(?:\([^)\r\n]{{0,200}}\))?:",  # Postfix, qmail
        rf"(?:wasn't delivered to|not delivered to|couldn't be delivered to|delayed to"
        rf"|couldn't deliver (?:your message )?to|deliver(?:y|ing your message) to)"
        rf"\s{{1,4}}\*{{0,2}}{_ADDRESS}",  # Gmail
        # Exchange, Exim
        rf"(?:delivery (?:has )?failed to these recipients|did(?:n't| not) reach the following"
        rf" recipient|following address(?:es)? (?:had|has|failed)|following recipient)"
        rf"[^\r\n]{{0,60}}\s{{1,8}}(?:[^\r\n@<]{{0,80}}[\s<])?{_ADDRESS}",
        rf"^[ \t]{{1,8}}{_ADDRESS}[ \t]*$",  # Exim: indented and alone
        rf"(?:kunde inte levereras till|till följande mottagare|an folgende[^\r\n]{{0,40}}"
        rf"|kunne ikke leveres til)(?:[^\r\n@]{{0,60}}\s|\s{{1,4}}){_ADDRESS}",
    )
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.-])([45])\d\d[ -](?=\D)")
_REASON = re.compile(
    r"^[^\r\n]{0,200}?"
    r"((?:(?:said|error|response|rejected|reason|svar|diagnostic)[^\r\n]{0,100}:\s{0,8})?"
    r"[45]\d\d[ -#][^\r\n]{1,600})",
    re.I | re.M,
)
_DELAYED = re.compile(
    r"\bdelay(?:ed)?\b|not yet been delivered|will (?:be retried|retry|keep trying)|still trying|"
    r"försenad|forsinket|verzögert|viivästynyt|vertraagd|retardé",
    re.I,
)
_DELIVERED = re.compile(
    r"successfully delivered|delivery to the following recipients? (?:is complete|was completed)"
    r"|successful mail delivery|has been delivered to|\brelayed\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class BounceReport:
    """What a delivery report says about one mail.

    `message_ids` are candidates for the Message-ID of our mail, the likeliest and newest first, in
    angle brackets. `action` is that of RFC 3464 (2.3.3): `failed`, `delayed`, `delivered`,
    `relayed` or `expanded`. `status` is the enhanced status code of RFC 3463, such as `5.1.1`.
    `text` is the reason as one line. What the report does not say is empty.
    """

    message_ids: tuple[str, ...] = ()
    recipient: str = ""
    action: str = "failed"
    status: str = ""
    text: str = ""


def read_bounce(message: Message) -> BounceReport:
    """Return what a delivery report says; a report that says nothing readable has failed."""
    enclosed = storable(message.text.rfc822[:_MAX_SEARCHED])
    told = _told(message)
    status = _first(told, _FIELD_STATUS, _STATUS) or _class_of_code(told)
    return BounceReport(
        message_ids=_message_ids(message, enclosed, told),
        recipient=_recipient(message, enclosed, told),
        action=_action(message, told, status),
        status=status,
        text=_reason(told),
    )


def _told(message: Message) -> str:
    text = message.text.plain or _words(message.text.html[: 4 * _MAX_SEARCHED])
    return storable(text[:_MAX_SEARCHED]).replace("\r\n", "\n")


def _words(html: str) -> str:
    return plain_text(html) if html else ""


def _message_ids(message: Message, enclosed: str, told: str) -> tuple[str, ...]:
    headers, _, _ = enclosed.replace("\r\n", "\n").partition("\n\n")
    found: list[str] = [
        *_ID_LINE.findall(headers),
        *_ID.findall(message.related_message_id),
        *(each[1:-1] for each in message.references()),
        *_ID_LINE.findall(told),
        *_ID.findall(" ".join(message.headers.get("x-original-message-id", ()))[:_MAX_SEARCHED]),
        # Ancestors of our mail: they lead at least to the conversation.
        *_newest_first(_REFERENCE_LINE.findall(headers)),
    ]
    own = message.message_id
    unique = dict.fromkeys(f"<{each}>" for each in found)
    return tuple(each for each in unique if each != own)[:MAX_CANDIDATES]


def _newest_first(lines: Iterable[str]) -> list[str]:
    return [each for line in lines for each in reversed(_ID.findall(line))]


def _recipient(message: Message, enclosed: str, told: str) -> str:
    named = " ".join(message.headers.get("x-failed-recipients", ()))[:_MAX_SEARCHED]
    for found in (
        _first(told, _FIELD_RECIPIENT),
        named.split(",")[0],
        _first(told, *_RECIPIENT),
        _only_recipient(enclosed),
    ):
        address = addresses.normalise(found)
        if addresses.is_valid(address):
            return address
    return ""


def _only_recipient(enclosed: str) -> str:
    # Each of our mails goes to one recipient, so that a single To names it.
    to = _ENCLOSED_TO.search(enclosed.partition("\n\n")[0])
    found = re.findall(_ADDRESS, to[1]) if to else []
    return found[0] if len(found) == 1 else ""


def _action(message: Message, told: str, status: str) -> str:
    field = _first(told, _FIELD_ACTION).lower()
    if field:
        return field
    said = f"{message.subject[:300]}\n{told[:2_000]}"
    if status.startswith("5"):
        return "failed"
    if status.startswith("2") or _DELIVERED.search(said):
        return "delivered"
    return "delayed" if _DELAYED.search(said) else "failed"


def _class_of_code(told: str) -> str:
    # A reply code without an enhanced one says only whether the failure is permanent.
    code = _REPLY_CODE.search(told)
    return f"{code[1]}.0.0" if code else ""


def _reason(told: str) -> str:
    reason = _first(told, _FIELD_REASON)
    if not reason:
        for pattern in _RECIPIENT[:1]:
            named = pattern.search(told)
            if named:
                # Postfix and qmail: the reason follows the address, up to an empty line.
                reason = told[named.end() :].strip().partition("\n\n")[0]
    return one_line(reason or _first(told, _REASON) or told, _MAX_REASON)


def _first(text: str, *patterns: re.Pattern[str]) -> str:
    found = (pattern.search(text) for pattern in patterns)
    return next((match[1] for match in found if match), "")
