"""Hostile mail, by the SMTP door and straight into the parser: never an error, never a loss."""

import base64
import json
import smtplib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limepkg_email.sandbox import Sandbox
from limepkg_email.sandbox.headers import addresses, decode_words
from limepkg_email.sandbox.messages import parse_mail
from limepkg_email.testing.engine_api import WebhookReceiver
from tests.sandbox.conftest import Connect, MakeSandbox, listen

NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(200)
)
HOSTILE = {
    "nothing": b"",
    "only a line end": b"\r\n",
    "no body": b"Subject: x",
    "no from, date or id": b"Subject: x\r\n\r\nhello",
    "NULs": b"From: a@example.org\x00\r\nSubject: \x00x\x00\r\n\r\nhel\x00lo\x00",
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe\xe5",
    "wrong charset": b"Content-Type: text/plain; charset=us-ascii\r\n\r\n\xff\xfe\xe5",
    "codec that is no charset": b"Content-Type: text/plain; charset=rot13\r\n\r\nuryyb",
    "codec that warns": b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\q\\ud800",
    "codec that refuses": b"Content-Type: text/plain; charset=undefined\r\n\r\nx",
    "surrogates": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    "megabyte header": b"Subject: " + b"x" * 1_000_000 + b"\r\n\r\nhello",
    "megabyte of folds": b"Subject: x" + b"\r\n x" * 250_000 + b"\r\n\r\nhello",
    "megabyte of addresses": b"To: " + b"a@example.org, " * 70_000 + b"\r\n\r\nhello",
    "megabyte of brackets": b"From: " + b"(" * 300_000 + b"<" * 300_000 + b"\r\n\r\nx",
    "megabyte of quotes": b'From: "' + b'\\"' * 300_000 + b"\r\n\r\nx",
    "many encoded words": b"Subject: " + b"=?utf-8?q?=C3=A5?= " * 30_000 + b"\r\n\r\nx",
    "broken encoded words": b"Subject: =?utf-8?b?%%%?= =?x?q?=ZZ?= =?utf-8?b?w4?=\r\n\r\nx",
    "nested 200 deep": NESTED + b"hello",
    "many parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    + b"--b\r\n\r\nx\r\n" * 20_000,
    "no end of parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhello',
    "empty boundary": b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nhello',
    "boundary never used": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\nhello',
    "base64 of garbage": b"Content-Transfer-Encoding: base64\r\n\r\n%%%a====b=",
    "strange parameters": b"Content-Type: text/plain; name*0*=x'y'%ff; name*=\r\n\r\nx",
    "report of nothing": b"Content-Type: message/delivery-status\r\n\r\n\r\n\r\n",
    "header lines of junk": b"\xff\xfe: x\r\n: \r\nX\r\n\tfold\r\n\r\nhello",
    "date of no year": b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_quickly(name: str) -> None:
    started = time.perf_counter()
    parsed = parse_mail(HOSTILE[name])
    assert time.perf_counter() - started < 3
    json.dumps([parsed.summary, parsed.detail], ensure_ascii=False).encode("utf-8")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=100))
def test_any_bytes_are_a_mail(head: bytes, body: bytes) -> None:
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n' + head + b"\r\n\r\n--b\r\n" + body
    for one in (raw, head, body):
        parsed = parse_mail(one)
        json.dumps([parsed.summary, parsed.detail], ensure_ascii=False).encode("utf-8")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_header(text: str) -> None:
    decode_words(text)
    for person in addresses(text):
        assert set(person) == {"name", "address"}


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("a@example.org", [("", "a@example.org")]),
        ("Anna <a@example.org>", [("Anna", "a@example.org")]),
        ('"Andersson, Anna" <a@example.org>', [("Andersson, Anna", "a@example.org")]),
        ('"Anna \\"A\\"" <a@example.org>', [('Anna "A"', "a@example.org")]),
        ("a@example.org (Anna)", [("Anna", "a@example.org")]),
        (
            "=?utf-8?q?=C3=85sa?= <a@example.org>, b@example.org",
            [("Åsa", "a@example.org"), ("", "b@example.org")],
        ),
        ("undisclosed-recipients:;", [("undisclosed-recipients", "")]),
        (
            "Team: a@example.org, b@example.org;, c@example.org",
            [("Team", ""), ("", "a@example.org"), ("", "b@example.org"), ("", "c@example.org")],
        ),
        ("<>", [("", "")]),
        ("", []),
    ],
)
def test_addresses_are_read(text: str, people: list[tuple[str, str]]) -> None:
    assert [(one["name"], one["address"]) for one in addresses(text)] == people


def test_a_letter_split_over_two_words_is_one_letter() -> None:
    assert decode_words("=?utf-8?q?=C3?= =?utf-8?q?=A5?= x") == "å x"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_passes_the_door_and_is_announced(
    make_sandbox: MakeSandbox, connect: Connect, receiver: WebhookReceiver, name: str
) -> None:
    sandbox = make_sandbox(smtp_port=0)
    api = connect(sandbox)
    listen(api, receiver)
    with smtplib.SMTP(*sandbox.smtp_address, timeout=60) as client:
        client.sendmail("anna@example.org", ["support@example.com"], HOSTILE[name])
    assert sandbox.wait_until_idle()
    (event,) = receiver.events("messageNew")
    source = api.request("GET", f"message/{event['data']['id']}/source").content
    assert source.startswith(b"Return-Path: <anna@example.org>\r\nDelivered-To: support@")
    assert event["data"]["messageId"]
    assert api.get("messages", path="INBOX")["total"] == 1


def test_ten_thousand_recipients(make_sandbox: MakeSandbox, connect: Connect) -> None:
    sandbox = make_sandbox(smtp_port=0)
    connect(sandbox)
    people = [f"person{n}@example.net" for n in range(10_000)] + ["support@example.com"]
    with smtplib.SMTP(*sandbox.smtp_address, timeout=60) as client:
        assert client.sendmail("anna@example.org", people, b"Subject: x\r\n\r\nhello") == {}
    found = sandbox.control("GET", "/mailboxes/person9999@example.net/messages?raw=true")
    assert b"Delivered-To: person9999@" in base64.b64decode(found["messages"][0]["raw"])


def test_door_refuses_whom_it_should(sandbox: Sandbox, make_sandbox: MakeSandbox) -> None:
    door = make_sandbox(smtp_port=0, size_limit=10_000, directory=sandbox.options.directory / "b")
    with smtplib.SMTP(*door.smtp_address, timeout=60) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "10000"
        client.mail("anna@example.org")
        assert client.rcpt("x@elsewhere.com")[0] == 550
        assert client.rcpt("reject@example.org")[0] == 550
        assert client.rcpt("greylist@example.org")[0] == 451
        assert client.rcpt("greylist@example.org")[0] == 451
        assert client.rcpt("greylist@example.org")[0] == 250
        client.rset()
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("a@example.org", ["b@example.org"], b"x" * 20_000)


def test_bounce_by_smtp_goes_to_the_sender(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(smtp_port=0)
    with smtplib.SMTP(*sandbox.smtp_address, timeout=60) as client:
        client.sendmail("anna@example.org", ["bounce@example.net"], b"Subject: x\r\n\r\nx")
    assert sandbox.wait_until_idle()
    (report,) = sandbox.control("GET", "/mailboxes/anna@example.org/messages")["messages"]
    assert report["subject"] == "Undelivered Mail Returned to Sender"
