from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS, add_account
from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.hooks import ParentReference
from limepkg_email.outgoing.compose import Draft, OutgoingFile, Recipient, Submitted, submit
from limepkg_email.outgoing.problems import MAX_FILES_TOGETHER
from limepkg_email.thread_index import message_id_digest

from .conftest import NOW, Office, install, make_office

ANNA, BO = "anna@example.org", "bo@example.org"
BUDGET = 14


def addressees(office: Office) -> list[str]:
    return [address["address"] for each in office.payloads() for address in each["to"]]


def problems(office: Office, draft: Draft) -> dict[str, Any]:
    """The errors of a draft that is refused, after a look that nothing of it stayed."""
    before = office.counts()
    with pytest.raises(InvalidInput) as refused:
        submit(office.services, draft)
    assert office.counts() == before
    assert office.wakes == []
    return dict(refused.value.errors)


def test_every_active_follower_gets_a_mail_of_their_own(office: Office) -> None:
    conversation = office.conversation(ANNA, BO)
    office.follower(conversation, "gone@example.org", active=False)
    office.send(conversation)
    assert [each["to"] for each in office.payloads()] == [[{"address": ANNA}], [{"address": BO}]]


def test_a_message_is_written_with_everything_that_belongs_to_it(office: Office) -> None:
    conversation = office.conversation(ANNA)
    file = office.file("offert.txt", b"offer")
    made = office.send(conversation, text="Hej\nhej", files=(file,))

    message = office.get("conversationmessage", made.conversationmessage)
    assert made == Submitted(conversation, message.id, made.messagefollowers)
    assert message["subject"] == "Re: Printer on fire"
    assert message["body"] == message["visiblebody"] == "<p>Hej<br>hej</p>"
    assert (message["preview"], message["source"], message["machine"]) == ("Hej hej", "lime", "no")
    assert (message["date"], message["unread"]) == (NOW, False)
    assert (message["authorname"], message["authoraddress"]) == ("Lisa Berg", "lisa@example.com")
    assert office.get("conversation", conversation)["lastmessagedate"] == NOW

    [recipient] = office.all("messagefollower")
    assert (recipient["role"], recipient["state"], recipient["statedate"]) == ("to", "queued", NOW)
    [follower] = office.all("follower")
    assert (recipient["follower"], recipient["conversationmessage"]) == (follower.id, message.id)
    [document] = office.all("document")
    assert (document["comment"], document["type"]) == ("offert.txt", "email")
    assert (document["document"], document["conversationmessage"]) == (file.file_id, message.id)

    [entry] = office.outbox()
    assert (entry.messagefollower, entry.account, entry.state) == (
        recipient.id,
        "support",
        "queued",
    )
    assert (entry.recipient, entry.queue_id) == (ANNA, None)
    assert entry.message_id == recipient["messageid"] == f"<{entry.guid}@example.com>"
    [thread] = office.thread()
    assert (thread.conversation, thread.outgoing) == (conversation, True)
    assert thread.digest == message_id_digest(entry.message_id)
    [job] = office.jobs()
    assert job.task == "limepkg_email.tasks.tasks.submit_message"
    assert job.key == f"submit:{entry.guid}"
    assert job.payload == f'{{"guid": "{entry.guid}"}}'
    assert office.wakes == [1]


def test_the_stored_payload_is_what_the_engine_takes_but_for_the_files(office: Office) -> None:
    conversation = office.conversation()
    office.follower(conversation, ANNA, "Åsa Öberg")
    file = office.file("日本.txt", b"x")
    office.send(conversation, html="<p>Hej</p>", text="", files=(file,))
    [payload], [entry] = office.payloads(), office.outbox()
    assert set(payload) == {
        "from", "to", "subject", "html", "text", "messageId", "headers", "attachments"
    }  # fmt: skip
    assert payload["from"] == {"name": "Lisa Berg via Support", "address": "support@example.com"}
    assert payload["to"] == [{"name": "Åsa Öberg", "address": ANNA}]
    assert payload["text"] == "Hej"
    assert "<p>Hej</p>" in payload["html"]
    assert payload["html"].startswith("<!DOCTYPE html>")
    assert payload["headers"] == {"X-Limepkg-Email": f"5f0c.{entry.guid}"}
    assert payload["attachments"] == [
        {"filename": "日本.txt", "contentType": "text/plain", "file": file.file_id}
    ]


