"""A mail as EmailEngine describes it, as immutable data.

Parsing is tolerant: a field that is absent, null or of the wrong type gets its empty value. NUL
characters and lone surrogates are passed on as they came; who stores text has to clean it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from limepkg_email.engine.reading import Json, integer, items, mapping, moment, text, texts

MAX_REFERENCES = 32
"""How many ids of a References header count: the newest ones, which name the nearest ancestors."""
_REFERENCES_TAIL = 65_536  # room for 32 ids of 998 characters (RFC 5322's longest line), twice
_MESSAGE_ID = re.compile(r"<([^<>]{1,998})>")


@dataclass(frozen=True, slots=True)
class Address:
    """A name and an e-mail address; a group such as `undisclosed-recipients:;` has no address."""

    name: str = ""
    address: str = ""

    @classmethod
    def parse(cls, value: object) -> Address:
        """Read one address object; anything else becomes the empty address."""
        if not isinstance(value, dict):
            return NOBODY
        return cls(text(value.get("name")), text(value.get("address")))


NOBODY = Address()


def _addresses(value: object) -> tuple[Address, ...]:
    parsed = [Address.parse(item) for item in items(value)]
    return tuple([item for item in parsed if item.name or item.address])


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached or embedded file of a mail.

    `id` is the address for the download and changes whenever the mail is moved. `encoded_size` is
    the size in bytes as encoded in the mail, about 4/3 of the file. `content_id` has no angle
    brackets, so that it compares equal with what follows `cid:` in the html. `embedded` says that
    the html refers to it, `inline` what its Content-Disposition says, `method` is that of a
    calendar invitation.
    """

    id: str
    content_type: str = ""
    encoded_size: int = 0
    filename: str = ""
    content_id: str = ""
    embedded: bool = False
    inline: bool = False
    method: str = ""

    @classmethod
    def parse(cls, value: Json) -> Attachment:
        """Read one entry of a mail's `attachments`."""
        get = value.get
        return cls(
            id=text(get("id")),
            content_type=text(get("contentType")),
            encoded_size=integer(get("encodedSize")),
            filename=text(get("filename")),
            content_id=text(get("contentId")).strip().removeprefix("<").removesuffix(">"),
            embedded=get("embedded") is True,
            inline=get("inline") is True,
            method=text(get("method")),
        )


def _attachments(value: object) -> tuple[Attachment, ...]:
    parsed = [Attachment.parse(mapping(item)) for item in items(value)]
    # Without an id there is nothing to download it by.
    return tuple([item for item in parsed if item.id])


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a mail, as far as it was sent along.

    `id` is the address for `EngineClient.text`. `has_more` says that the text was cut (setting
    `notifyTextSize`, parameter `maxBytes`). The encoded sizes are bytes within the mail, known even
    when the text itself was not sent along. `rfc822` is the enclosed mail of a delivery report.
    """

    id: str = ""
    plain: str = ""
    html: str = ""
    has_more: bool = False
    encoded_size_plain: int = 0
    encoded_size_html: int = 0
    rfc822: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing would be gained by asking EmailEngine for the text."""
        if self.has_more:
            return False
        return bool(self.plain or self.html) or not (
            self.encoded_size_plain or self.encoded_size_html
        )

    @classmethod
    def parse(cls, value: object) -> Text:
        """Read the `text` of a mail, or the answer of the text call, which lacks id and sizes."""
        found = mapping(value)
        sizes = mapping(found.get("encodedSize"))
        return cls(
            id=text(found.get("id")),
            plain=text(found.get("plain")),
            html=text(found.get("html")),
            has_more=found.get("hasMore") is True,
            encoded_size_plain=integer(sizes.get("plain")),
            encoded_size_html=integer(sizes.get("html")),
            rfc822=text(found.get("rfc822")),
        )


