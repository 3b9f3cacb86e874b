"""A message is sent on: with what it said, what it carried, and to nobody else."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.outgoing.draft import Recipient, Submitted
from limepkg_email.outgoing.forward import forward
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.query import Equals
from tests.conversations.correspondence import Correspondence

BOB = Recipient("bob@supplier.example", "Bob")


def payloads(mail: Correspondence, submitted: Submitted) -> list[Any]:
    wanted = OUTBOX.c.messagefollower.in_(submitted.messagefollowers)
    with mail.services.application.database.connect() as connection:
        return [
            json.loads(each) for each in connection.scalars(select(OUTBOX.c.payload).where(wanted))
        ]


def attach(mail: Correspondence, message: int, name: str, limetype: str = "document") -> str:
    files = mail.services.application.files
    stored = files.create(name, "application/pdf", BytesIO(b"%PDF"))
    prop = "document" if limetype == "document" else "file"
    mail.crm.add(limetype, conversationmessage=message, **{prop: stored.id})
    return stored.id


def test_it_begins_a_conversation_of_its_own_on_the_same_parent(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>", cc=("lisa@example.net",), plain="My secret & plan")
    attach(mail, one.conversationmessage, "offer.pdf")
    sent = forward(mail.services, one.conversationmessage, [BOB], "<p>Can you help?</p>")
    assert sent.conversation != one.conversation
    old, new = mail.conversation(one.conversation), mail.conversation(sent.conversation)
    assert new["helpdesk"] == old["helpdesk"]
    assert mail.emails(sent.conversation) == ["bob@supplier.example"]
    assert mail.emails(one.conversation) == ["anna@example.org", "lisa@example.net"]
    message = mail.crm.one("conversationmessage", Equals("id", sent.conversationmessage))
    assert message["subject"] == "Fwd: Booking"
    body = str(message["body"])
    assert body.index("Can you help?") < body.index("Forwarded message") < body.index("My secret")
    assert "Anna Andersson &lt;anna@example.org&gt;" in body
    assert "2026-11-22 12:00 UTC" in body
    assert "lisa@example.net" in body
    (document,) = mail.crm.all("document", Equals("conversationmessage", sent.conversationmessage))
    assert document["comment"] == "offer.pdf"
    (payload,) = payloads(mail, sent)
    assert "offer.pdf" in json.dumps(payload)


def test_it_names_whom_the_author_wrote_to_and_not_those_to_whom_it_was_sent_on(
    mail: Correspondence,
) -> None:
    mail.first("<one@example.org>", cc=("lisa@example.net",))
    reply = mail.answer("<one@example.org>", cc=("carl@example.net",))
    add = mail.crm.one("follower", Equals("email", "lisa@example.net")).id
    message = reply.conversationmessage
    mail.crm.add(
        "messagefollower", role="to", state="sent", conversationmessage=message, follower=add
    )
    sent = forward(mail.services, message, [BOB])
    body = str(mail.crm.one("conversationmessage", Equals("id", sent.conversationmessage))["body"])
    assert "carl@example.net" in body
    assert "lisa@example.net" not in body


def test_an_outsiders_answer_stays_out_of_the_customers_conversation(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    sent = forward(mail.services, one.conversationmessage, [BOB])
    answer = mail.answer(mail.message_id(sent), "bob@supplier.example")
    assert answer.conversation == sent.conversation
    assert mail.messages(one.conversation) == [one.conversationmessage]


def test_who_is_to_follow_joins_and_nobody_else_gets_it(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    sent = forward(mail.services, one.conversationmessage, [BOB], follow=True)
    assert sent.conversation == one.conversation
    assert len(sent.messagefollowers) == 1
    assert mail.emails(one.conversation) == ["anna@example.org", "bob@supplier.example"]
    answer = mail.answer(mail.message_id(sent), "bob@supplier.example")
    assert answer.conversation == one.conversation
    mail.consistent()


def test_pictures_of_the_text_go_along_as_files(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    attach(mail, one.conversationmessage, "logo.png", "embeddedfile")
    sent = forward(mail.services, one.conversationmessage, [BOB])
    documents = mail.crm.all("document", Equals("conversationmessage", sent.conversationmessage))
    assert [each["comment"] for each in documents] == ["logo.png"]


@pytest.mark.parametrize(
    ("subject", "expected"), [("Fwd: Plan", "Fwd: Plan"), ("VB: Plan", "VB: Plan"), ("", "Fwd:")]
)
def test_the_prefix_stands_once(mail: Correspondence, subject: str, expected: str) -> None:
    one = mail.first("<one@example.org>", subject=subject)
    sent = forward(mail.services, one.conversationmessage, [BOB])
    message = mail.crm.one("conversationmessage", Equals("id", sent.conversationmessage))
    assert message["subject"] == expected


def test_the_same_key_sends_it_once(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    first, second = (
        forward(mail.services, one.conversationmessage, [BOB], idempotency_key="k")
        for _ in range(2)
    )
    assert (second.repeated, second.conversation) == (True, first.conversation)


def test_what_cannot_be_is_refused(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    with pytest.raises(InvalidInput) as caught:
        forward(mail.services, one.conversationmessage, [])
    assert list(caught.value.errors) == ["recipients"]
    with pytest.raises(InvalidInput) as caught:
        forward(mail.services, one.conversationmessage, [Recipient("nobody")], subject="a\r\nb: c")
    assert sorted(caught.value.errors) == ["recipients", "subject"]
    with pytest.raises(InvalidInput) as caught:
        forward(mail.services, one.conversationmessage, [BOB], account=99)
    assert list(caught.value.errors) == ["account"]
    assert len(mail.crm.all("conversation")) == 1


def test_who_may_not_does_not(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>")
    with pytest.raises(Forbidden):
        forward(mail.acting("reader"), one.conversationmessage, [BOB])
    with pytest.raises(NotFound):
        forward(mail.acting("stranger"), one.conversationmessage, [BOB])
    with pytest.raises(NotFound):
        forward(mail.services, 999, [BOB])
