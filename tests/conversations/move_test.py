"""A message goes to another conversation; people and later answers follow it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from limepkg_email.conversations.merge import merge
from limepkg_email.conversations.move import Relocated, move
from limepkg_email.errors import Forbidden, NotFound
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.query import And, Equals
from tests.conversations.correspondence import Correspondence
from tests.incoming.arriving import arriving
from tests.installation import NOW
from tests.statements import counted


def test_later_answers_follow_the_message_and_others_stay(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    strayed = mail.answer("<one@example.org>", message_id="<strayed@example.org>")
    done = move(mail.services, strayed.conversationmessage, other.conversation)
    assert done == Relocated(one.conversation, other.conversation, (strayed.conversationmessage,))
    assert mail.answer("<strayed@example.org>").conversation == other.conversation
    assert mail.answer("<one@example.org>").conversation == one.conversation
    mail.consistent()


def test_answers_to_a_message_of_ours_follow_it_too(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    sent = mail.send(one.conversation)
    move(mail.services, sent.conversationmessage, other.conversation)
    answer = mail.answer(mail.message_id(sent), "somebody@elsewhere.example")
    assert answer.conversation == other.conversation


def test_who_takes_part_in_nothing_else_goes_along_and_others_follow_both(
    mail: Correspondence,
) -> None:
    one = mail.first("<one@example.org>", "anna@example.org")
    other = mail.first("<other@example.org>", "carl@example.org")
    strayed = mail.answer("<one@example.org>", "zoe@example.org", cc=("anna@example.org",))
    zoe = mail.crm.one("follower", Equals("email", "zoe@example.org"))
    move(mail.services, strayed.conversationmessage, other.conversation)
    assert mail.emails(one.conversation) == ["anna@example.org"]
    expected = ["anna@example.org", "carl@example.org", "zoe@example.org"]
    assert mail.emails(other.conversation) == expected
    assert mail.crm.one("follower", Equals("email", "zoe@example.org")).id == zoe.id
    mail.consistent()


def test_an_address_that_follows_there_already_stays_one_follower(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    move(mail.services, one.conversationmessage, other.conversation)
    assert mail.emails(other.conversation) == ["anna@example.org"]
    assert mail.emails(one.conversation) == []
    assert mail.conversation(one.conversation)["unread"] is False
    mail.consistent()


def test_both_conversations_tell_what_their_messages_say(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>", date=NOW - timedelta(hours=3))
    other = mail.first("<other@example.org>", date=NOW - timedelta(hours=2))
    late = mail.answer("<one@example.org>", date=NOW - timedelta(hours=1))
    with mail.services.application.unit_of_work() as work:
        read = {"unread": False}
        for each in (one.conversationmessage, other.conversationmessage):
            work.objects.update("conversationmessage", each, read)
        work.objects.update("conversation", other.conversation, read)
    move(mail.services, late.conversationmessage, other.conversation)
    source, target = mail.conversation(one.conversation), mail.conversation(other.conversation)
    assert (source["unread"], source["lastmessagedate"]) == (False, NOW - timedelta(hours=3))
    assert (target["unread"], target["lastmessagedate"]) == (True, NOW - timedelta(hours=1))


def test_a_message_that_is_there_already_stays(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    done = move(mail.services, one.conversationmessage, one.conversation)
    assert done == Relocated(one.conversation, one.conversation, (one.conversationmessage,))


def test_who_may_not_does_not(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    with pytest.raises(Forbidden):
        move(mail.acting("reader"), one.conversationmessage, other.conversation)
    with pytest.raises(NotFound):
        move(mail.acting("stranger"), one.conversationmessage, other.conversation)
    with pytest.raises(NotFound):
        move(mail.services, one.conversationmessage, 999)
    with pytest.raises(NotFound):
        move(mail.services, 999, one.conversation)
    assert mail.answer("<one@example.org>").conversation == one.conversation


@pytest.mark.parametrize("others", [1, 2, 12])
def test_the_number_of_statements_does_not_grow_with_the_conversation(
    mail: Correspondence, others: int
) -> None:
    mail.first("<one@example.org>")
    other = mail.first("<other@example.org>", "carl@example.org")
    for _ in range(others):
        strayed = mail.answer("<one@example.org>", "zoe@example.org")
    with counted(mail.services.application.database) as statements:
        move(mail.services, strayed.conversationmessage, other.conversation)
    # Once only she goes along; who stays as well is copied and the message follower changed.
    assert len(statements) == (20 if others == 1 else 21), statements


def test_a_message_that_is_moved_while_its_conversation_is_merged_arrives_somewhere(
    mail: Correspondence,
) -> None:
    services = mail.services
    for number in range(5):
        ids = [mail.first(f"<{number}-{each}@example.org>") for each in range(3)]
        one, two, three = (each.conversation for each in ids)
        strayed = mail.answer(f"<{number}-1@example.org>", message_id=f"<{number}-s@example.org>")
        letter = arriving(in_reply_to=f"<{number}-s@example.org>")
        with ThreadPoolExecutor(3) as pool:
            moving = pool.submit(move, services, strayed.conversationmessage, three)
            merging = pool.submit(merge, services, two, one)
            arriving_ = pool.submit(import_message, services, "support", letter)
            for each in (moving, merging, arriving_):
                each.result()
        assert strayed.conversationmessage in mail.messages(three)
        assert len(mail.messages(one)) + len(mail.messages(three)) == 5
        assert mail.answer(f"<{number}-s@example.org>").conversation == three
        gone = And((Equals("id", two),))
        assert mail.crm.all("conversation", gone) == []
    mail.consistent()