NO_TEXT = Text()


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as EmailEngine describes it, in a webhook, in a list or alone.

    `id` and `uid` say where the mail lies now and change whenever it is moved (`uid` is 0 where the
    provider has none); `message_id`, in angle brackets as sent, and, where the server supports it,
    `email_id` stay. `date` is the Date header, or the arrival when that is unusable. `size` is in
    bytes. `headers` has lower-case names and raw, still encoded values; it is empty in lists and
    where the setting `notifyHeaders` is off. `special_use` is the role of the mail's folder, such
    as `\\Inbox` or `\\Sent`, empty for an ordinary folder. `seems_like_new` is an estimate and is
    true where EmailEngine says nothing. Entries of a list lack headers, sender, bcc, the
    text's content and what EmailEngine concluded about the mail (`is_auto_reply`, `is_bounce`).
    """

    id: str
    uid: int = 0
    path: str = ""
    date: datetime | None = None
    flags: tuple[str, ...] = ()
    unseen: bool = False
    size: int = 0
    subject: str = ""
    from_: Address = NOBODY
    sender: Address = NOBODY
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    message_id: str = ""
    in_reply_to: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    text: Text = NO_TEXT
    email_id: str = ""
    thread_id: str = ""
    is_auto_reply: bool = False
    is_bounce: bool = False
    related_message_id: str = ""
    special_use: str = ""
    seems_like_new: bool = True

    @classmethod
    def parse(cls, value: Json, *, path: str = "", special_use: str = "") -> Message:
        """Read a mail; `path` and `special_use` serve where the mail does not name its folder."""
        get = value.get
        return cls(
            id=text(get("id")),
            uid=integer(get("uid")),
            path=text(get("path")) or path,
            date=moment(get("date")),
            flags=texts(get("flags")),
            unseen=get("unseen") is True,
            size=integer(get("size")),
            subject=text(get("subject")),
            from_=Address.parse(get("from")),
            sender=Address.parse(get("sender")),
            reply_to=_addresses(get("replyTo")),
            to=_addresses(get("to")),
            cc=_addresses(get("cc")),
            bcc=_addresses(get("bcc")),
            message_id=text(get("messageId")).strip(),
            in_reply_to=text(get("inReplyTo")).strip(),
            headers=_headers(get("headers")),
            attachments=_attachments(get("attachments")),
            text=Text.parse(get("text")),
            email_id=text(get("emailId")),
            thread_id=text(get("threadId")),
            is_auto_reply=get("isAutoReply") is True,
            is_bounce=get("isBounce") is True,
            related_message_id=text(get("relatedMessageId")).strip(),
            special_use=text(get("messageSpecialUse")) or text(get("specialUse")) or special_use,
            seems_like_new=get("seemsLikeNew") is not False,
        )

    def references(self) -> tuple[str, ...]:
        """Return the ids of the mails that this one answers, the likeliest parent first.

        First In-Reply-To, then the last `MAX_REFERENCES` ids of References from the newest to the
        oldest (RFC 5322, section 3.6.4), each once and in angle brackets. Looks at the end of an
        overlong header only.
        """
        replied = self.in_reply_to or " ".join(self.headers.get("in-reply-to", ()))
        parents = _message_ids(replied)[:MAX_REFERENCES]
        ancestors = _message_ids(" ".join(self.headers.get("references", ())))
        return tuple(dict.fromkeys([*parents, *ancestors[: -MAX_REFERENCES - 1 : -1]]))


def _headers(value: object) -> Mapping[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, values in mapping(value).items():
        found = (values,) if isinstance(values, str) else texts(values)
        key = name.lower()
        headers[key] = headers[key] + found if key in headers else found
    return headers


def _message_ids(header: str) -> list[str]:
    # White space within the brackets comes from a sender that folded the line inside an id.
    found = _MESSAGE_ID.findall(header[-_REFERENCES_TAIL:])
    return [f"<{''.join(inner.split())}>" for inner in found if inner.strip()]
