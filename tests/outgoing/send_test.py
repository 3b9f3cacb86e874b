from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import update

from limepkg_email.errors import EmailIntegrationError, EngineError, EngineUnavailable
from limepkg_email.outgoing.compose import Recipient
from limepkg_email.outgoing.send import mark_failed, submit_outbox
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.sandbox import Sandbox
from limepkg_email.tasks.tasks import registry
from limepkg_email.tasks.worker import Worker

from .conftest import Post, install, make_office

ANNA, BO = "anna@example.org", "bo@example.org"


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_each_follower_gets_a_mail_as_if_there_were_nobody_else(post: Post) -> None:
    office = post.office
    conversation = office.conversation()
    office.follower(conversation, ANNA, "Åsa Öberg")
    office.follower(conversation, BO, "山田太郎 🗾")
    office.change("conversation", conversation, subject="Räksmörgås 東京 👩‍🚒")
    office.send(conversation, html="<p>Hej <b>på</b> dig 🙂</p>", text="")
    post.submit()
    for address, name in ((ANNA, "Åsa Öberg"), (BO, "山田太郎 🗾")):
        [mail] = post.delivered(address)
        [receiver] = mail["to"].addresses
        assert (receiver.addr_spec, receiver.display_name) == (address, name)
        assert "cc" not in mail
        [sender] = mail["from"].addresses
        assert (sender.addr_spec, sender.display_name) == (
            "support@example.com",
            "Lisa Berg via Support",
        )
        assert mail["subject"] == "Re: Räksmörgås 東京 👩‍🚒"
        assert part(mail, "plain").strip() == "Hej på dig 🙂"
        assert "<p>Hej <b>på</b> dig 🙂</p>" in part(mail, "html")
        assert not [defect for each in mail.walk() for defect in each.defects]


def test_a_mail_carries_the_id_and_the_marker_that_it_has_in_the_outbox(post: Post) -> None:
    conversation = post.office.conversation(ANNA)
    post.office.send(conversation)
    post.submit()
    [mail], [row] = post.delivered(ANNA), post.office.outbox()
    assert mail["message-id"] == row.message_id
    assert mail["x-limepkg-email"] == f"5f0c.{row.guid}"
    assert "in-reply-to" not in mail
    assert row.queue_id
    [shown] = post.office.all("messagefollower")
    assert (shown["queueid"], shown["state"]) == (row.queue_id, "queued")


def test_an_answer_threads_in_the_mail_program_of_each_follower(post: Post) -> None:
    office = post.office
    conversation = office.conversation()
    anna = office.follower(conversation, ANNA)
    office.follower(conversation, BO)
    office.received(conversation, anna, "<question@example.org>")
    for _ in range(2):
        office.send(conversation)
        post.submit()
    first, second = post.delivered(ANNA)
    assert first["in-reply-to"] == first["references"] == "<question@example.org>"
    assert second["in-reply-to"] == first["message-id"]
    assert second["references"].split() == ["<question@example.org>", first["message-id"]]
    other, answer = post.delivered(BO)
    assert answer["references"] == other["message-id"]


def test_many_references_arrive_whole(post: Post) -> None:
    office = post.office
    conversation = office.conversation()
    anna = office.follower(conversation, ANNA)
    ids = [f"<{number:060}@mail.example.org>" for number in range(30)]
    for each in ids:
        office.received(conversation, anna, each)
    office.send(conversation)
    post.submit()
    [mail] = post.delivered(ANNA)
    assert mail["references"].split() == ids[-20:]


def test_files_arrive_with_their_names_and_bytes(post: Post) -> None:
    office = post.office
    files = {"offert åäö.pdf": b"\x00\xff" * 50_000, "見積書 📎.txt": b"", "plain.txt": b"plain"}
    conversation = office.conversation(ANNA)
    office.send(
        conversation,
        files=tuple(office.file(name, content, "text/x-odd") for name, content in files.items()),
    )
    post.submit()
    [mail] = post.delivered(ANNA)
    arrived = {
        each.get_filename(): each.get_payload(decode=True) for each in mail.iter_attachments()
    }
    assert arrived == files
    assert part(mail, "plain").strip() == "Hello"


def test_the_jobs_do_it_all_by_themselves(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA, "anna@example.test"))
    worker = Worker(lambda _: office.system, registry())
    assert worker.work("crm") == 2
    assert {each.state for each in office.jobs()} == {"done"}
    assert len(post.delivered(ANNA)) == 1
    assert [each["state"] for each in office.all("messagefollower")] == ["queued", "failed"]