def test_an_answer_refers_to_the_followers_own_mails_and_to_ours_to_them(office: Office) -> None:
    conversation = office.conversation()
    anna, bo = office.follower(conversation, ANNA), office.follower(conversation, BO)
    office.received(conversation, anna, "<from-anna@example.org>")
    office.send(conversation)
    to_anna, to_bo = (row.message_id for row in office.outbox())
    office.send(conversation)
    second_to_anna, second_to_bo = (each["headers"] for each in office.payloads()[2:])
    assert second_to_anna["References"] == f"<from-anna@example.org> {to_anna}"
    assert second_to_anna["In-Reply-To"] == to_anna
    assert second_to_bo["References"] == to_bo
    assert bo != anna


def test_only_chosen_followers_get_the_message(office: Office) -> None:
    conversation = office.conversation(ANNA)
    bo = office.follower(conversation, BO)
    office.send(conversation, followers=(bo,))
    assert addressees(office) == [BO]


def test_somebody_who_is_named_becomes_a_follower(office: Office) -> None:
    conversation = office.conversation(ANNA)
    office.send(conversation, recipients=(Recipient("Cid@Example.ORG", "Cid"),))
    assert addressees(office) == [ANNA, "cid@example.org"]
    [_, cid] = office.all("follower", conversation=conversation)
    assert (cid["email"], cid["name"], cid["active"]) == ("cid@example.org", "Cid", True)


def test_a_new_follower_is_linked_to_the_person_with_the_address(office: Office) -> None:
    person = office.add("person", firstname="Cid", lastname="Ek", email="CID@example.org")
    office.send(office.conversation(), recipients=(Recipient("cid@example.org"),))
    [follower] = office.all("follower")
    assert (follower["person"], follower["coworker"]) == (person, None)


def test_a_new_follower_can_be_the_object_that_was_chosen(office: Office) -> None:
    person = office.add("person", firstname="Cid", lastname="Ek", email="work@example.org")
    recipient = Recipient("home@example.org", limetype="person", id=person)
    office.send(office.conversation(), recipients=(recipient,))
    [follower] = office.all("follower")
    assert (follower["person"], follower["name"]) == (person, "Cid Ek")


def test_a_follower_who_left_comes_back_by_being_named(office: Office) -> None:
    conversation = office.conversation()
    left = office.follower(conversation, ANNA, active=False)
    office.send(conversation, recipients=(Recipient("ANNA@example.org"),))
    [follower] = office.all("follower")
    assert (follower.id, follower["active"]) == (left, True)
    assert addressees(office) == [ANNA]


def test_an_address_gets_one_mail_however_often_it_is_meant(office: Office) -> None:
    conversation = office.conversation(ANNA, "Anna@Example.org")
    twice = (Recipient("ANNA@example.org"), Recipient(BO), Recipient(f" {BO} "))
    made = office.send(conversation, recipients=twice)
    assert addressees(office) == [ANNA, BO]
    assert len(made.messagefollowers) == 2


def test_our_own_addresses_never_get_a_mail(office: Office) -> None:
    with office.application.database.begin() as connection:
        add_account(
            connection, engine_account="sales", email="sales@example.com", name="", activated_at=NOW
        )
    conversation = office.conversation(ANNA, "Support@example.com", "sales@example.com")
    office.send(conversation, recipients=(Recipient("HELP@example.com"),))
    assert addressees(office) == [ANNA]


def test_a_new_conversation_is_made_with_a_new_parent(office: Office) -> None:
    made = office.send(None, subject="Offer", recipients=(Recipient(ANNA),))
    conversation = office.get("conversation", made.conversation)
    ticket = office.get("helpdesk", int(str(conversation["helpdesk"])))
    assert (ticket["title"], conversation["subject"]) == ("Offer", "Offer")
    assert (conversation["account"], conversation["unread"]) == (office.account.id, False)
    assert conversation["lastmessagedate"] == NOW
    assert office.payloads()[0]["subject"] == "Offer"


def test_a_new_conversation_can_hang_on_an_object_that_exists(office: Office) -> None:
    ticket = office.add("helpdesk", title="Old")
    parent = ParentReference("helpdesk", ticket)
    made = office.send(None, subject="Offer", parent=parent, recipients=(Recipient(ANNA),))
    assert office.get("conversation", made.conversation)["helpdesk"] == ticket
    assert len(office.all("helpdesk")) == 1


