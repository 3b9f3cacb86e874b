"""A delivery report is traced to our mail and its recipient, whichever server wrote it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.engine.types import Address, Message, Text
from limepkg_email.incoming.bounce import BounceReport, read_bounce
from tests.incoming.capture import notified

REPORTS = Path(__file__).parent / "mails" / "bounces"
ANY = st.text(st.characters(codec=None, exclude_categories=()))
SENT = "<sent-1@example.com>"


def report(plain: str = "", *, rfc822: str = "", html: str = "", **fields: object) -> Message:
    message = Message(
        id="A",
        from_=Address("", "MAILER-DAEMON@mx.example.com"),
        message_id="<report@mx.example.com>",
        text=Text(plain=plain, html=html, rfc822=rfc822),
    )
    return replace(message, **fields)  # type: ignore[arg-type]


def test_the_report_of_a_real_postfix_is_read() -> None:
    assert read_bounce(notified("dsn")) == BounceReport(
        message_ids=("<will-bounce@example.com>",),
        recipient="gone@later.example.net",
        action="failed",
        status="",
        text="The email account that you tried to reach does not exist",
    )


@pytest.mark.parametrize(
    ("name", "recipient", "action", "status", "reason"),
    [
        ("postfix", "bo@example.net", "failed", "5.1.1", "unknown user"),
        ("postfix-delayed", "bo@example.net", "delayed", "", "Connection timed out"),
        ("postfix-delivered", "bo@example.net", "delivered", "2.0.0", "250 2.0.0 Ok"),
        ("exim", "bo@example.net", "failed", "5.0.0", "550 No such user here"),
        ("exchange", "bo@example.net", "failed", "5.1.10", "550 5.1.10"),
        ("gmail", "bo@example.net", "failed", "5.1.1", "550 5.1.1"),
        ("gmail-delayed", "bo@example.net", "delayed", "", "will retry"),
        ("qmail", "bo@example.net", "failed", "5.0.0", "does not like recipient"),
        ("fields", "bo@example.net", "failed", "5.2.2", "mailbox full"),
    ],
)
def test_the_words_of_a_mail_server_are_understood(
    name: str, recipient: str, action: str, status: str, reason: str
) -> None:
    found = read_bounce(report((REPORTS / f"{name}.txt").read_text(encoding="utf-8")))
    assert (found.recipient, found.action, found.status) == (recipient, action, status)
    assert reason in found.text


def test_the_enclosed_mail_names_ours_before_all_else() -> None:
    enclosed = (
        "Message-ID: <sent-1@example.com>\r\nTo: Bo <Bo@Example.net>\r\n"
        "References: <a@example.com>\r\n <b@example.com>\r\nIn-Reply-To: <b@example.com>\r\n"
        "\r\nMessage-ID: <in-the-text@example.com>\r\n"
    )
    found = read_bounce(report(rfc822=enclosed, in_reply_to="<c@example.com>"))
    assert found.message_ids == (SENT, "<c@example.com>", "<b@example.com>", "<a@example.com>")
    assert found.recipient == "bo@example.net"


def test_a_folded_message_id_is_found() -> None:
    assert read_bounce(report(rfc822=f"Message-ID:\r\n {SENT}\r\n\r\n")).message_ids == (SENT,)


def test_what_the_engine_found_is_used() -> None:
    assert read_bounce(report(related_message_id=SENT)).message_ids == (SENT,)


def test_the_header_of_exim_and_gmail_names_the_recipient() -> None:
    headers = {"x-failed-recipients": ("Bo@example.net, eva@example.net",)}
    assert read_bounce(report(headers=headers)).recipient == "bo@example.net"


def test_several_recipients_of_the_enclosed_mail_name_none() -> None:
    assert read_bounce(report(rfc822="To: a@example.net, b@example.net\n\n")).recipient == ""


def test_the_report_itself_is_no_candidate() -> None:
    found = read_bounce(report(related_message_id="<report@mx.example.com>"))
    assert found.message_ids == ()


def test_a_report_in_html_alone_is_read() -> None:
    html = "<p>Your message wasn't delivered to <b>bo@example.net</b>: 550 5.1.1 no such user</p>"
    found = read_bounce(report(html=html))
    assert (found.recipient, found.status) == ("bo@example.net", "5.1.1")


def test_a_report_that_says_nothing_has_failed() -> None:
    assert read_bounce(Message(id="A")) == BounceReport()


@given(ANY, ANY, ANY)
def test_any_report_is_read(plain: str, html: str, rfc822: str) -> None:
    found = read_bounce(report(plain, html=html, rfc822=rfc822, related_message_id=plain))
    assert len(found.text) <= 500
    assert found.action in ("failed", "delayed", "delivered", "relayed", "expanded")
    found.text.encode()


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a@b",
        "a@b.c ",
        "To: ",
        "References: <a@b>\n ",
        "\n ",
        "550 ",
        "following recipient ",
        "delivery to ",
        "Message-ID: <",
        "Final-Recipient: ;",
        "error: ",
        "x",
        " ",
        "<a@b.se> (",
        ">",
        "Diagnostic-Code: a\n ",
        "<p>",
        "5.1.",
        "an folgende",
    ],
)
def test_an_endless_report_takes_no_time(piece: str) -> None:
    endless = piece * (2_000_000 // len(piece))
    started = time.process_time()
    read_bounce(report(endless, rfc822=endless, related_message_id=endless[:10_000]))
    read_bounce(report(html=endless))
    assert time.process_time() - started < 2
