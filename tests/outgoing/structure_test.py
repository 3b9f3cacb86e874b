"""What arrives at a mail server, as Python's own parser reads it."""

from __future__ import annotations

import base64
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.outgoing.autoreply import auto_reply
from limepkg_email.outgoing.draft import Recipient

from .autoreply_test import choose, occasions
from .conftest import Post
from .relay_test import begin, relayed, reply

ANNA, BO = "anna@example.org", "bo@example.org"
GIF = b"GIF89a" + bytes(range(64))
PICTURE = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
WRITINGS = {
    "swedish": "Åsa Öberg: räksmörgås",
    "japanese": "請求書についての質問 佐藤由紀",
    "emoji": "Hurra 🎉👩‍👩‍👧 flag 🇸🇪",
    "long": "Överenskommelse 請求書 🚀 " * 6 + "slut",
    "marks": 'a "b" (c), d; e: f <g> \\ h',
}


def only(post: Post, address: str) -> EmailMessage:
    post.submit()
    (mail,) = post.delivered(address)
    return mail


def shape(part: EmailMessage) -> object:
    """The content types of a mail, with those of its parts within."""
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_type(), *(shape(each) for each in part.iter_parts())]


def shown_name(mail: EmailMessage, header: str) -> str:
    """The name as RFC 2047 has it read; the parser of Python 3.11 leaves spaces within."""
    raw = next(str(value) for name, value in mail.raw_items() if name == header)
    encoded, _ = parseaddr("".join(raw.splitlines()))
    return str(make_header(decode_header(encoded)))


def test_a_plain_mail_is_text_and_html_that_say_the_same(post: Post) -> None:
    post.office.send(post.office.conversation(ANNA), text="Hej Åsa 🙂\nTack")
    mail = only(post, ANNA)
    assert shape(mail) == ["multipart/alternative", "text/plain", "text/html"]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().split() == ["Hej", "Åsa", "🙂", "Tack"]
    assert "<p>Hej Åsa 🙂<br>Tack</p>" in html.get_content()
    assert mail.defects == plain.defects == html.defects == []


def test_pictures_are_related_to_the_html_and_files_stand_beside_the_text(post: Post) -> None:
    office = post.office
    file = office.file("plan.pdf", b"%PDF", "application/pdf")
    html = f'<p>See <img src="{PICTURE}"></p>'
    office.send(office.conversation(ANNA), text="", html=html, files=(file,))
    mail = only(post, ANNA)
    assert mail.get_content_type() == "multipart/mixed"
    (related,) = [each for each in mail.walk() if each.get_content_type() == "multipart/related"]
    within = [each.get_content_type() for each in related.walk()]
    assert {"text/html", "image/gif"} <= set(within)
    assert "application/pdf" not in within
    assert [each.get_filename() for each in mail.iter_attachments()] == ["plan.pdf"]
    (picture,) = [each for each in mail.walk() if each.get_content_type() == "image/gif"]
    assert picture.get_content() == GIF
    body = mail.get_body(("html",))
    assert body is not None
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in body.get_content()


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
def test_names_subjects_and_file_names_arrive_in_every_writing(post: Post, writing: str) -> None:
    office = post.office
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(name=writing))
    file = office.file(f"{writing}.txt", writing.encode())
    anna = Recipient(ANNA, writing)
    office.send(None, text=writing, subject=writing, recipients=(anna,), files=(file,))
    mail = only(post, ANNA)
    assert mail["Subject"] == writing
    assert shown_name(mail, "From") == f"Lisa Berg via {writing}"
    assert shown_name(mail, "To") == writing
    (attached,) = mail.iter_attachments()
    # Engine and sandbox put harmless marks in the place of what ends a quoted name.
    expected = f"{writing}.txt".replace('"', "'").replace("\\", "_")
    assert attached.get_filename() == expected
    assert attached.get_payload(decode=True) == writing.encode()
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == writing
    assert all(str(value).isascii() for _, value in mail.raw_items())


def test_only_what_nobody_wrote_says_so(post: Post) -> None:
    office = post.office
    choose(office)
    begin(office, BO)
    reply(office)
    office.send(office.all("conversation")[0].id, text="From a person")
    for each in occasions(office):
        auto_reply(office.system, each)
    relayed(office)
    post.submit()
    told = {str(each["Auto-Submitted"]) for each in post.delivered(ANNA)}
    assert told == {"None", "auto-generated", "auto-replied"}
    for mail in post.delivered(ANNA):
        automatic = mail["Auto-Submitted"] is not None
        assert (mail["X-Auto-Response-Suppress"] == "All") is automatic


def test_every_header_that_decides_stands_once(post: Post) -> None:
    office = post.office
    conversation = office.conversation()
    anna = office.follower(conversation, ANNA)
    office.received(conversation, anna, "<question@example.org>")
    office.send(conversation, text="Answer")
    mail = only(post, ANNA)
    names = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "In-Reply-To")
    for name in (*names, "References", "X-Limepkg-Email"):
        assert len(mail.get_all(name) or ()) == 1, name
    for name in ("Cc", "Bcc", "Reply-To", "Return-Receipt-To", "Disposition-Notification-To"):
        assert mail[name] is None, name
    assert mail["In-Reply-To"] == mail["References"] == "<question@example.org>"


def test_each_follower_has_a_thread_of_their_own(post: Post) -> None:
    office = post.office
    conversation = office.conversation()
    for address, own in ((ANNA, "<anna-1@example.org>"), (BO, "<bo-1@example.org>")):
        office.received(conversation, office.follower(conversation, address), own)
    office.send(conversation, text="One")
    post.submit()
    office.send(conversation, text="Two")
    post.submit()
    for address, own in ((ANNA, "<anna-1@example.org>"), (BO, "<bo-1@example.org>")):
        first, second = post.delivered(address)
        assert first["References"] == own
        assert second["In-Reply-To"] == first["Message-ID"]
        assert second["References"].split() == [own, first["Message-ID"]]