def test_a_job_that_gives_up_says_so_on_the_message(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.fault("refuse", times=1, status=302)
    Worker(lambda _: office.system, registry()).work("crm")
    [shown] = office.all("messagefollower")
    assert shown["state"] == "failed"
    assert shown["reason"]


def test_a_wrong_token_only_delays_the_mail(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.fault("refuse", times=1, status=401)
    Worker(lambda _: office.system, registry()).work("crm")
    [shown] = office.all("messagefollower")
    assert shown["state"] == "queued"


def test_a_file_that_is_gone_makes_the_mail_fail_with_the_reason(post: Post) -> None:
    office = post.office
    file = office.file("a.txt", b"a")
    office.send(office.conversation(ANNA), files=(file,))
    office.application.files.delete(file.file_id)
    post.submit()
    [shown] = office.all("messagefollower")
    assert shown["state"] == "failed"
    assert shown["reason"]
    assert post.delivered(ANNA) == []


@pytest.mark.parametrize("action", ["drop", "fail", "refuse"])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_lost_answer_never_makes_a_second_mail(post: Post, action: str, times: int) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.fault(action, times, status=500)
    failures = []
    while not office.outbox()[0].queue_id:
        try:
            post.submit()
        except EngineError as error:
            failures.append(error.retryable)
    assert failures == [True] * len(failures)
    assert len(failures) <= times
    assert len(post.delivered(ANNA)) == 1
    [row] = office.outbox()
    assert row.queue_id
    assert row.state == "queued"


def test_a_crash_after_the_submit_repeats_nothing(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=None))
    post.submit()
    assert len(post.delivered(ANNA)) == 1


def test_a_mail_that_was_submitted_is_not_submitted_again(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    post.sandbox.stop()
    post.submit()


def test_after_a_day_the_sent_folder_is_asked_before_anything_is_sent(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    assert len(post.delivered(ANNA)) == 1
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=None))
    office.clock.advance(timedelta(days=3))
    submit_outbox(office.system, office.outbox()[0].guid)
    assert len(post.delivered(ANNA)) == 1
    [shown] = office.all("messagefollower")
    assert shown["state"] == office.outbox()[0].state == "sent"


def test_after_a_day_the_outbox_of_the_engine_is_asked_too(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "greylist", tries=1000)
    post.sandbox.control("POST", "/suspend")
    post.sandbox.control("POST", "/resume")
    office.send(office.conversation(ANNA))
    [row] = office.outbox()
    payload = {"to": [{"address": ANNA}], "text": "x", "messageId": row.message_id}
    client = office.services.engine
    queued = client.submit("support", {**payload, "sendAt": "2099-01-01T00:00:00Z"})
    office.clock.advance(timedelta(days=3))
    post.submit()
    assert office.outbox()[0].queue_id == queued.queue_id
    assert len(list(client.outbox("support"))) == 1


def test_after_a_day_a_mail_that_never_left_is_sent(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    office.clock.advance(timedelta(days=3))
    post.submit()
    assert len(post.delivered(ANNA)) == 1


def test_an_address_the_engine_refuses_fails_with_its_reason_and_the_others_leave(
    post: Post,
) -> None:
    office = post.office
    conversation = office.conversation("anna@example.test", BO)
    made = office.send(conversation)
    post.submit()
    assert len(post.delivered(BO)) == 1
    refused, fine = office.all("messagefollower")
    assert (refused["state"], fine["state"]) == ("failed", "queued")
    assert "must be a valid email" in str(refused["reason"])
    [error] = office.all("conversationmessageerror")
    assert error["conversationmessage"] == made.conversationmessage
    assert (error["recipient"], error["text"]) == ("anna@example.test", refused["reason"])
    post.submit()
    assert len(office.all("conversationmessageerror")) == 1


def test_an_account_the_engine_does_not_have_fails_the_mail(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    office.services.engine.delete_account("support")
    post.submit()
    assert office.all("messagefollower")[0]["state"] == "failed"
    assert office.outbox()[0].state == "failed"


def test_an_engine_that_is_away_leaves_the_mail_waiting(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.sandbox.stop()
    with pytest.raises(EngineUnavailable):
        post.submit()
    assert office.all("messagefollower")[0]["state"] == "queued"
    post.sandbox.start()


def test_a_message_that_is_deleted_before_it_left_stays(post: Post) -> None:
    office = post.office
    made = office.send(office.conversation(ANNA))
    with office.system.application.unit_of_work() as work:
        work.objects.delete("messagefollower", made.messagefollowers[0])
    post.submit()
    assert post.delivered(ANNA) == []
    assert office.outbox()[0].state == "cancelled"


def test_an_unknown_mail_is_no_mail(post: Post) -> None:
    submit_outbox(post.office.system, "there-is-no-such-guid")


def test_a_person_can_have_a_mail_tried_again_that_was_given_up(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    [row] = office.outbox()
    mark_failed(office.system, row.guid, "The engine did not answer.")
    [shown] = office.all("messagefollower")
    assert (shown["state"], shown["reason"]) == ("failed", "The engine did not answer.")
    post.submit()
    [shown] = office.all("messagefollower")
    assert (shown["state"], shown["reason"]) == ("queued", "")
    assert len(post.delivered(ANNA)) == 1


def test_giving_up_says_nothing_about_a_mail_that_has_left(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    assert any(post.tell())
    mark_failed(office.system, office.outbox()[0].guid, "late")
    assert office.all("messagefollower")[0]["state"] == "sent"


def test_a_database_of_its_own_waits_for_the_message_and_takes_no_other_for_it(
    tmp_path: Path, post: Post, sandbox: Sandbox
) -> None:
    host = install(
        f"sqlite:///{tmp_path / 'two.sqlite'}", tmp_path, f"sqlite:///{tmp_path / 'plugin.sqlite'}"
    )
    office = make_office(host.application("crm"), post.office.services.engine)
    made = office.send(office.conversation(ANNA), recipients=(Recipient(BO),))
    first, second = office.outbox()
    with office.system.application.unit_of_work() as work:
        work.objects.delete("messagefollower", made.messagefollowers[0])
    # The number of the one is another mail's by now.
    with office.application.database.begin() as connection:
        other = update(OUTBOX).where(OUTBOX.c.guid == first.guid)
        connection.execute(other.values(messagefollower=made.messagefollowers[1]))
    with pytest.raises(EmailIntegrationError) as early:
        submit_outbox(office.system, first.guid)
    assert early.value.retryable
    submit_outbox(office.system, second.guid)
    office.clock.advance(timedelta(minutes=10))
    submit_outbox(office.system, first.guid)
    assert (len(post.delivered(ANNA)), len(post.delivered(BO))) == (0, 1)
    host.close()
