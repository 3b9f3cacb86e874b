"""EmailEngine's webhooks: check the signature, then read the body into a typed event.

The signature covers the raw bytes, so it must be checked before anything else is done with them:
that alone refuses the empty body EmailEngine sends again after a dropped connection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from limepkg_email.engine.message import Message
from limepkg_email.engine.reading import Json, integer, mapping, moment, text, texts
from limepkg_email.errors import BadRequest, InvalidSignature

SIGNATURE_HEADER = "X-EE-Wh-Signature"
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url without padding


def signature(secret: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256 in base64url without padding."""
    digest = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verify(secret: str, body: bytes, given: str | None) -> None:
    """Raise `InvalidSignature` unless `given` is the signature of the body under the secret.

    An empty secret lets nothing through, as anybody could sign with it. Takes the same time
    wherever the signatures differ.
    """
    given = require_signature(secret, given)
    # Compared as bytes: compare_digest refuses strings outside ASCII with a TypeError.
    expected = signature(secret, body).encode("ascii")
    if not hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass")):
        raise InvalidSignature("The webhook's signature does not match its body.")


def require_signature(secret: str, given: str | None) -> str:
    """Raise `InvalidSignature` for what cannot be one whatever the body, so that nobody reads it.

    Gives the signature, which says nothing as long as it is not verified.
    """
    if not secret:
        raise InvalidSignature("No webhook secret is set, so no webhook is accepted.")
    if not given:
        raise InvalidSignature("The webhook is not signed.")
    if not _SIGNATURE.fullmatch(given):
        raise InvalidSignature("The webhook's signature is none.")
    return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in an account.

    `date` is when EmailEngine saw it. `path` and `special_use` name the folder, for events of a
    folder only. `data` is the unread rest as it came.
    """

    account: str
    event: str
    date: datetime | None = None
    path: str = ""
    special_use: str = ""
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event that the package has no use for, such as `mailboxNew`, or does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageNew(Event):
    """A mail appeared in a folder: it arrived, was moved there, or is the copy of a sent one."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(Event):
    """A mail left a folder, because it was deleted or because it was moved."""

    id: str
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUpdated(Event):
    """The flags of a mail changed; `flags` are all it has now, None if EmailEngine named none."""

    id: str
    uid: int
    flags_added: tuple[str, ...]
    flags_deleted: tuple[str, ...]
    flags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """The mail server accepted a submitted mail, from at least one of `recipients`."""

    message_id: str
    queue_id: str
    response: str
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeliveryError(Event):
    """One attempt to hand a submitted mail to the mail server failed.

    `attempts_made` counts from 0. `next_attempt` is set even when there will be none; only
    `MessageFailed` is final.
    """

    message_id: str
    queue_id: str
    sender: str
    recipients: tuple[str, ...]
    error: str
    error_code: str
    smtp_response: str
    smtp_response_code: int
    attempts_made: int
    attempts: int
    next_attempt: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFailed(Event):
    """EmailEngine gave a submitted mail up."""

    message_id: str
    queue_id: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBounce(Event):
    """A delivery report about a sent mail arrived.

    `message_id` is that of the sent mail and `bounce_message` the id of the report in the mailbox.
    The report's own queue id is another server's and therefore left out. `status` is the enhanced
    status code, such as `5.1.1`; `action` is `failed`, `delayed`, ….
    """

    message_id: str
    bounce_message: str
    recipient: str
    action: str
    status: str
    response: str
    category: str
    recommended_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageComplaint(Event):
    """A recipient reported a sent mail as unwanted, through the provider's feedback loop.

    Read after EmailEngine's documentation; none has been captured.
    """

    message_id: str
    complaint_message: str
    recipients: tuple[str, ...]
    feedback_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(Event):
    """The state of an account changed; `event` says how.

    `error` and `error_code` are the mail server's words, empty unless the event is an error.
    """

    error: str
    error_code: str


def parse_event(raw: bytes | Mapping[str, Any]) -> Event:
    """Read the body of a webhook, checked before with `verify`, into its event.

    Raises `BadRequest` when the body is not a JSON object with an event and an account. Fields of
    the wrong type count as absent, so the id in an event can be empty.
    """
    body = _load(raw) if isinstance(raw, bytes) else raw
    data = mapping(body.get("data"))
    common: dict[str, Any] = {
        "account": text(body.get("account")),
        "event": text(body.get("event")),
        "date": moment(body.get("date")),
        "path": text(body.get("path")),
        "special_use": text(body.get("specialUse")),
        "data": data,
    }
    if not common["event"] or not common["account"]:
        raise BadRequest("The webhook names no event or no account.")
    read = _READERS.get(common["event"])
    return read(common, data) if read else UnknownEvent(**common)


