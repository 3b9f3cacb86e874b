"""Machines are told from people, by a rule with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.engine.types import Address, Attachment, Message
from limepkg_email.incoming.verdict import (
    RULES,
    Kind,
    Verdict,
    machine_verdict,
    wants_no_automatic_answer,
)
from tests.incoming.capture import notified

ANY = st.text(st.characters(codec=None, exclude_categories=()))


def mail(
    headers: Mapping[str, str] | None = None,
    *,
    sender: str = "anna@example.org",
    subject: str = "Hej",
    **fields: Any,
) -> Message:
    known = {"from": sender, "return-path": f"<{sender}>", **(headers or {})}
    return Message(
        id="AAAA",
        from_=Address("", sender),
        subject=subject,
        headers={name: (value,) for name, value in known.items()},
        **fields,
    )


REPORT = "multipart/report; report-type={}; boundary=x"
PART = (Attachment(id="A", content_type="message/delivery-status"),)
NULL = {"return-path": "<>"}
DAEMON = "MAILER-DAEMON@mx.example.com"

MACHINES = [
    ("bounce", "delivery-report", mail({"content-type": REPORT.format("delivery-status")})),
    ("bounce", "delivery-report", mail({"content-type": REPORT.format('"delivery-status"')})),
    ("bounce", "delivery-report-part", mail(NULL, attachments=PART)),
    ("bounce", "failed-recipients-header", mail({"x-failed-recipients": "bo@example.com"})),
    ("bounce", "engine-says-bounce", mail(NULL, is_bounce=True)),
    ("bounce", "null-return-path-daemon", mail(NULL, sender=DAEMON)),
    ("bounce", "null-return-path-daemon", mail(NULL, sender="postmaster@example.com")),
    ("bounce", "null-return-path-bounce-subject", mail(NULL, subject="Undelivered Mail")),
    ("bounce", "null-return-path-bounce-subject", mail(NULL, subject="Olevererbart: Hej")),
    ("bounce", "null-return-path-bounce-subject", mail(NULL, subject="Unzustellbar: Hej")),
    ("bounce", "daemon-bounce-subject", mail(sender=DAEMON, subject="failure notice")),
    (
        "autoreply",
        "read-receipt",
        mail({"content-type": REPORT.format("disposition-notification")}),
    ),
    ("autoreply", "feedback-report", mail({"content-type": REPORT.format("feedback-report")})),
    ("autoreply", "auto-replied", mail({"auto-submitted": "auto-replied"})),
    ("autoreply", "auto-replied", mail({"auto-submitted": "Auto-Replied (vacation)"})),
    ("autoreply", "auto-replied", mail({"auto-submitted": "auto-replied; owner-email=a@b.se"})),
    ("autoreply", "precedence-auto-reply", mail({"precedence": "auto_reply"})),
    ("autoreply", "autoreply-header", mail({"x-autoreply": "yes"})),
    ("autoreply", "autoreply-header", mail({"x-autorespond": "Hej"})),
    (
        "autoreply",
        "absence-subject-supported",
        mail({"auto-submitted": "auto-generated"}, subject="Automatic reply: Hej"),
    ),
    (
        "autoreply",
        "absence-subject-supported",
        mail({"x-auto-response-suppress": "All"}, subject="Autosvar: Hej"),
    ),
    (
        "autoreply",
        "absence-subject-supported",
        mail(subject="Poissa toimistolta: Hej", in_reply_to="<1@example.com>"),
    ),
    (
        "bulk",
        "auto-generated",
        mail({"auto-submitted": "auto-generated"}, in_reply_to="<1@example.com>"),
    ),
    ("autoreply", "null-return-path", mail(NULL)),
    ("bulk", "list-header", mail({"list-id": "<news.example.org>"})),
    ("bulk", "list-header", mail({"list-unsubscribe": "<https://example.org/u>"})),
    ("bulk", "precedence-bulk", mail({"precedence": "Bulk"})),
    ("bulk", "precedence-bulk", mail({"precedence": "list"})),
    ("bulk", "auto-generated", mail({"auto-submitted": "auto-generated"})),
    ("bulk", "machine-header", mail({"x-cron-env": "<SHELL=/bin/sh>"})),
    (
        "bulk",
        "suppress-and-no-reply",
        mail({"x-auto-response-suppress": "All"}, sender="no-reply@example.org"),
    ),
    ("autoreply", "engine-says-auto-reply", Message(id="A", is_auto_reply=True)),
]

PEOPLE = [
    mail(),
    mail(subject="Fwd: What does this mean?", attachments=PART, is_bounce=True),
    mail({"auto-submitted": "no"}),
    mail({"precedence": "first-class"}),
    mail({"x-auto-response-suppress": "All"}, is_auto_reply=True),
    mail({"x-loop": "support@example.com"}),
    mail(sender="noreply@shop.example"),
    mail(sender="postmaster@example.org", subject="A question about your server"),
    mail(subject="Out of office next week", is_auto_reply=True),
    mail(subject="Re: Undelivered Mail Returned to Sender", in_reply_to="<1@example.com>"),
    mail({"x-autoreply": "no"}),
    Message(id="A"),
]


@pytest.mark.parametrize(("kind", "reason", "message"), MACHINES, ids=lambda value: str(value)[:40])
def test_a_machine_is_known_by_its_sign(kind: Kind, reason: str, message: Message) -> None:
    assert machine_verdict(message) == Verdict(kind, reason)


@pytest.mark.parametrize("message", PEOPLE)
def test_a_person_is_not_taken_for_a_machine(message: Message) -> None:
    assert machine_verdict(message).kind == "human"


def test_every_rule_has_a_name_of_its_own_and_an_example() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {reason for _, reason, _ in MACHINES} == set(names)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dsn", "bounce"),
        ("autoreply", "autoreply"),
        ("full", "human"),
        ("reply", "human"),
        ("nomid", "human"),
        ("weird", "human"),
    ],
)
def test_real_mails_are_told_apart(name: str, kind: str) -> None:
    assert machine_verdict(notified(name)).kind == kind


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("All", True), ("OOF, AutoReply", True), ("DR, NDR, RN, NRN", False), ("", False)],
)
def test_a_sender_can_ask_for_no_automatic_answer(value: str, wanted: bool) -> None:
    assert wants_no_automatic_answer(mail({"x-auto-response-suppress": value})) is wanted


HEADER = st.sampled_from(
    ["auto-submitted", "precedence", "return-path", "content-type", "list-id", "from"]
)


@given(st.dictionaries(HEADER, st.lists(ANY, max_size=2).map(tuple)), ANY, ANY)
def test_any_mail_gets_a_verdict(
    headers: dict[str, tuple[str, ...]], subject: str, sender: str
) -> None:
    message = Message(id="A", headers=headers, subject=subject, from_=Address("", sender))
    assert machine_verdict(message).kind in ("human", "autoreply", "bounce", "bulk")


def test_endless_headers_take_no_time() -> None:
    endless = dict.fromkeys(
        ["auto-submitted", "precedence", "content-type", "return-path"], "a" * 2_000_000
    )
    assert machine_verdict(mail(endless, sender="noreply" * 300_000)).kind == "bulk"
