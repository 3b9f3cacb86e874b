"""A mail has one key, wherever it lies and however we hear of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.engine.types import Address, Message
from limepkg_email.incoming.identity import content_key, effective_message_id, mail_key
from tests.incoming.capture import fetched, listed, notified

ANY = st.text(st.characters(codec=None, exclude_categories=()))
SENT = datetime(2026, 11, 20, 9, 4, 5, tzinfo=UTC)
MAIL = Message(
    id="AAAA",
    uid=1,
    path="INBOX",
    date=SENT,
    size=1000,
    subject="Hej",
    from_=Address("Anna", "anna@example.org"),
    message_id="<1@example.org>",
)


def key_of(entries: list[Message], message_id: str) -> str:
    return next(mail_key(entry) for entry in entries if entry.message_id == message_id)


@pytest.mark.parametrize(
    ("webhook", "listing"),
    [
        ("autoreply", "messages-list-page0"),
        ("reply", "messages-list-page0"),
        ("nomid", "messages-list-page1"),
        ("weird", "messages-list-page1"),
        ("autoreply", "messages-list-after-move"),
        ("other-folder", "messages-list-sent"),
        ("objectid-full", "messages-list-objectid"),
        ("objectid-reply", "messages-list-objectid"),
    ],
)
def test_a_webhook_and_a_listing_give_the_same_key(webhook: str, listing: str) -> None:
    mail = notified(webhook)
    assert key_of(listed(listing), mail.message_id) == mail_key(mail)


def test_the_whole_mail_has_the_key_of_its_webhook() -> None:
    assert mail_key(fetched("message-get")) == mail_key(notified("full"))


def test_a_move_to_another_folder_and_back_keeps_the_key() -> None:
    assert content_key(notified("moved-back-to-inbox")) == content_key(notified("reply"))


def test_id_uid_folder_and_flags_take_no_part() -> None:
    moved = replace(MAIL, id="BBBB", uid=9, path="Failed", flags=("\\Seen",), unseen=False)
    assert content_key(moved) == content_key(MAIL)


def test_the_object_id_of_the_server_is_the_key_where_there_is_one() -> None:
    assert mail_key(notified("objectid-full")).startswith("e:M14bd")
    assert mail_key(MAIL) == f"h:{content_key(MAIL)}"


@pytest.mark.parametrize("email_id", ["x" * 500, "a b", "a\x00b", "å"])
def test_an_object_id_that_is_none_is_not_used(email_id: str) -> None:
    assert mail_key(replace(MAIL, email_id=email_id)).startswith("h:")


@pytest.mark.parametrize(
    "other",
    [
        replace(MAIL, message_id="<2@example.org>"),
        replace(MAIL, date=SENT + timedelta(seconds=1)),
        replace(MAIL, date=None),
        replace(MAIL, from_=Address("Anna", "bo@example.org")),
        replace(MAIL, subject="Hej igen"),
        replace(MAIL, message_id=""),
        # What stands where must count, not only what stands there.
        replace(MAIL, subject="", message_id="<1@example.org>Hej"),
    ],
)
def test_a_sender_that_reuses_a_message_id_loses_no_mail(other: Message) -> None:
    assert content_key(other) != content_key(MAIL)


def test_without_a_message_id_the_size_tells_mails_apart() -> None:
    mail = replace(MAIL, message_id="")
    assert content_key(mail) != content_key(replace(mail, size=1001))
    assert content_key(MAIL) == content_key(replace(MAIL, size=1001))


def test_time_zone_and_fractions_of_the_date_do_not_matter() -> None:
    local = SENT.astimezone(timezone(timedelta(hours=1))) + timedelta(milliseconds=900)
    assert content_key(replace(MAIL, date=local)) == content_key(MAIL)


@pytest.mark.parametrize(
    ("given_id", "used"),
    [
        ("<1@example.org>", "<1@example.org>"),
        (" <1@exam\r\n ple.org> ", "<1@example.org>"),
        ("1@example.org", "<1@example.org>"),
        ("<å@example.org>", "<å@example.org>"),
    ],
)
def test_a_message_id_is_used_in_angle_brackets(given_id: str, used: str) -> None:
    assert effective_message_id(replace(MAIL, message_id=given_id)) == used


@pytest.mark.parametrize(
    "unusable", ["", "<>", "<a><b>", "<" + "x" * 997 + ">", "<\x00@a>", "<\ud800@a>", "<\u202e@a>"]
)
def test_an_unusable_message_id_is_replaced_by_a_lasting_one(unusable: str) -> None:
    mail = replace(MAIL, message_id=unusable)
    made = effective_message_id(mail)
    assert made.endswith("@generated.invalid>")
    assert made == effective_message_id(replace(mail, id="CCCC", uid=77))
    assert made != effective_message_id(replace(mail, subject="another"))


@given(ANY, ANY, ANY)
def test_any_mail_has_keys_and_a_storable_message_id(
    given_id: str, subject: str, sender: str
) -> None:
    mail = replace(
        MAIL, message_id=given_id, email_id=given_id, subject=subject, from_=Address("", sender)
    )
    assert mail_key(mail) == mail_key(mail)
    made = effective_message_id(mail)
    assert len(made.encode()) <= 998
    assert made.isprintable()
