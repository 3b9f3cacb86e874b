from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.outgoing.draft import Recipient
from limepkg_email.outgoing.scheduled import cancel, cancel_message, content, edit
from limepkg_email.outgoing.send import submit_outbox
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.outgoing.unsettled import settle_sends
from limepkg_email.tasks.tasks import registry
from limepkg_email.tasks.worker import Worker
from tests.incoming.arriving import arriving

from .conftest import NOW, Office, Post

ANNA, BO = "anna@example.org", "bo@example.org"
TWO, THREE = "two@example.org", "three@example.org"
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def today(post: Post) -> Post:
    """A post whose office has the engine's time."""
    post.office.clock.now = datetime.now(UTC)
    return post


def later(post: Post) -> datetime:
    return post.office.clock.now + timedelta(days=2)


def states(office: Office) -> list[object]:
    return [each["state"] for each in office.all("messagefollower")]


def queue(post: Post) -> list[Any]:
    return [each for each in post.office.services.engine.outbox() if not each.gave_up]


def work(post: Post) -> None:
    """Do every job that is due within two minutes."""
    post.office.clock.advance(timedelta(minutes=2))
    Worker(lambda _: post.office.system, registry()).work("crm")


def test_a_scheduled_mail_waits_in_the_engine_and_says_until_when(today: Post) -> None:
    office = today.office
    at = later(today)
    office.send(office.conversation(ANNA), send_at=at)
    today.submit()
    [entry] = queue(today)
    assert entry.scheduled is not None
    assert abs(entry.scheduled - at) < timedelta(seconds=1)
    [shown], [row] = office.all("messagefollower"), office.outbox()
    assert shown["state"] == row.state == "queued"
    assert str(at.date()) in str(shown["reason"])
    assert row.send_at == at
    assert today.delivered(ANNA) == []


def test_a_message_that_can_be_undone_leaves_after_its_time(today: Post) -> None:
    office = today.office
    office.send(office.conversation(ANNA), undo=timedelta(seconds=10))
    assert office.outbox()[0].send_at == office.clock.now + timedelta(seconds=10)
    today.submit()
    assert len(queue(today)) == 1


def test_a_mail_leaves_at_once_unless_asked_otherwise_and_names_its_author(office: Office) -> None:
    office.send(office.conversation(ANNA))
    [row] = office.outbox()
    assert (row.send_at, row.kind) == (None, "message")
    assert row.author == office.services.application.user.id
    assert not office.all("messagefollower")[0]["reason"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"send_at": NOW},
        {"send_at": NOW - timedelta(seconds=1)},
        {"send_at": NOW + timedelta(days=400)},
        {"send_at": NOW.replace(tzinfo=None)},
        {"undo": timedelta(seconds=-1)},
        {"undo": timedelta(days=1)},
    ],
    ids=str,
)
def test_an_impossible_time_is_refused_and_leaves_nothing(
    office: Office, wrong: dict[str, Any]
) -> None:
    conversation = office.conversation(ANNA)
    before = office.counts()
    with pytest.raises(InvalidInput) as refusal:
        office.send(conversation, **wrong)
    assert list(refusal.value.errors) == list(wrong)
    assert office.counts() == before


def test_a_mail_is_cancelled_before_the_engine_has_it(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA))
    cancel(office.services, made.messagefollowers[0])
    cancel(office.services, made.messagefollowers[0])
    assert (states(office), office.outbox()[0].state) == (["cancelled"], "cancelled")
    work(today)
    assert queue(today) == []
    assert today.delivered(ANNA) == []


def test_a_mail_is_cancelled_in_the_engine(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA), send_at=later(today))
    today.submit()
    cancel(office.services, made.messagefollowers[0])
    assert queue(today) == []
    work(today)
    assert states(office) == ["cancelled"]
    assert not office.all("messagefollower")[0]["reason"]
    assert {each.state for each in office.jobs()} == {"done"}


