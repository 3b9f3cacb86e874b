"""Two conversations become one: nothing is lost, later mail follows, nobody is there twice."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest

from limepkg_email import drafts
from limepkg_email.conversations.followers import set_active
from limepkg_email.conversations.merge import merge
from limepkg_email.draft_files import Limits, Upload, attach
from limepkg_email.drafts import DraftContent
from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.incoming.message_trace import message_trace
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.incoming.receipt_search import read_receipts
from limepkg_email.query import And, Equals
from limepkg_email.services import Services
from limepkg_email.thread_index import assign, enter, message_id_digest
from tests.conversations.correspondence import Correspondence
from tests.incoming.arriving import arriving
from tests.installation import NOW
from tests.statements import counted


def test_messages_followers_and_signs_come_together_and_the_other_is_deleted(
    mail: Correspondence,
) -> None:
    one = mail.first("<one@example.org>", cc=("lisa@example.net",))
    other = mail.first("<other@example.org>", cc=("bob@example.net",))
    sent = mail.send(other.conversation, followers=None, recipients=())
    merge(mail.services, other.conversation, one.conversation)

    assert [each.id for each in mail.crm.all("conversation")] == [one.conversation]
    assert mail.messages(one.conversation) == [
        one.conversationmessage,
        other.conversationmessage,
        sent.conversationmessage,
    ]
    expected = ["anna@example.org", "bob@example.net", "lisa@example.net"]
    assert mail.emails(one.conversation) == expected
    mail.consistent()
    # What the other hung on stays, with nothing on it.
    assert len(mail.crm.all("helpdesk")) == 2


def test_answers_to_either_land_in_the_one_that_is_left(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    sent = mail.message_id(mail.send(other.conversation))
    merge(mail.services, other.conversation, one.conversation)
    for to in ("<one@example.org>", "<other@example.org>", sent):
        assert mail.answer(to).conversation == one.conversation
    # Also somebody new who answers what we sent.
    found = mail.answer(sent, "carl@elsewhere.example")
    assert found.conversation == one.conversation
    mail.consistent()


def test_the_mail_servers_thread_follows_as_well(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    other = mail.first("<other@example.org>", thread_id="thread-7")
    merge(mail.services, other.conversation, one.conversation)
    assert mail.receive(thread_id="thread-7").conversation == one.conversation


def test_the_conversation_tells_what_its_messages_say(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>", date=NOW - timedelta(hours=2))
    other = mail.first("<other@example.org>", date=NOW - timedelta(hours=1))
    with mail.services.application.unit_of_work() as work:
        work.objects.update("conversation", one.conversation, {"unread": False})
        work.objects.update("conversationmessage", one.conversationmessage, {"unread": False})
    merge(mail.services, other.conversation, one.conversation)
    found = mail.conversation(one.conversation)
    assert (found["unread"], found["lastmessagedate"]) == (True, NOW - timedelta(hours=1))
    merged_older = mail.first("<third@example.org>", date=NOW - timedelta(hours=9))
    merge(mail.services, merged_older.conversation, one.conversation)
    assert mail.conversation(one.conversation)["lastmessagedate"] == NOW - timedelta(hours=1)


def test_who_left_the_one_that_stays_does_not_come_back(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    left = mail.crm.one("follower", Equals("conversation", one.conversation))
    set_active(mail.services, left.id, active=False)
    merge(mail.services, other.conversation, one.conversation)
    kept = mail.crm.one("follower")
    assert (kept.id, kept["active"]) == (left.id, False)


def test_drafts_follow_and_none_is_lost(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    maria, paul = mail.acting("agent", "maria"), mail.acting("agent", "paul")
    drafts.save(maria, other.conversation, DraftContent(html="<p>Maria</p>", files=(1,)), 0)
    limits = Limits(each=9, together=9, of_user=9, count=9)
    file = attach(
        maria, other.conversation, Upload("a.txt", "text/plain", io.BytesIO(b"a"), 1), limits
    )
    drafts.save(paul, one.conversation, DraftContent(html="<p>One</p>", subject="A"), 0)
    drafts.save(paul, other.conversation, DraftContent(html="<p>Other</p>"), 0)
    merge(mail.services, other.conversation, one.conversation)
    marias, pauls = drafts.read(maria, one.conversation), drafts.read(paul, one.conversation)
    assert marias is not None
    assert pauls is not None
    assert (marias.content.html, marias.content.files) == ("<p>Maria</p>", (1,))
    assert (marias.uploads, pauls.uploads) == ((file,), ())
    assert pauls.content == DraftContent(html="<p>One</p><hr><p>Other</p>", subject="A")
    assert (marias.version, pauls.version) == (2, 2)


def named(mail: Correspondence, message: int) -> set[object]:
    """The conversations that the trace of a message and its receipts name."""
    found = message_trace(mail.services, message)
    assert "withheld" not in {each.code for each in found.entries}
    with mail.services.application.database.connect() as connection:
        receipts = read_receipts(connection, found.receipts)
    facts = [each.details for each in found.entries]
    return {
        *(each.conversation for each in receipts),
        *(each["conversation"] for each in facts if "conversation" in each),
        *(number for each in facts for number in each.get("conversations", ())),
    }


def test_receipts_and_traces_name_the_conversation_that_is_left(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    answer = mail.answer("<other@example.org>")
    both = mail.receive(references=("<other@example.org>", "<one@example.org>"))
    stranger = mail.answer("<other@example.org>", "carl@elsewhere.example")
    assert stranger.conversation not in (one.conversation, other.conversation)
    # What was kept apart because nobody knew the sender, and what it referred to.
    merge(mail.services, stranger.conversation, other.conversation)
    merge(mail.services, other.conversation, one.conversation)
    last = mail.first("<last@example.org>")
    for gone, into in ((None, one), (one, last)):
        if gone is not None:
            merge(mail.services, gone.conversation, into.conversation)
        for each in (one, other, answer, both, stranger):
            assert named(mail, each.conversationmessage) == {into.conversation}


def test_a_merge_that_fails_leaves_the_receipts_alone(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    with pytest.raises(Forbidden):
        merge(mail.acting("reader"), other.conversation, one.conversation)
    assert named(mail, other.conversationmessage) == {other.conversation}


def test_a_conversation_and_itself_is_refused(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>").conversation
    with pytest.raises(InvalidInput) as caught:
        merge(mail.services, one, one)
    assert list(caught.value.errors) == ["conversation"]


def test_who_may_not_does_not(mail: Correspondence) -> None:
    one, other = (mail.first(f"<{each}@example.org>").conversation for each in ("one", "other"))
    with pytest.raises(Forbidden):
        merge(mail.acting("reader"), other, one)
    with pytest.raises(NotFound):
        merge(mail.acting("stranger"), other, one)
    with pytest.raises(NotFound):
        merge(mail.services, 999, one)
    assert len(mail.crm.all("conversation")) == 2
    # And nothing of it stays: not even the signs point anywhere else.
    assert mail.answer("<other@example.org>").conversation == other


@pytest.mark.parametrize("messages", [1, 12])
def test_the_number_of_statements_does_not_grow_with_the_messages(
    mail: Correspondence, messages: int
) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>", "bob@b.example")
    for _ in range(messages):
        mail.answer("<other@example.org>", "bob@b.example")
    with counted(mail.services.application.database) as statements:
        merge(mail.services, other.conversation, one.conversation)
    assert len(statements) == 18, statements


def together(*actions: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(actions)) as pool:
        for future in [pool.submit(each) for each in actions]:
            future.result()


def test_mail_that_arrives_meanwhile_is_neither_lost_nor_left_behind(mail: Correspondence) -> None:
    services = mail.services
    for number in range(6):
        ids = [f"<{number}-{place}@example.org>" for place in range(2)]
        one, other = (mail.first(each).conversation for each in ids)
        letters = [
            arriving(in_reply_to=ids[place % 2], message_id=f"<{number}-r{place}@example.org>")
            for place in range(6)
        ]

        def deliver(letter: object, services: Services = services) -> None:
            import_message(services, "support", letter)  # type: ignore[arg-type]

        together(
            *(lambda letter=each: deliver(letter) for each in letters[:3]),
            lambda other=other, one=one: merge(services, other, one),  # type: ignore[misc]
            *(lambda letter=each: deliver(letter) for each in letters[3:]),
        )
        assert len(mail.messages(one)) == 8
        for place in range(6):
            assert mail.answer(f"<{number}-r{place}@example.org>").conversation == one
    assert len(mail.crm.all("conversation")) == 6
    mail.consistent()


def test_mail_that_joined_before_the_lock_comes_along_with_its_signs(mail: Correspondence) -> None:
    one, other = (mail.first(f"<{each}@example.org>").conversation for each in ("one", "other"))
    sign = message_id_digest("<joined@example.org>")
    application = mail.services.application
    with ThreadPoolExecutor(1) as pool:
        # What the import of a mail does that joins by its subject: none of its signs is known.
        with application.unit_of_work() as work:
            assert work.connection is not None
            enter(work.connection, [sign])
            work.objects.update("conversation", other, {"unread": True})
            merging = pool.submit(merge, mail.services, other, one)
            sleep(0.5)
            assert not merging.done()
            joined = work.objects.add("conversationmessage", {"conversation": other})
            assign(work.connection, [sign], other)
        merging.result()
    assert joined in mail.messages(one)
    assert mail.answer("<joined@example.org>").conversation == one


def test_two_merges_against_each_other_do_not_deadlock(mail: Correspondence) -> None:
    services = mail.services
    for number in range(5):
        one = mail.first(f"<{number}-one@example.org>").conversation
        other = mail.first(f"<{number}-other@example.org>").conversation
        refused: list[NotFound] = []

        def attempt(gone: int, into: int, refused: list[NotFound] = refused) -> None:
            try:
                merge(services, gone, into)
            except NotFound as error:
                refused.append(error)

        together(
            lambda one=one, other=other: attempt(one, other),  # type: ignore[misc]
            lambda one=one, other=other: attempt(other, one),  # type: ignore[misc]
        )
        assert len(refused) == 1
        left = And((Equals("subject", "Booking"), Equals("unread", True)))
        assert len(mail.crm.all("conversation", left)) == number + 1
    assert len(mail.crm.all("conversationmessage")) == 10
    mail.consistent()
