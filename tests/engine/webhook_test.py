"""The signature vectors and events are those of a real EmailEngine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from limepkg_email.engine import webhook
from limepkg_email.errors import BadRequest, InvalidSignature

from .conftest import CAPTURES, capture

SECRET = "shared-webhook-secret"
SIGNED = sorted(path.stem for path in CAPTURES.glob("webhook-*.json"))


def deliveries(name: str) -> list[dict[str, Any]]:
    found = capture(name)
    return [item for item in found.get("requests", [found]) if item["body"]]


def raw(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def parsed(name: str) -> Any:
    return webhook.parse_event(raw(capture(f"webhook-{name}")["body"]))


@pytest.mark.parametrize("name", SIGNED)
def test_signature_of_every_captured_webhook_is_accepted(name: str) -> None:
    for delivery in deliveries(name):
        body, given = raw(delivery["body"]), delivery["headers"]["X-EE-Wh-Signature"]
        assert len(body) == int(delivery["headers"]["content-length"])
        assert webhook.signature(SECRET, body) == given
        webhook.verify(SECRET, body, given)


def test_signature_of_a_full_body_does_not_let_the_empty_body_through() -> None:
    first, second = capture("webhook-empty-body-resend-after-429")["requests"]
    assert second["body"] is None
    with pytest.raises(InvalidSignature):
        webhook.verify(SECRET, b"", second["headers"]["X-EE-Wh-Signature"])
    webhook.verify(SECRET, raw(first["body"]), first["headers"]["X-EE-Wh-Signature"])


@pytest.mark.parametrize("given", [None, "", "x", "å", "\udc80", "A" * 43, "A" * 100_000])
def test_wrong_or_missing_signature_is_refused(given: str | None) -> None:
    with pytest.raises(InvalidSignature):
        webhook.verify(SECRET, b"{}", given)


def test_empty_secret_lets_nothing_through_even_if_signed_with_it() -> None:
    with pytest.raises(InvalidSignature):
        webhook.verify("", b"{}", webhook.signature("", b"{}"))


def test_signature_of_a_changed_body_is_refused() -> None:
    given = webhook.signature(SECRET, b'{"a":1}')
    with pytest.raises(InvalidSignature):
        webhook.verify(SECRET, b'{"a":2}', given)


def test_new_mail_becomes_a_message_in_its_folder() -> None:
    event = parsed("messageNew-full")
    assert isinstance(event, webhook.MessageNew)
    assert (event.account, event.path, event.special_use) == ("support", "INBOX", "\\Inbox")
    assert event.date == datetime(2026, 11, 22, 7, 2, 15, 77000, tzinfo=UTC)
    assert event.message.message_id == "<full-1@example.org>"
    assert event.message.path == "INBOX"


def test_folder_of_a_mail_that_does_not_name_it_is_the_event_s() -> None:
    body = capture("webhook-messageNew-full")["body"]
    for key in ("path", "specialUse", "messageSpecialUse"):
        del body["data"][key]
    event = webhook.parse_event(body)
    assert isinstance(event, webhook.MessageNew)
    assert (event.message.path, event.message.special_use) == ("INBOX", "\\Inbox")


def test_deleted_mail_is_named_by_id_and_uid() -> None:
    event = parsed("messageDeleted")
    assert isinstance(event, webhook.MessageDeleted)
    assert (event.id, event.uid) == ("AAAAAQAAAAE", 1)


def test_updated_mail_tells_its_flags() -> None:
    event = parsed("messageUpdated")
    assert isinstance(event, webhook.MessageUpdated)
    assert event.flags_added == event.flags == ("\\Seen",)
    assert event.flags_deleted == ()


def test_sent_mail_names_queue_id_and_recipients() -> None:
    event = parsed("messageSent")
    assert isinstance(event, webhook.MessageSent)
    assert event.queue_id == "1a2021167481a96ba60"
    assert event.recipients == ("anna@example.org",)
    assert event.response == "250 2.0.0 Ok: queued as D576327EB96"


def test_delivery_error_tells_attempts_and_the_server_s_words() -> None:
    event = parsed("messageDeliveryError")
    assert isinstance(event, webhook.MessageDeliveryError)
    assert (event.attempts_made, event.attempts, event.smtp_response_code) == (1, 3, 451)
    assert event.error_code == "EENVELOPE"
    assert event.next_attempt == datetime(2026, 11, 22, 7, 4, 3, 503000, tzinfo=UTC)


def test_failed_mail_tells_the_reason_without_a_prefix() -> None:
    event = parsed("messageFailed")
    assert isinstance(event, webhook.MessageFailed)
    assert event.error.startswith("Can't send mail")
    assert event.queue_id == "1a202117821d3b96f30"


def test_bounce_names_the_sent_mail_and_the_recipient() -> None:
    event = parsed("messageBounce")
    assert isinstance(event, webhook.MessageBounce)
    assert event.message_id == "<will-bounce@example.com>"
    assert (event.recipient, event.action) == ("gone@later.example.net", "failed")
    assert (event.status, event.category) == ("5.1.1", "user_unknown")
    assert event.bounce_message == "AAAAAQAAAAI"


def test_complaint_names_the_sent_mail() -> None:
    data = {
        "complaintMessage": "AAAAAQAAAAI",
        "arf": {"feedbackType": "abuse", "originalRcptTo": ["anna@example.org"]},
        "headers": {"messageId": "<sent@example.com>"},
    }
    event = webhook.parse_event({"account": "a", "event": "messageComplaint", "data": data})
    assert isinstance(event, webhook.MessageComplaint)
    assert (event.message_id, event.feedback_type) == ("<sent@example.com>", "abuse")
    assert event.recipients == ("anna@example.org",)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("accountAdded", ""),
        ("accountDeleted", ""),
        ("accountInitialized", ""),
        ("authenticationSuccess", ""),
        ("authenticationError-badpass", "AUTHENTICATIONFAILED"),
        ("connectError-noconn", "ECONNREFUSED"),
    ],
)
def test_account_events_tell_the_error_if_there_is_one(name: str, code: str) -> None:
    event = parsed(name)
    assert isinstance(event, webhook.AccountEvent)
    assert event.event == name.partition("-")[0]
    assert event.error_code == code
    assert bool(event.error) == bool(code)


@pytest.mark.parametrize("name", ["mailboxNew", "mailboxDeleted", "mailboxReset"])
def test_other_events_are_kept_unread(name: str) -> None:
    event = parsed(name)
    assert isinstance(event, webhook.UnknownEvent)
    assert event.data["path"] == event.path


@pytest.mark.parametrize("event", sorted(webhook._READERS))
@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"changes": 1, "job": [], "arf": "x"}])
def test_any_event_with_ill_typed_data_is_parsed(event: str, data: Any) -> None:
    assert webhook.parse_event({"account": "a", "event": event, "data": data}).event == event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"a":"\xff"}',
        b'{"event":"messageNew"}',
        b'{"account":"a"}',
        b'{"account":1,"event":"messageNew"}',
        b'{"account":"a","event":null}',
        b'{"account":"a","event":' + b"[" * 200_000,
        b'{"account":"a","event":"x","data":' + b"9" * 10_000 + b"}",
    ],
)
def test_unreadable_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        webhook.parse_event(body)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"a\\u0000b", "a\0b"),
        (b"a\x00b", "a\0b"),
        (b"\\ud83d", "\ud83d"),
        (b"\xed\xa0\xbd", "\ud83d"),
        ("\N{SNOWMAN}".encode(), "\N{SNOWMAN}"),
    ],
)
def test_odd_characters_do_not_stop_the_parsing(written: bytes, read: str) -> None:
    body = b'{"account":"a","event":"messageNew","data":{"id":"1","subject":"' + written + b'"}}'
    event = webhook.parse_event(body)
    assert isinstance(event, webhook.MessageNew)
    assert event.message.subject == read