def _load(raw: bytes) -> Json:
    try:
        # surrogatepass and strict=False: half an emoji or a control character in a subject must
        # not keep the mail out.
        body = json.loads(raw.decode("utf-8", "surrogatepass"), strict=False)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The webhook's body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequest("The webhook's body is not a JSON object.")
    return body


def _message_new(common: dict[str, Any], data: Json) -> Event:
    message = Message.parse(data, path=common["path"], special_use=common["special_use"])
    return MessageNew(**common, message=message)


def _message_deleted(common: dict[str, Any], data: Json) -> Event:
    return MessageDeleted(**common, id=text(data.get("id")), uid=integer(data.get("uid")))


def _message_updated(common: dict[str, Any], data: Json) -> Event:
    flags = mapping(mapping(data.get("changes")).get("flags"))
    value = flags.get("value")
    return MessageUpdated(
        **common,
        id=text(data.get("id")),
        uid=integer(data.get("uid")),
        flags_added=texts(flags.get("added")),
        flags_deleted=texts(flags.get("deleted")),
        flags=texts(value) if isinstance(value, list) else None,
    )


def _message_sent(common: dict[str, Any], data: Json) -> Event:
    return MessageSent(**common, **_queued(data), response=text(data.get("response")))


def _message_delivery_error(common: dict[str, Any], data: Json) -> Event:
    job = mapping(data.get("job"))
    return MessageDeliveryError(
        **common,
        **_queued(data),
        error=text(data.get("error")),
        error_code=text(data.get("errorCode")),
        smtp_response=text(data.get("smtpResponse")),
        smtp_response_code=integer(data.get("smtpResponseCode")),
        attempts_made=integer(job.get("attemptsMade")),
        attempts=integer(job.get("attempts")),
        next_attempt=moment(job.get("nextAttempt")),
    )


def _queued(data: Json) -> dict[str, Any]:
    envelope = mapping(data.get("envelope"))
    return {
        "message_id": text(data.get("messageId")),
        "queue_id": text(data.get("queueId")),
        "sender": text(envelope.get("from")),
        "recipients": texts(envelope.get("to")),
    }


def _message_failed(common: dict[str, Any], data: Json) -> Event:
    return MessageFailed(
        **common,
        message_id=text(data.get("messageId")),
        queue_id=text(data.get("queueId")),
        error=text(data.get("error")).removeprefix("Error: "),
    )


def _message_bounce(common: dict[str, Any], data: Json) -> Event:
    response = mapping(data.get("response"))
    return MessageBounce(
        **common,
        message_id=text(data.get("messageId")),
        bounce_message=text(data.get("bounceMessage")),
        recipient=text(data.get("recipient")),
        action=text(data.get("action")),
        status=text(response.get("status")),
        response=text(response.get("message")),
        category=text(response.get("category")),
        recommended_action=text(response.get("recommendedAction")),
    )


def _message_complaint(common: dict[str, Any], data: Json) -> Event:
    report, headers = mapping(data.get("arf")), mapping(data.get("headers"))
    return MessageComplaint(
        **common,
        message_id=text(headers.get("messageId")),
        complaint_message=text(data.get("complaintMessage")),
        recipients=texts(report.get("originalRcptTo")),
        feedback_type=text(report.get("feedbackType")),
    )


def _account(common: dict[str, Any], data: Json) -> Event:
    return AccountEvent(
        **common,
        error=text(data.get("response")),
        error_code=text(data.get("serverResponseCode")),
    )


_READERS: Mapping[str, Callable[[dict[str, Any], Json], Event]] = {
    "messageNew": _message_new,
    "messageDeleted": _message_deleted,
    "messageUpdated": _message_updated,
    "messageSent": _message_sent,
    "messageDeliveryError": _message_delivery_error,
    "messageFailed": _message_failed,
    "messageBounce": _message_bounce,
    "messageComplaint": _message_complaint,
    "accountAdded": _account,
    "accountDeleted": _account,
    "accountInitialized": _account,
    "authenticationError": _account,
    "authenticationSuccess": _account,
    "connectError": _account,
}
