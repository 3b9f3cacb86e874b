from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.engine.webhook import parse_event
from limepkg_email.errors import Conflict, EngineError, Forbidden, NotFound
from limepkg_email.outgoing.resend import Resent, resend
from limepkg_email.outgoing.scheduled import cancel
from limepkg_email.outgoing.send import mark_failed
from limepkg_email.outgoing.status import apply_delivery_event
from limepkg_email.thread_index import message_id_digest

from .conftest import Office, Post

ANNA = "anna@example.org"


def failed(office: Office) -> int:
    """A mail that the engine took and could not deliver."""
    made = office.send(office.conversation(ANNA))
    [row] = office.outbox()
    data = {"messageId": row.message_id, "queueId": "q1", "error": "550 5.1.1 No such user"}
    event = {"account": "support", "event": "messageFailed", "data": data}
    assert apply_delivery_event(office.system, parse_event(event))
    return made.messagefollowers[0]


def test_a_mail_that_came_back_arrives_when_it_is_sent_again(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "bounce")
    file = office.file("a.txt", b"attached")
    office.send(office.conversation(ANNA), text="Hello", files=(file,))
    post.submit()
    post.tell()
    post.tell()
    [shown] = office.all("messagefollower")
    assert shown["state"] == "bounced"
    post.addressed(ANNA, "accept")
    # The engine has forgotten all of it by now.
    office.clock.advance(timedelta(days=100))
    made = resend(office.services, shown.id)
    assert made == Resent(office.all("conversationmessage")[0].id, shown.id)
    post.submit()
    [mail] = post.delivered(ANNA)
    old, new = sorted(office.outbox(), key=lambda row: row.created_at)
    assert (old.state, new.state) == ("superseded", "queued")
    assert mail["message-id"] == new.message_id != old.message_id
    assert mail["x-limepkg-email"] == f"5f0c.{new.guid}"
    assert [each.get_payload(decode=True) for each in mail.iter_attachments()] == [b"attached"]
    post.tell()
    [shown] = office.all("messagefollower")
    assert (shown["state"], shown["messageid"]) == ("sent", new.message_id)
    assert not shown["reason"]


def test_sending_again_shows_a_waiting_mail_that_can_be_answered(office: Office) -> None:
    id = failed(office)
    old = office.outbox()[0]
    resend(office.services, id)
    [shown] = office.all("messagefollower")
    [new] = [row for row in office.outbox() if row.guid != old.guid]
    assert (shown["state"], shown["reason"] or "", shown["queueid"] or "") == ("queued", "", "")
    assert shown["messageid"] == new.message_id == json.loads(new.payload)["messageId"]
    assert new.author == office.services.application.user.id
    known = {row.digest: row.conversation for row in office.thread()}
    assert known[message_id_digest(new.message_id)] == office.all("conversation")[0].id
    assert {each.key for each in office.jobs()} >= {f"submit:{new.guid}"}
    assert office.wakes


def test_late_news_of_the_first_mail_says_nothing_about_the_second(office: Office) -> None:
    id = failed(office)
    old = office.outbox()[0]
    resend(office.services, id)
    for event in ("messageSent", "messageFailed", "messageBounce"):
        data = {"messageId": old.message_id, "queueId": "q1", "action": "failed"}
        body = {"account": "support", "event": event, "data": data}
        assert apply_delivery_event(office.system, parse_event(body))
    assert office.get("messagefollower", id)["state"] == "queued"
    assert sorted(row.state for row in office.outbox()) == ["queued", "superseded"]


def test_a_double_click_sends_one_mail(office: Office) -> None:
    id = failed(office)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: resend(office.services, id, key="click"), range(4)))
    assert sorted(each.repeated for each in made) == [False, True, True, True]
    assert resend(office.services, id).repeated
    assert len(office.outbox()) == 2


def test_the_same_key_sends_nothing_even_after_the_mail_has_left(office: Office) -> None:
    id = failed(office)
    resend(office.services, id, key="click")
    [new] = [row for row in office.outbox() if row.state == "queued"]
    body = {"account": "support", "event": "messageSent", "data": {"messageId": new.message_id}}
    assert apply_delivery_event(office.system, parse_event(body))
    assert resend(office.services, id, key="click").repeated
    assert len(office.outbox()) == 2


