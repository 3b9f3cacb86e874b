"""Unsent messages: kept per user and conversation, never overwritten by another window."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from limepkg_email import drafts
from limepkg_email.drafts import DraftContent, NewMessages, StaleDraft
from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.query import Equals
from tests.conversations.correspondence import Correspondence
from tests.installation import installed

EVERYTHING = DraftContent(
    subject="Re: Booking",
    html="<p>Räksmörgås</p>",
    recipients=({"email": "lisa@example.net", "name": "Lisa", "limetype": "", "id": None},),
    followers=(1, 2),
    files=(7,),
)


@pytest.fixture
def mail(database_url: str, tmp_path: Path) -> Iterator[Correspondence]:
    with installed(tmp_path, database_url) as found:
        found.connect("support", "support@example.com")
        yield Correspondence(found)


def test_a_draft_is_kept_whole_and_grows_by_versions(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    assert drafts.read(mail.services, one.conversation) is None
    saved = drafts.save(mail.services, one.conversation, EVERYTHING, 0)
    assert (saved.version, saved.newest_message) == (1, one.conversationmessage)
    assert drafts.read(mail.services, one.conversation) == saved
    assert saved.content == EVERYTHING
    assert saved.changed_at == mail.crm.clock()
    later = mail.answer("<one@example.org>").conversationmessage
    again = drafts.save(mail.services, one.conversation, DraftContent(html="b"), 1)
    assert (again.version, again.newest_message) == (2, one.conversationmessage)
    seen = drafts.save(
        mail.services, one.conversation, DraftContent(html="b"), 2, newest_message=later
    )
    assert (seen.version, seen.newest_message) == (3, later)


def test_each_user_has_one_for_each_conversation_and_one_for_a_new_one(
    mail: Correspondence,
) -> None:
    one = mail.first("<one@example.org>").conversation
    maria, paul = mail.acting("agent", "maria"), mail.acting("agent", "paul")
    for number, (user, conversation) in enumerate(
        [(maria, 0), (maria, one), (paul, 0), (paul, one)]
    ):
        drafts.save(user, conversation, DraftContent(html=str(number)), 0)
    found = [drafts.read(user, each) for user in (maria, paul) for each in (0, one)]
    assert [each.content.html for each in found if each] == ["0", "1", "2", "3"]


def test_an_old_version_is_refused_and_told_the_newer_draft(mail: Correspondence) -> None:
    first = drafts.save(mail.services, 0, DraftContent(html="first"), 0)
    newer = drafts.save(mail.services, 0, DraftContent(html="newer"), first.version)
    for version in (0, first.version, 99):
        with pytest.raises(StaleDraft) as caught:
            drafts.save(mail.services, 0, DraftContent(html="older"), version)
        assert caught.value.newer == newer
    drafts.discard(mail.services, 0)
    with pytest.raises(StaleDraft) as caught:
        drafts.save(mail.services, 0, DraftContent(html="late"), newer.version)
    assert caught.value.newer is None


def test_of_windows_that_save_at_once_one_wins(mail: Correspondence) -> None:
    def attempt(text: str, version: int) -> bool:
        try:
            drafts.save(mail.services, 0, DraftContent(html=text), version)
        except StaleDraft:
            return False
        return True

    for version in range(4):
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(lambda text: attempt(text, version), "abcd"))  # noqa: B023
        assert sum(won) == 1
        entry = drafts.read(mail.services, 0)
        assert entry is not None
        assert entry.content.html == "abcd"[won.index(True)]


def test_what_is_discarded_is_gone_once(mail: Correspondence) -> None:
    drafts.save(mail.services, 0, EVERYTHING, 0)
    assert drafts.discard(mail.services, 0) is True
    assert drafts.discard(mail.services, 0) is False
    assert drafts.read(mail.services, 0) is None


def test_after_sending_only_what_was_sent_is_removed(mail: Correspondence) -> None:
    sent = drafts.save(mail.services, 0, DraftContent(html="sent"), 0)
    newer = drafts.save(mail.services, 0, DraftContent(html="goes on"), sent.version)
    assert drafts.discard_after_send(mail.services, 0, sent.version) is False
    assert drafts.read(mail.services, 0) == newer
    assert drafts.discard_after_send(mail.services, 0, newer.version) is True
    assert drafts.read(mail.services, 0) is None


def test_what_is_too_long_or_no_json_is_refused(mail: Correspondence) -> None:
    for content in (
        DraftContent(html="x" * drafts.MAX_SIZE),
        DraftContent(recipients=({"email": object()},)),
    ):
        with pytest.raises(InvalidInput) as caught:
            drafts.save(mail.services, 0, content, 0)
        assert list(caught.value.errors) == ["html"]
    assert drafts.read(mail.services, 0) is None


def test_a_conversation_out_of_sight_has_no_drafts(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>").conversation
    stranger = mail.acting("stranger")
    for services, conversation in ((stranger, one), (mail.services, 999)):
        with pytest.raises(NotFound):
            drafts.save(services, conversation, EVERYTHING, 0)
        with pytest.raises(NotFound):
            drafts.read(services, conversation)
        with pytest.raises(NotFound):
            drafts.check_newest(services, conversation, 0)


def test_what_came_since_stands_in_the_way_unless_sent_anyway(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    seen = one.conversationmessage
    drafts.check_newest(mail.services, one.conversation, seen)
    later = mail.answer("<one@example.org>", plain="Never mind").conversationmessage
    with pytest.raises(NewMessages) as caught:
        drafts.check_newest(mail.services, one.conversation, seen)
    (arrived,) = caught.value.arrived
    assert (arrived.id, arrived.author) == (later, "Anna Andersson")
    assert arrived.preview == "Never mind"
    assert "Anna Andersson" in caught.value.message
    drafts.check_newest(mail.services, one.conversation, seen, anyway=True)
    drafts.check_newest(mail.services, one.conversation, later)


def test_a_colleagues_answer_counts_and_automatic_mail_does_not(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    automatic = {"auto-submitted": "auto-replied"}
    absent = mail.answer("<one@example.org>", headers=automatic).conversationmessage
    assert mail.crm.one("conversationmessage", Equals("id", absent))["machine"] == "autoreply"
    drafts.check_newest(mail.services, one.conversation, one.conversationmessage)
    sent = mail.send(one.conversation).conversationmessage
    with pytest.raises(NewMessages) as caught:
        drafts.check_newest(mail.services, one.conversation, one.conversationmessage)
    assert [each.id for each in caught.value.arrived] == [sent]
