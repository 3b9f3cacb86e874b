"""Messages get a conversation of their own; later answers find it."""

from __future__ import annotations

import pytest

from limepkg_email.conversations.split import split
from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.hooks import ParentReference
from limepkg_email.query import Equals
from tests.conversations.correspondence import Correspondence


def test_messages_get_a_conversation_on_a_new_object(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    second = mail.answer("<one@example.org>", subject="Invoice", message_id="<second@example.org>")
    third = mail.answer("<second@example.org>", message_id="<third@example.org>")
    chosen = [third.conversationmessage, second.conversationmessage]
    done = split(mail.services, chosen)
    assert mail.messages(done.conversation) == sorted(chosen)
    assert mail.messages(one.conversation) == [one.conversationmessage]
    new, old = mail.conversation(done.conversation), mail.conversation(one.conversation)
    assert (new["subject"], new["unread"], new["account"]) == ("Invoice", True, old["account"])
    assert new["helpdesk"] != old["helpdesk"]
    assert mail.crm.one("helpdesk", Equals("id", new["helpdesk"]))["title"] == "Invoice"
    assert mail.emails(done.conversation) == mail.emails(one.conversation) == ["anna@example.org"]
    mail.consistent()


def test_later_answers_land_where_the_message_is(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    second = mail.answer("<one@example.org>", message_id="<second@example.org>")
    done = split(mail.services, [second.conversationmessage])
    both = ("<second@example.org>", "<one@example.org>")
    found = mail.receive(in_reply_to=both[0], references=both)
    assert found.conversation == done.conversation
    assert mail.answer("<one@example.org>").conversation == one.conversation


def test_a_given_parent_and_subject_are_taken(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    ticket = mail.crm.add("helpdesk", title="Known")
    parent = ParentReference("helpdesk", ticket)
    done = split(mail.services, [one.conversationmessage], parent=parent, subject=" Another\n one ")
    new = mail.conversation(done.conversation)
    assert (new["helpdesk"], new["subject"]) == (ticket, "Another one")
    assert len(mail.crm.all("helpdesk")) == 2


def test_what_cannot_be_is_refused_and_leaves_no_trace(mail: Correspondence) -> None:
    one, other = mail.first("<one@example.org>"), mail.first("<other@example.org>")
    with pytest.raises(InvalidInput) as caught:
        split(mail.services, [one.conversationmessage, other.conversationmessage])
    assert list(caught.value.errors) == ["messages"]
    with pytest.raises(InvalidInput) as caught:
        split(mail.services, [one.conversationmessage], parent=ParentReference("person", 1))
    assert list(caught.value.errors) == ["parent"]
    for parent in (ParentReference("helpdesk", 999), None):
        messages = [one.conversationmessage] if parent else [999]
        with pytest.raises(NotFound):
            split(mail.services, messages, parent=parent)
    with pytest.raises(NotFound):
        split(mail.services, [])
    with pytest.raises(Forbidden):
        split(mail.acting("reader"), [one.conversationmessage])
    with pytest.raises(NotFound):
        split(mail.acting("stranger"), [one.conversationmessage])
    assert len(mail.crm.all("conversation")) == len(mail.crm.all("helpdesk")) == 2