def test_a_mail_that_the_engine_may_have_is_tried_again_under_its_own_key(post: Post) -> None:
    office = post.office
    made = office.send(office.conversation(ANNA))
    post.fault("drop", times=4)
    with pytest.raises(Exception, match="EmailEngine"):
        post.submit()
    mark_failed(office.system, office.outbox()[0].guid, "The engine did not answer.")
    resend(office.services, made.messagefollowers[0])
    while not office.outbox()[0].queue_id:
        with suppress(EngineError):
            post.submit()
    assert len(post.delivered(ANNA)) == 1
    post.tell()
    assert office.all("messagefollower")[0]["state"] == "sent"
    assert len(office.outbox()) == 1


def test_a_cancelled_mail_can_be_sent_after_all(post: Post) -> None:
    office = post.office
    made = office.send(office.conversation(ANNA))
    cancel(office.services, made.messagefollowers[0])
    resend(office.services, made.messagefollowers[0])
    post.submit()
    assert len(post.delivered(ANNA)) == 1


def test_a_sent_mail_is_sent_again_only_when_asked_for(office: Office) -> None:
    made = office.send(office.conversation(ANNA))
    [id] = made.messagefollowers
    data = {"messageId": office.outbox()[0].message_id}
    body = {"account": "support", "event": "messageSent", "data": data}
    apply_delivery_event(office.system, parse_event(body))
    with pytest.raises(Conflict):
        resend(office.services, id)
    assert not resend(office.services, id, even_sent=True).repeated
    assert office.get("messagefollower", id)["state"] == "queued"


def test_what_cannot_be_sent_again_says_why(office: Office) -> None:
    id = failed(office)
    with pytest.raises(Forbidden):
        resend(office.acting_as("reader"), id)
    with pytest.raises(NotFound):
        resend(office.services, 4711)
    conversation = office.all("conversation")[0].id
    received = office.received(conversation, office.all("follower")[0].id, "<a@example.org>")
    with pytest.raises(Conflict, match="not sent from here"):
        resend(office.services, received)
    with office.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(enabled=False))
    with pytest.raises(Conflict, match="disabled"):
        resend(office.services, id)
    assert len(office.outbox()) == 1


def test_sending_again_costs_few_statements(office: Office) -> None:
    id = failed(office)
    for number in range(2):
        with office.statements() as seen:
            resend(office.services, id)
        assert len(seen) <= 16, seen
        message_id = office.get("messagefollower", id)["messageid"]
        data = {"messageId": message_id, "queueId": f"again {number}"}
        body = {"account": "support", "event": "messageFailed", "data": data}
        apply_delivery_event(office.system, parse_event(body))


def test_a_corrected_address_gets_the_mail_and_says_so(post: Post) -> None:
    office = post.office
    post.addressed("wrong@example.org", "bounce")
    conversation = office.conversation()
    follower = office.follower(conversation, "wrong@example.org", name="Anna")
    made = office.send(conversation)
    post.submit()
    post.tell()
    post.tell()
    office.change("follower", follower, email="Anna@Example.org")
    resend(office.services, made.messagefollowers[0])
    [shown] = office.all("messagefollower")
    assert (shown["state"], shown["reason"]) == (
        "queued",
        "Sent again to anna@example.org, not to wrong@example.org.",
    )
    post.submit()
    [mail] = post.delivered(ANNA)
    assert (mail["To"].addresses[0].addr_spec, mail["To"].addresses[0].display_name) == (
        ANNA,
        "Anna",
    )
    assert [row.recipient for row in office.outbox() if row.state != "superseded"] == [ANNA]
    post.tell()
    assert office.all("messagefollower")[0]["state"] == "sent"


def test_a_corrected_mail_that_the_engine_may_have_is_taken_out_of_its_queue(post: Post) -> None:
    office = post.office
    made = office.send(office.conversation("wrong@example.org"))
    [old] = office.outbox()
    mark_failed(office.system, old.guid, "The engine did not answer.")
    office.change("follower", office.all("follower")[0].id, email=ANNA)
    resend(office.services, made.messagefollowers[0])
    assert {f"submit:{row.guid}" for row in office.outbox()} == {each.key for each in office.jobs()}
    post.submit()
    assert (len(post.delivered(ANNA)), post.delivered("wrong@example.org")) == (1, [])


@pytest.mark.parametrize("address", ["support@example.com", "HELP@example.com", "nobody at all"])
def test_nothing_is_sent_again_to_our_own_accounts_or_to_no_address(
    office: Office, address: str
) -> None:
    id = failed(office)
    office.change("follower", office.all("follower")[0].id, email=address)
    with pytest.raises(Conflict):
        resend(office.services, id)
    assert (len(office.outbox()), office.get("messagefollower", id)["state"]) == (1, "failed")