@pytest.mark.parametrize(
    ("of_conversation", "given", "sent"),
    [
        ("Fire", "", "Re: Fire"),
        ("RE: Fire", "", "RE: Fire"),
        ("Fire", "Water", "Water"),
        ("", "", "Re:"),
        ("東京 👩‍🚒", "", "Re: 東京 👩‍🚒"),
    ],
)
def test_a_reply_has_the_subject_of_its_conversation(
    office: Office, of_conversation: str, given: str, sent: str
) -> None:
    conversation = office.conversation(ANNA)
    office.change("conversation", conversation, subject=of_conversation)
    office.send(conversation, subject=given)
    assert office.payloads()[0]["subject"] == sent


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(office: Office) -> None:
    draft = Draft(
        account=4711,
        subject="a\r\nBcc: all@example.com",
        html="<p></p>",
        recipients=(
            Recipient("nobody"),
            Recipient("a@example.org\r\nBcc: b@example.org"),
            Recipient(BO, "Bo\nBcc: x"),
            Recipient("c@example.org", limetype="helpdesk", id=1),
            Recipient("d@example.org", limetype="person"),
            Recipient("e@example.org", limetype="person", id=99),
        ),
        files=(OutgoingFile("a\x00b", "text/plain", "f", 1),),
        followers=(1,),
    )
    found = problems(office, draft)
    assert set(found) == {"account", "subject", "html", "recipients", "files", "followers"}
    assert len(found["recipients"]) == 6
    told = "".join(each for sentences in found.values() for each in sentences)
    assert not re.search(r"[\r\n\x00]", told)


def test_a_new_conversation_needs_subject_and_recipient(office: Office) -> None:
    found = problems(office, Draft(office.account.id, text="x"))
    assert set(found) == {"subject", "recipients"}


def test_a_message_to_nobody_is_refused(office: Office) -> None:
    conversation = office.conversation("support@example.com")
    draft = Draft(office.account.id, conversation=conversation, text="x")
    assert set(problems(office, draft)) == {"recipients"}


def test_too_many_recipients_are_refused_with_the_way_out(office: Office) -> None:
    conversation = office.conversation(ANNA, BO)
    services = office.with_config(max_recipients=1)
    with pytest.raises(InvalidInput) as refused:
        submit(services, Draft(office.account.id, conversation=conversation, text="x"))
    assert "`max_recipients`" in refused.value.errors["recipients"][0]


def test_a_follower_of_elsewhere_or_who_has_left_cannot_be_chosen(office: Office) -> None:
    conversation, other = office.conversation(ANNA), office.conversation()
    stranger, left = office.follower(other, BO), office.follower(conversation, BO, active=False)
    for chosen in (stranger, left, 4711):
        draft = Draft(office.account.id, conversation=conversation, text="x", followers=(chosen,))
        assert "followers" in problems(office, draft)


def test_files_above_the_limit_are_refused_with_the_way_to_raise_it(office: Office) -> None:
    conversation = office.conversation(ANNA)
    limit = office.services.config.max_attachment_size
    draft = Draft(office.account.id, conversation=conversation, text="x")
    large = OutgoingFile("large.pdf", "application/pdf", "f", limit + 1)
    [sentence] = problems(office, replace(draft, files=(large,)))["files"]
    assert "large.pdf" in sentence
    assert "`max_attachment_size`" in sentence
    assert "EENGINE_MAX_SIZE" in sentence
    many = (OutgoingFile("a.pdf", "application/pdf", "f", limit),) * 5
    assert sum(each.size for each in many) > MAX_FILES_TOGETHER
    assert len(problems(office, replace(draft, files=many))["files"]) == 1


def test_a_text_above_the_limit_is_refused(office: Office) -> None:
    draft = Draft(office.account.id, subject="x", text="x" * 11, recipients=(Recipient(ANNA),))
    with pytest.raises(InvalidInput) as refused:
        submit(office.with_config(max_body_size=10), draft)
    assert set(refused.value.errors) == {"text"}


def test_a_parent_must_be_of_a_kind_that_has_conversations_and_only_for_new_ones(
    office: Office,
) -> None:
    conversation = office.conversation(ANNA)
    person = ParentReference("person", office.add("person", firstname="x"))
    new = Draft(office.account.id, "s", text="x", parent=person, recipients=(Recipient(ANNA),))
    assert set(problems(office, new)) == {"parent"}
    old = Draft(office.account.id, text="x", parent=person, conversation=conversation)
    assert set(problems(office, old)) == {"parent"}


def test_what_the_user_may_not_see_does_not_exist(office: Office) -> None:
    draft = Draft(office.account.id, "s", text="x", recipients=(Recipient(ANNA),))
    with pytest.raises(NotFound):
        submit(office.services, replace(draft, conversation=4711))
    with pytest.raises(NotFound):
        submit(office.services, replace(draft, parent=ParentReference("helpdesk", 4711)))
    assert office.outbox() == []