def test_a_mail_that_is_handed_over_while_it_is_cancelled_stays(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA), send_at=later(today))
    today.submit()
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=None))
    cancel(office.services, made.messagefollowers[0])
    assert len(queue(today)) == 1
    submit_outbox(office.system, office.outbox()[0].guid)
    assert queue(today) == []
    assert states(office) == ["cancelled"]


def test_a_process_that_dies_while_it_cancels_has_cancelled(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA), send_at=later(today))
    today.submit()
    path = "/v1/outbox/*"
    order = {"action": "refuse", "method": "DELETE", "path": path, "times": 1, "status": 503}
    today.sandbox.control("POST", "/faults", order)
    cancel(office.services, made.messagefollowers[0])
    assert len(queue(today)) == 1
    work(today)
    assert queue(today) == []
    assert states(office) == ["cancelled"]


def test_a_mail_that_has_left_is_not_cancelled(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA))
    today.submit()
    assert len(today.delivered(ANNA)) == 1
    with pytest.raises(Conflict):
        cancel(office.services, made.messagefollowers[0])
    assert states(office) == ["queued"]
    today.tell()
    assert states(office) == ["sent"]
    with pytest.raises(Conflict):
        cancel(office.services, made.messagefollowers[0])
    work(today)
    assert states(office) == ["sent"]


def test_an_event_that_comes_after_the_cancelling_wins(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA))
    [row] = office.outbox()
    today.submit()
    events = today.events()
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=None))
    cancel(office.services, made.messagefollowers[0])
    assert states(office) == ["cancelled"]
    today.tell(events)
    assert states(office) == ["sent"]
    assert office.outbox()[0].message_id == row.message_id


def test_a_cancelled_mail_whose_event_was_lost_is_found_in_the_sent_folder(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA))
    today.submit()
    assert len(today.delivered(ANNA)) == 1
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=None))
    cancel(office.services, made.messagefollowers[0])
    work(today)
    assert states(office) == ["sent"]


def test_a_message_is_taken_back_with_its_content(today: Post) -> None:
    office = today.office
    conversation = office.conversation(ANNA, BO)
    file = office.file("offer.txt", b"offer")
    made = office.send(
        conversation, html="<p>Hello <b>you</b></p>", files=(file,), send_at=later(today)
    )
    today.submit()
    done, found = edit(office.services, made.conversationmessage)
    assert (done.cancelled, done.left) == (made.messagefollowers, ())
    assert (found.conversation, found.html) == (conversation, "<p>Hello <b>you</b></p>")
    assert found.subject == "Re: Printer on fire"
    assert found.files == (file,)
    assert found.documents == (office.all("document")[0].id,)
    assert states(office) == ["cancelled", "cancelled"]
    assert queue(today) == []


def test_who_is_new_gets_no_customers_mail_before_ours_and_none_after_an_undone_one(
    today: Post,
) -> None:
    office = today.office
    conversation = office.conversation(ANNA, BO)
    start = office.send(conversation)
    today.submit()
    today.tell()
    known = str(office.get("messagefollower", start.messagefollowers[0])["messageid"])
    made = office.send(conversation, recipients=(Recipient(TWO),), undo=timedelta(seconds=10))
    today.submit()
    edit(office.services, made.conversationmessage)
    office.send(conversation, recipients=(Recipient(THREE),), send_at=later(today))
    today.submit()
    import_message(office.system, "support", arriving(in_reply_to=known, subject="Secret"))
    work(today)
    assert [each["Subject"] for each in today.delivered(BO)][1:] == ["Printer on fire"]
    assert (today.delivered(TWO), today.delivered(THREE)) == ([], [])
    active = {each["email"]: each["active"] for each in office.all("follower")}
    assert active == {ANNA: True, BO: True, TWO: False, THREE: True}


