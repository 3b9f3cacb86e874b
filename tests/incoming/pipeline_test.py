"""Importing a mail: what is made, once, whatever order and repetition."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from limepkg_email.db import table
from limepkg_email.errors import ImportRefused
from limepkg_email.incoming.pipeline import Outcome, import_message
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import Account, Disposition, Job
from limepkg_email.outgoing.headers import MARKER, marker
from limepkg_email.query import Equals
from limepkg_email.schema.setup import installation_of
from limepkg_email.thread_index import enter_outgoing
from tests.incoming.arriving import arriving
from tests.installation import NOW, Installation


def run(installation: Installation, message: object, account: str = "support") -> Outcome:
    return import_message(installation.services, account, message)  # type: ignore[arg-type]


def receipts(installation: Installation) -> list[tuple[str, str]]:
    with installation.services.application.database.connect() as connection:
        rows = connection.execute(
            select(RECEIPTS.c.account, RECEIPTS.c.disposition).order_by(RECEIPTS.c.id)
        )
        return [(row.account, row.disposition) for row in rows]


def test_new_mail_makes_ticket_conversation_message_and_followers(
    installation: Installation,
) -> None:
    person = installation.add("person", firstname="Anna", lastname="A", email="Anna@Example.org")
    run(installation, arriving(cc=("lisa@example.net",)))

    ticket = installation.one("helpdesk")
    conversation = installation.one("conversation")
    message = installation.one("conversationmessage")
    assert ticket["title"] == "Booking"
    assert conversation["helpdesk"] == ticket.id
    assert conversation["unread"] is True
    assert conversation["lastmessagedate"] == NOW
    assert message["conversation"] == conversation.id
    assert message["source"] == "email"
    assert message["preview"] == "Hello, I would like to book a table."
    assert (message["authorname"], message["authoraddress"]) == (
        "Anna Andersson",
        "anna@example.org",
    )
    followers = {each["email"]: each for each in installation.all("follower")}
    assert set(followers) == {"anna@example.org", "lisa@example.net"}
    assert followers["anna@example.org"]["person"] == person
    assert followers["lisa@example.net"]["person"] is None
    roles = {
        (each["follower"], each["role"], each["state"])
        for each in installation.all("messagefollower")
    }
    assert roles == {
        (followers["anna@example.org"].id, "from", "received"),
        (followers["lisa@example.net"].id, "cc", "received"),
    }
    assert receipts(installation) == [("support", "imported")]


def test_the_same_mail_twice_is_imported_once(installation: Installation) -> None:
    mail = arriving()
    assert run(installation, mail).disposition is Disposition.IMPORTED
    assert run(installation, mail).disposition is None
    assert len(installation.all("conversationmessage")) == 1
    assert receipts(installation) == [("support", "imported")]


def test_a_moved_mail_is_not_imported_again(installation: Installation) -> None:
    run(installation, arriving(message_id="<one@example.org>"))
    run(installation, arriving(message_id="<one@example.org>", seems_like_new=False))
    assert len(installation.all("conversationmessage")) == 1


def test_different_mails_under_one_message_id_are_all_imported(installation: Installation) -> None:
    run(installation, arriving("First", message_id="<same@example.org>"))
    run(installation, arriving("Second", message_id="<same@example.org>"))
    assert [each["subject"] for each in installation.all("conversationmessage")] == [
        "First",
        "Second",
    ]


def test_mail_without_message_id_is_imported_once(installation: Installation) -> None:
    mail = arriving(message_id="")
    run(installation, mail)
    run(installation, mail)
    message_follower = installation.one("messagefollower")
    assert str(message_follower["messageid"]).startswith("<")
    assert len(installation.all("conversationmessage")) == 1


def test_reply_joins_the_conversation_it_refers_to(installation: Installation) -> None:
    run(installation, arriving(message_id="<one@example.org>"))
    installation.clock.advance(60)
    run(
        installation,
        arriving(
            "Something else",
            in_reply_to="<one@example.org>",
            date=NOW + timedelta(seconds=60),
        ),
    )
    conversation = installation.one("conversation")
    assert len(installation.all("conversationmessage")) == 2
    assert len(installation.all("follower")) == 1
    assert conversation["lastmessagedate"] == NOW + timedelta(seconds=60)


def test_reply_before_its_original_meets_it(installation: Installation) -> None:
    run(installation, arriving("Re: A", in_reply_to="<later@example.org>"))
    run(installation, arriving("A", message_id="<later@example.org>"))
    assert len(installation.all("conversation")) == 1


def test_two_replies_to_an_unseen_mail_meet(installation: Installation) -> None:
    run(installation, arriving("Re: A", references=("<unseen@example.org>",)))
    run(installation, arriving("Re: A", references=("<unseen@example.org>",)))
    assert len(installation.all("conversation")) == 1


def test_answer_to_our_own_mail_joins_whoever_sends_it(installation: Installation) -> None:
    outcome = run(installation, arriving(message_id="<one@example.org>"))
    assert outcome.imported is not None
    with installation.services.application.database.begin() as connection:
        enter_outgoing(connection, ["<ours@example.com>"], outcome.imported.conversation)
    run(
        installation,
        arriving("Re: Booking", sender="stranger@else.example", in_reply_to="<ours@example.com>"),
    )
    assert len(installation.all("conversation")) == 1


def test_stranger_cannot_enter_a_conversation_by_reference(installation: Installation) -> None:
    run(installation, arriving(message_id="<one@example.org>"))
    run(
        installation,
        arriving("Re: Booking", sender="mallory@else.example", in_reply_to="<one@example.org>"),
    )
    assert len(installation.all("conversation")) == 2
    with installation.services.application.database.connect() as connection:
        trace = connection.execute(
            select(RECEIPTS.c.trace).order_by(RECEIPTS.c.id.desc()).limit(1)
        ).scalar_one()
    assert any("not joined" in step["detail"] for step in trace)


def test_colleague_of_a_follower_joins(installation: Installation) -> None:
    run(installation, arriving(message_id="<one@example.org>"))
    run(
        installation,
        arriving("Re: Booking", sender="boss@example.org", in_reply_to="<one@example.org>"),
    )
    assert len(installation.all("conversation")) == 1
    assert len(installation.all("follower")) == 2


def test_customer_of_the_same_public_mail_provider_does_not_join(
    installation: Installation,
) -> None:
    run(installation, arriving(sender="anna@gmail.com", message_id="<one@gmail.com>"))
    run(installation, arriving(sender="mallory@gmail.com", in_reply_to="<one@gmail.com>"))
    assert len(installation.all("conversation")) == 2


def test_a_domain_that_only_begins_like_a_followers_does_not_join(
    installation: Installation,
) -> None:
    run(installation, arriving(sender="anna@example.org.evil.example", message_id="<one@x>"))
    run(installation, arriving(sender="bo@example.org", in_reply_to="<one@x>"))
    assert len(installation.all("conversation")) == 2


def test_provider_thread_joins_within_the_account_only(installation: Installation) -> None:
    installation.connect("sales", "sales@example.com")
    run(installation, arriving(thread_id="T1"))
    run(installation, arriving("Other subject", thread_id="T1"))
    run(installation, arriving("Other account", thread_id="T1"), "sales")
    assert len(installation.all("conversation")) == 2


def test_reply_without_references_joins_by_subject_and_sender(installation: Installation) -> None:
    run(installation, arriving("Bokning"))
    run(installation, arriving("SV: Bokning"))
    run(installation, arriving("Re: Bokning", sender="bo@example.org"))
    run(installation, arriving("Bokning"))
    assert len(installation.all("conversation")) == 3


def test_subject_does_not_join_after_thirty_days(installation: Installation) -> None:
    run(installation, arriving("Bokning"))
    installation.clock.advance(31 * 86400)
    run(installation, arriving("SV: Bokning", date=installation.clock()))
    assert len(installation.all("conversation")) == 2


def test_mail_in_another_folder_is_none_of_our_business(installation: Installation) -> None:
    assert run(installation, arriving(path="Sent", special_use="\\Sent")).disposition is None
    assert receipts(installation) == []


def test_mail_we_sent_ourselves_is_not_imported(installation: Installation) -> None:
    with installation.services.application.database.begin() as connection:
        enter_outgoing(connection, ["<ours@example.com>"], 1)
    outcome = run(installation, arriving(message_id="<ours@example.com>"))
    assert outcome.disposition is Disposition.OWN
    assert installation.all("conversation") == []


def test_mail_to_two_accounts_is_imported_once_and_seen_by_both(installation: Installation) -> None:
    installation.connect("sales", "sales@example.com")
    to = ("support@example.com", "sales@example.com")
    run(installation, arriving(message_id="<both@example.org>", to=to))
    run(installation, arriving(message_id="<both@example.org>", to=to), "sales")
    assert len(installation.all("conversationmessage")) == 1
    assert receipts(installation) == [("support", "imported"), ("sales", "second_sighting")]
    assert [each["email"] for each in installation.all("follower")] == ["anna@example.org"]


def test_unknown_account_is_refused_with_its_name(installation: Installation) -> None:
    with pytest.raises(ImportRefused, match="nobody"):
        run(installation, arriving(), "nobody")


def test_auto_reply_joins_quietly_and_makes_no_ticket(installation: Installation) -> None:
    away = {"auto-submitted": "auto-replied"}
    run(installation, arriving(message_id="<one@example.org>"))
    conversation = installation.one("conversation").id
    with installation.services.application.unit_of_work() as work:
        work.objects.update("conversation", conversation, {"unread": False})
    run(installation, arriving("Away", in_reply_to="<one@example.org>", headers=away))
    outcome = run(installation, arriving("Away", headers=away))
    assert outcome.disposition is Disposition.FILTERED
    assert installation.one("conversation")["unread"] is False
    quiet = installation.one("conversationmessage", Equals("machine", "autoreply"))
    assert quiet["unread"] is False


def test_reply_to_receives_the_answers_instead_of_from(installation: Installation) -> None:
    run(installation, arriving(reply_to=("private@example.org",)))
    active = {each["email"]: each["active"] for each in installation.all("follower")}
    assert active == {"anna@example.org": False, "private@example.org": True}


def test_followers_above_the_limit_are_named_in_the_trace(installation: Installation) -> None:
    crowd = tuple(f"user{number}@example.org" for number in range(10_000))
    run(installation, arriving(cc=crowd))
    assert len(installation.all("follower")) == 40
    with installation.services.application.database.connect() as connection:
        trace = connection.execute(select(RECEIPTS.c.trace)).scalar_one()
    assert any("9961 above the limit" in step["detail"] for step in trace)


def test_mail_before_the_activation_is_left_alone_unless_unread(
    installation: Installation,
) -> None:
    old = NOW - timedelta(days=30)
    seen = run(installation, arriving(date=old, unseen=False))
    unread = run(installation, arriving(date=old))
    assert seen.disposition is Disposition.BEFORE_ACTIVATION
    assert unread.disposition is Disposition.IMPORTED


@pytest.mark.parametrize(
    "mail",
    [
        {"subject": "a\x00b\ud800", "plain": "x\x00y\ud83d", "name": "\x00N"},
        {"subject": "", "plain": "", "name": "", "sender": ""},
        {"subject": "s" * 100_000, "plain": "t" * 3_000_000, "name": "n" * 10_000},
        {"sender": "not an address", "cc": ("", "@", "a@b@c", "x" * 400 + "@example.org")},
        {"message_id": "<" + "m" * 5000 + ">", "in_reply_to": "garbage <<>> <a@b"},
        {"references": tuple(f"<{number}@example.org>" for number in range(10_000))},
        {"date": None, "email_id": "e" * 5000, "thread_id": "t" * 5000},
        {"date": NOW + timedelta(days=36500)},
        {"html": "<div>" * 100_000 + "deep"},
        {"message_id": "<\x00nul@example.org>", "thread_id": "a\x00b"},
    ],
)
def test_strange_mail_is_imported_all_the_same(
    installation: Installation, mail: dict[str, object]
) -> None:
    outcome = run(installation, arriving(**mail))  # type: ignore[arg-type]
    assert outcome.disposition is Disposition.IMPORTED
    assert len(installation.all("conversationmessage")) == 1


def test_someone_who_answers_all_of_an_answer_to_us_joins(installation: Installation) -> None:
    outcome = run(installation, arriving(message_id="<one@example.org>"))
    assert outcome.imported is not None
    with installation.services.application.database.begin() as connection:
        enter_outgoing(connection, ["<ours@example.com>"], outcome.imported.conversation)
    run(installation, arriving(message_id="<two@example.org>", in_reply_to="<ours@example.com>"))
    run(
        installation,
        arriving(
            "Re: Booking",
            sender="consultant@else.example",
            in_reply_to="<two@example.org>",
            references=("<one@example.org>", "<ours@example.com>", "<two@example.org>"),
        ),
    )
    assert len(installation.all("conversation")) == 1


def test_a_late_mail_does_not_make_its_conversation_look_older(installation: Installation) -> None:
    run(installation, arriving(message_id="<one@example.org>"))
    for headers in ({}, {"auto-submitted": "auto-replied"}):
        late = NOW - timedelta(hours=3)
        mail = arriving("Late", in_reply_to="<one@example.org>", date=late, headers=headers)
        assert run(installation, mail).disposition is Disposition.IMPORTED
        assert installation.one("conversation")["lastmessagedate"] == NOW


def test_our_mail_is_known_by_its_mark_when_a_server_has_replaced_its_message_id(
    installation: Installation,
) -> None:
    application = installation.services.application
    ours = marker(installation_of(application), "0b2a")
    theirs = marker("7c1f", "0b2a")
    outcomes = [
        run(installation, arriving(headers={MARKER.lower(): value})) for value in (ours, theirs)
    ]
    assert [each.disposition for each in outcomes] == [Disposition.OWN, Disposition.IMPORTED]


def test_a_mail_that_was_cut_says_so(installation: Installation) -> None:
    mail = arriving()
    whole, cut, moved = (
        replace(mail.text, id=""),
        replace(mail.text, id="", has_more=True),
        replace(mail.text, id="", plain="", encoded_size_plain=5000),
    )
    for number, text in enumerate((whole, cut, moved)):
        run(installation, replace(mail, message_id=f"<{number}@example.org>", text=text))
    notes = [
        str(each["body"]).count("see the mailbox")
        for each in installation.all("conversationmessage")
    ]
    assert notes == [0, 1, 1]


def test_only_the_number_of_a_mail_in_the_inbox_is_used_to_mark_it(
    installation: Installation,
) -> None:
    run(installation, arriving())
    run(installation, arriving(path="[Gmail]/All Mail", special_use="\\Inbox"))
    job = table(Job)
    with installation.services.application.database.connect() as connection:
        payloads = connection.scalars(select(job.c.payload).order_by(job.c.id))
        numbers = [json.loads(each)["uid"] for each in payloads]
    assert numbers[0] > 0
    assert numbers[1] == 0


def test_long_names_of_new_persons_do_not_keep_their_mail_out(installation: Installation) -> None:
    account = table(Account)
    with installation.services.application.database.begin() as connection:
        connection.execute(update(account).values(create_persons=True))
    outcome = run(installation, arriving(name="n" * 10_000))
    assert outcome.disposition is Disposition.IMPORTED
    assert installation.one("follower")["person"] == installation.one("person").id


def test_an_account_with_national_characters_does_not_follow_itself(
    installation: Installation,
) -> None:
    installation.connect("bücher", "info@bücher.example")
    run(installation, arriving(to=("info@bücher.example", "info@xn--bcher-kva.example")), "bücher")
    assert [each["email"] for each in installation.all("follower")] == ["anna@example.org"]