def test_nobody_sends_from_an_account_without_the_permission(office: Office) -> None:
    conversation = office.conversation(ANNA)
    before = office.counts()
    draft = Draft(office.account.id, conversation=conversation, text="x")
    users = office.application.users
    users.add("temp", name="Temp", role="reader", grants=["email.send_as:sales"])
    for login in ("reader", "temp"):
        with pytest.raises((Forbidden, NotFound)):
            submit(office.acting_as(login), draft)
    assert office.counts() == before


def test_a_disabled_account_sends_nothing(office: Office) -> None:
    conversation = office.conversation(ANNA)
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(enabled=False))
    draft = Draft(office.account.id, conversation=conversation, text="x")
    assert set(problems(office, draft)) == {"account"}


def test_the_same_key_twice_is_one_message(office: Office) -> None:
    conversation = office.conversation(ANNA, BO)
    first = office.send(conversation, idempotency_key="k")
    before = office.counts()
    second = office.send(conversation, "something else", idempotency_key="k")
    assert second == replace(first, repeated=True)
    assert office.counts() == before
    third = office.send(conversation, idempotency_key="another")
    assert not third.repeated


def test_a_key_means_nothing_to_another_user(office: Office) -> None:
    conversation = office.conversation(ANNA)
    office.send(conversation, idempotency_key="k")
    office.application.users.add("kim", name="Kim")
    draft = Draft(office.account.id, conversation=conversation, text="x", idempotency_key="k")
    assert not submit(office.acting_as("kim"), draft).repeated


def test_the_key_of_a_message_that_was_deleted_sends_nothing_again(office: Office) -> None:
    conversation = office.conversation(ANNA)
    made = office.send(conversation, idempotency_key="k")
    with office.system.application.unit_of_work() as work:
        work.objects.delete("messagefollower", made.messagefollowers[0])
    with pytest.raises(Conflict):
        office.send(conversation, idempotency_key="k")


def test_the_same_key_at_the_same_moment_is_one_message(office: Office) -> None:
    conversation = office.conversation(ANNA, BO)
    barrier = Barrier(4, timeout=30)

    def send(_: int) -> Submitted:
        barrier.wait()
        return office.send(conversation, idempotency_key="k")

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(send, range(4)))
    assert sorted(each.repeated for each in made) == [False, True, True, True]
    assert len({each.conversationmessage for each in made}) == 1
    assert len(office.outbox()) == 2


def test_two_messages_at_once_that_name_somebody_new_make_one_follower(office: Office) -> None:
    conversation = office.conversation(ANNA)
    barrier = Barrier(2, timeout=30)

    def send(text: str) -> Submitted:
        barrier.wait()
        return office.send(conversation, text, recipients=(Recipient(BO),))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, ["one", "two"]))
    assert [each["email"] for each in office.all("follower")] == [ANNA, BO]
    assert len(office.outbox()) == 4


@pytest.mark.parametrize(("followers", "messages"), [(1, 0), (1, 60), (50, 0), (50, 5)])
def test_a_reply_costs_the_same_statements_whatever_the_conversation(
    office: Office, followers: int, messages: int
) -> None:
    conversation = office.conversation()
    ids = [office.follower(conversation, f"{n}@example.org") for n in range(followers)]
    for number in range(messages):
        for each in ids:
            office.received(conversation, each, f"<{number}-{each}@example.org>")
    file = office.file("a.txt", b"a")
    with office.statements() as seen:
        office.send(conversation, files=(file,), idempotency_key="k")
    assert len(seen) <= BUDGET
    assert len(office.outbox()) == followers


def test_a_new_conversation_costs_few_statements(office: Office) -> None:
    recipients = tuple(Recipient(f"{n}@example.org") for n in range(50))
    with office.statements() as seen:
        office.send(None, subject="s", recipients=recipients)
    assert len(seen) <= BUDGET


def test_a_database_of_its_own_for_the_plugin_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    separate = f"sqlite:///{tmp_path / 'plugin.sqlite'}"
    host = install(database_url, tmp_path, separate)
    office = make_office(host.application("crm"))
    conversation = office.conversation(ANNA, BO)
    first = office.send(conversation, idempotency_key="k")
    assert office.send(conversation, idempotency_key="k") == replace(first, repeated=True)
    assert [row.messagefollower for row in office.outbox()] == list(first.messagefollowers)
    assert len(office.jobs()) == 2
    host.close()