def delete(office: Office, message: int) -> None:
    """Delete a message in the CRM, as a host does in a form of its own."""
    mails = office.all("messagefollower", conversationmessage=message)
    with office.system.application.unit_of_work() as work:
        for each in mails:
            work.objects.delete("messagefollower", each.id)
        work.objects.delete("conversationmessage", message)


@pytest.mark.parametrize("handed_over", [True, False])
def test_a_message_that_is_deleted_before_its_time_does_not_leave_and_invites_nobody(
    today: Post, handed_over: bool
) -> None:
    office = today.office
    conversation = office.conversation(ANNA, BO)
    start = office.send(conversation)
    today.submit()
    today.tell()
    known = str(office.get("messagefollower", start.messagefollowers[0])["messageid"])
    made = office.send(
        conversation, recipients=(Recipient(TWO), Recipient(THREE)), send_at=later(today)
    )
    if handed_over:
        today.submit()
        assert len(queue(today)) == 4
    other = office.send(conversation, recipients=(Recipient(THREE),), send_at=later(today))
    delete(office, made.conversationmessage)
    if handed_over:
        office.clock.advance(timedelta(minutes=6))
        settle_sends(office.system)
    work(today)
    assert len(queue(today)) == len(other.messagefollowers)
    active = {each["email"]: each["active"] for each in office.all("follower")}
    assert active == {ANNA: True, BO: True, TWO: False, THREE: True}
    import_message(office.system, "support", arriving(in_reply_to=known, subject="Secret"))
    work(today)
    assert (today.delivered(TWO), today.delivered(THREE)) == ([], [])


def test_who_gets_a_message_that_had_left_before_it_was_cancelled_follows(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA), recipients=(Recipient(TWO),))
    today.submit()
    assert len(today.delivered(TWO)) == 1
    with pytest.raises(Conflict):
        cancel(office.services, made.messagefollowers[1])
    assert [each["active"] for each in office.all("follower")] == [True, True]


def test_of_a_message_only_what_waits_is_cancelled(today: Post) -> None:
    office = today.office
    made = office.send(office.conversation(ANNA, BO), send_at=later(today))
    today.submit()
    first, second = made.messagefollowers
    cancel(office.services, second)
    today.tell()
    office.change("messagefollower", first, state="sent")
    with office.application.database.begin() as connection:
        sent = update(OUTBOX).where(OUTBOX.c.messagefollower == first)
        connection.execute(sent.values(state="sent"))
    done = cancel_message(office.services, made.conversationmessage)
    assert (done.cancelled, done.left) == ((second,), (first,))


def test_who_may_not_send_may_not_cancel(office: Office) -> None:
    made = office.send(office.conversation(ANNA), send_at=TOMORROW)
    reader = office.acting_as("reader")
    with pytest.raises(Forbidden):
        cancel(reader, made.messagefollowers[0])
    with pytest.raises(NotFound):
        cancel(office.services, 4711)
    with pytest.raises(NotFound):
        cancel_message(office.services, 4711)
    with pytest.raises(NotFound):
        content(office.services, 4711)
    assert states(office) == ["queued"]


def test_a_received_mail_cannot_be_cancelled(office: Office) -> None:
    conversation = office.conversation(ANNA)
    follower = office.all("follower")[0].id
    received = office.received(conversation, follower, "<theirs@example.org>")
    with pytest.raises(Conflict):
        cancel(office.services, received)
    with pytest.raises(Conflict):
        cancel_message(office.services, office.all("conversationmessage")[0].id)


@pytest.mark.parametrize("people", [2, 40])
def test_cancelling_a_message_costs_the_same_for_any_number_of_mails(
    office: Office, people: int
) -> None:
    made = office.send(office.conversation(*(f"p{each}@example.org" for each in range(people))))
    with office.statements() as seen:
        done = cancel_message(office.services, made.conversationmessage)
    assert len(done.cancelled) == people
    assert len(seen) <= 10, seen
