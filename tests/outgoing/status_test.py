from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from limepkg_email.engine.webhook import Event, MessageComplaint, parse_event
from limepkg_email.outgoing.send import mark_failed, submit_outbox
from limepkg_email.outgoing.status import apply_bounce, apply_delivery_event
from limepkg_email.outgoing.transitions import ADVANCES
from limepkg_email.thread_index import message_id_digest

from .conftest import NOW, Office, Post

ANNA, BO = "anna@example.org", "bo@example.org"
CAPTURES = Path(__file__).parent.parent / "engine" / "captures"
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def waiting(office: Office) -> Office:
    """An office with one mail in the outbox that the engine has not got yet."""
    office.send(office.conversation(ANNA))
    return office


def state(office: Office) -> tuple[object, object]:
    """The state as people see it, after a look that the outbox has the same."""
    shown, entry = office.all("messagefollower")[0], office.outbox()[0]
    assert shown["state"] == entry.state
    assert (shown["queueid"] or None) == entry.queue_id
    return shown["state"], shown["reason"] or ""


def told(office: Office, event: str, **data: Any) -> Event:
    """An event about the mail in the outbox."""
    known = {"messageId": office.outbox()[0].message_id, "queueId": "q1"}
    if event == "messageBounce":
        known["queueId"] = "of another server"
    body = {
        "account": "support",
        "date": LATER.isoformat(),
        "event": event,
        "data": {**known, **data},
    }
    return parse_event(body)


def each_kind(office: Office) -> dict[str, Event]:
    return {
        "delayed": told(office, "messageDeliveryError", error="451 4.7.1 Greylisted"),
        "sent": told(office, "messageSent", response="250 Ok"),
        "failed": told(office, "messageFailed", error="Error: 550 5.1.1 No such user"),
        "bounced": told(
            office,
            "messageBounce",
            action="failed",
            recipient=ANNA,
            response={"status": "5.1.1", "message": "No such user"},
        ),
    }


def apply(office: Office, *events: Event) -> list[bool]:
    return [apply_delivery_event(office.system, each) for each in events]


@pytest.mark.parametrize("kind", ["delayed", "sent", "failed", "bounced"])
def test_each_event_moves_the_state_and_says_since_when_and_why(waiting: Office, kind: str) -> None:
    assert apply(waiting, each_kind(waiting)[kind]) == [True]
    found, reason = state(waiting)
    assert found == kind
    assert bool(reason) == (kind != "sent")
    [shown] = waiting.all("messagefollower")
    # A bounce is dated when it is read: the engine's date is the report's.
    assert shown["statedate"] == (NOW if kind == "bounced" else LATER)


def test_events_in_any_order_and_repeated_end_in_the_same_state(waiting: Office) -> None:
    kinds = each_kind(waiting)
    made = waiting.all("messagefollower")[0].id
    rank = list(kinds)
    for chosen in [pair for size in (2, 3, 4) for pair in permutations(kinds, size)]:
        waiting.change("messagefollower", made, state="queued", queueid=None, reason="")
        with waiting.application.database.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE limepkg_email_outbox SET state = 'queued', queue_id = NULL"
            )
        events = [kinds[each] for each in chosen]
        assert all(apply(waiting, *events, *events))
        assert state(waiting)[0] == max(chosen, key=rank.index), chosen


def test_no_event_leads_back_to_waiting() -> None:
    assert all("queued" not in following for following in ADVANCES.values())
    assert all("delayed" not in ADVANCES[each] for each in ADVANCES if each[0] not in "qd")
    assert set().union(*ADVANCES.values()) <= set(ADVANCES)


@pytest.mark.parametrize(("kind", "code"), [("failed", "5.1.1"), ("bounced", "5.1.1")])
def test_a_failure_is_one_error_of_the_message_however_often_it_is_told(
    waiting: Office, kind: str, code: str
) -> None:
    event = each_kind(waiting)[kind]
    apply(waiting, event, event, event)
    [error] = waiting.all("conversationmessageerror")
    [message] = waiting.all("conversationmessage")
    assert (error["code"], error["recipient"]) == (code, ANNA)
    assert "No such user" in str(error["text"])
    assert error["conversationmessage"] == message.id


def test_a_delay_is_a_state_and_no_error(waiting: Office) -> None:
    apply(waiting, each_kind(waiting)["delayed"])
    assert state(waiting) == ("delayed", "451 4.7.1 Greylisted")
    assert waiting.all("conversationmessageerror") == []


def test_the_newest_reason_of_a_delay_is_shown(waiting: Office) -> None:
    first = each_kind(waiting)["delayed"]
    second = told(waiting, "messageDeliveryError", error="452 4.2.2 Full")
    apply(waiting, first, second)
    assert state(waiting)[1] == "452 4.2.2 Full"


def test_a_mail_that_leaves_in_the_end_shows_no_reason(waiting: Office) -> None:
    kinds = each_kind(waiting)
    apply(waiting, kinds["delayed"], kinds["sent"])
    assert state(waiting) == ("sent", "")


def test_the_same_event_at_the_same_moment_is_one_error(waiting: Office) -> None:
    event = each_kind(waiting)["failed"]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: apply(waiting, event)[0], range(4)))
    assert len(waiting.all("conversationmessageerror")) == 1


def test_events_about_others_mails_are_not_ours(waiting: Office) -> None:
    theirs = {"messageId": "<theirs@example.com>", "queueId": "theirs"}
    for kind in ("messageSent", "messageFailed", "messageDeliveryError", "messageBounce"):
        assert apply(waiting, told(waiting, kind, **theirs)) == [False]
        assert apply(waiting, told(waiting, kind, messageId="", queueId="")) == [False]
    assert apply(waiting, told(waiting, "messageNew")) == [False]
    assert state(waiting) == ("queued", "")


def test_an_event_of_another_account_changes_nothing(waiting: Office) -> None:
    event = replace(each_kind(waiting)["sent"], account="sales")
    assert apply(waiting, event) == [False]
    assert state(waiting) == ("queued", "")


@pytest.mark.parametrize(
    "path",
    [
        path
        for event in ("Sent", "Failed", "DeliveryError", "Bounce")
        for path in sorted(CAPTURES.glob(f"webhook-message{event}*.json"))
    ],
)
def test_what_the_engine_really_sends_is_understood(waiting: Office, path: Path) -> None:
    body = json.loads(path.read_text())["body"]
    body["account"] = "support"
    body["data"]["messageId"] = waiting.outbox()[0].message_id
    assert apply(waiting, parse_event(body)) == [True]
    assert state(waiting)[0] != "queued"


def test_a_mail_server_that_gives_its_own_message_id_breaks_no_thread(waiting: Office) -> None:
    waiting.system.application.database.dispose()
    with waiting.application.database.begin() as connection:
        connection.exec_driver_sql("UPDATE limepkg_email_outbox SET queue_id = 'q1'")
    waiting.change("messagefollower", waiting.all("messagefollower")[0].id, queueid="q1")
    [before] = waiting.outbox()
    apply(waiting, told(waiting, "messageSent", messageId="<theirs@ses.example.net>"))
    [shown] = waiting.all("messagefollower")
    assert (shown["messageid"], shown["state"]) == ("<theirs@ses.example.net>", "sent")
    known = {row.digest: row.conversation for row in waiting.thread()}
    [conversation] = waiting.all("conversation")
    assert known == {
        message_id_digest(before.message_id): conversation.id,
        message_id_digest("<theirs@ses.example.net>"): conversation.id,
    }
    apply(waiting, each_kind(waiting)["bounced"])
    assert state(waiting)[0] == "bounced"


def test_what_was_given_up_and_left_all_the_same_is_shown_as_it_is(waiting: Office) -> None:
    mark_failed(waiting.system, waiting.outbox()[0].guid, "The engine did not answer.")
    assert state(waiting)[0] == "failed"
    apply(waiting, each_kind(waiting)["sent"])
    assert state(waiting) == ("sent", "")


def test_what_was_given_up_and_is_put_off_first_is_followed_too(waiting: Office) -> None:
    mark_failed(waiting.system, waiting.outbox()[0].guid, "The engine did not answer.")
    kinds = each_kind(waiting)
    apply(waiting, kinds["delayed"])
    assert state(waiting)[0] == "delayed"
    apply(waiting, kinds["sent"])
    assert state(waiting) == ("sent", "")


def test_a_message_that_was_deleted_leaves_its_state_in_the_outbox(waiting: Office) -> None:
    [shown] = waiting.all("messagefollower")
    event = each_kind(waiting)["failed"]
    with waiting.system.application.unit_of_work() as work:
        work.objects.delete("messagefollower", shown.id)
    assert apply(waiting, event) == [True]
    assert waiting.outbox()[0].state == "failed"
    assert waiting.all("conversationmessageerror") == []


def test_an_event_costs_few_statements(waiting: Office) -> None:
    for kind, most in (("delayed", 6), ("sent", 5), ("bounced", 8)):
        event = each_kind(waiting)[kind]
        with waiting.statements() as seen:
            apply(waiting, event)
        # One more than named here where the database asks the host's schema for its version.
        assert len(seen) <= most + 1, seen


def complaint(office: Office, *recipients: str) -> MessageComplaint:
    """A report of a recipient to whom the mail is unwanted."""
    data = {
        "headers": {"messageId": office.outbox()[0].message_id},
        "arf": {"originalRcptTo": list(recipients), "feedbackType": "abuse"},
    }
    found = parse_event({"account": "support", "event": "messageComplaint", "data": data})
    assert isinstance(found, MessageComplaint)
    return found


def test_a_complaint_stands_beside_a_sent_mail_once(waiting: Office) -> None:
    apply(waiting, each_kind(waiting)["sent"])
    event = complaint(waiting, ANNA)
    assert apply(waiting, event, event) == [True, True]
    assert state(waiting) == ("sent", f"{ANNA} reported the mail as unwanted.")
    [error] = waiting.all("conversationmessageerror")
    assert (error["code"], error["recipient"]) == ("complaint", ANNA)


def test_who_complains_has_got_the_mail(waiting: Office) -> None:
    apply(waiting, complaint(waiting))
    assert state(waiting) == ("sent", f"{ANNA} reported the mail as unwanted.")
    apply(waiting, each_kind(waiting)["sent"], each_kind(waiting)["delayed"])
    assert state(waiting) == ("sent", f"{ANNA} reported the mail as unwanted.")


def test_a_complaint_changes_no_other_state_and_is_about_our_mails_only(waiting: Office) -> None:
    apply(waiting, each_kind(waiting)["bounced"])
    assert apply(waiting, complaint(waiting, ANNA)) == [True]
    assert state(waiting) == ("bounced", "No such user")
    assert len(waiting.all("conversationmessageerror")) == 2
    assert apply(waiting, replace(complaint(waiting), message_id="<x@y>")) == [False]
    assert apply(waiting, replace(complaint(waiting), message_id="")) == [False]
    assert apply(waiting, replace(complaint(waiting), account="sales")) == [False]


def test_the_author_is_told_once_that_a_mail_did_not_arrive(waiting: Office) -> None:
    kinds = each_kind(waiting)
    apply(waiting, kinds["delayed"], kinds["failed"], kinds["failed"], kinds["bounced"])
    [told_author] = waiting.application.notifications(waiting.services.application.user.id)
    assert ANNA in told_author.text
    assert "No such user" in told_author.text
    [conversation] = waiting.all("conversation")
    assert told_author.url.endswith(f"/conversation/{conversation.id}/")


def test_nobody_is_told_of_a_mail_that_arrived_or_that_nobody_wrote(waiting: Office) -> None:
    kinds = each_kind(waiting)
    apply(waiting, kinds["sent"])
    author = waiting.services.application.user.id
    assert waiting.application.notifications(author) == []
    with waiting.application.database.begin() as connection:
        connection.exec_driver_sql("UPDATE limepkg_email_outbox SET author = NULL")
    apply(waiting, kinds["bounced"])
    assert state(waiting)[0] == "bounced"
    assert waiting.application.notifications(author) == []


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", "bounced"),
        ("Failed", "5.2.2", "bounced"),
        ("delayed", "4.4.1", "delayed"),
        ("delivered", "2.0.0", "sent"),
        ("relayed", "2.0.0", "sent"),
    ],
)
def test_a_delivery_report_moves_the_state_of_the_mail_it_names(
    waiting: Office, action: str, status: str, expected: str
) -> None:
    named = ["<unknown@example.com>", waiting.outbox()[0].message_id]
    assert apply_bounce(waiting.system, named, ANNA, action, status, "The mailbox is full")
    assert state(waiting) == (expected, "The mailbox is full" if expected != "sent" else "")


def test_a_delivery_report_is_about_the_likeliest_mail_it_names(office: Office) -> None:
    conversation = office.conversation(ANNA)
    for number in range(5):
        office.send(conversation, idempotency_key=f"answer {number}")
    sent = office.outbox()
    for about in sent:
        # The mail itself, then what it refers to: earlier mails of ours to the same person.
        named = [about.message_id, *(each.message_id for each in sent if each is not about)]
        assert apply_bounce(office.system, named, ANNA, "failed", "5.1.1", "unknown")
        assert office.get("messagefollower", about.messagefollower)["state"] == "bounced"
        bounced = office.all("messagefollower", state="bounced")
        assert len(bounced) == sent.index(about) + 1


def test_a_report_without_message_id_is_about_the_newest_mail_to_its_recipient(
    office: Office,
) -> None:
    conversation = office.conversation(ANNA, BO)
    for _ in range(2):
        office.send(conversation)
        office.clock.advance(timedelta(hours=1))
    for each in office.outbox():
        event = {"event": "messageSent", "account": "support"}
        apply(office, parse_event({**event, "data": {"messageId": each.message_id}}))
    assert apply_bounce(office.system, [], "ANNA@example.org", "failed", "5.1.1", "unknown")
    states = [(each.recipient, each.state) for each in office.outbox()]
    assert states == [(ANNA, "sent"), (BO, "sent"), (ANNA, "bounced"), (BO, "sent")]


def test_a_report_about_nobody_old_or_foreign_is_not_ours(waiting: Office) -> None:
    apply(waiting, each_kind(waiting)["sent"])
    for named, recipient in (([], ""), ([], BO), (["<x@y>"], ANNA), ([""], "not an address")):
        assert not apply_bounce(waiting.system, named, recipient, "failed", "5.0.0", "x")
    waiting.clock.advance(timedelta(days=30))
    assert not apply_bounce(waiting.system, [], ANNA, "failed", "5.0.0", "x")
    assert state(waiting)[0] == "sent"


def test_a_hostile_report_is_stored_as_one_line(waiting: Office) -> None:
    named = [waiting.outbox()[0].message_id]
    text = "a\x00b\ud800\r\n" + "x" * 50_000
    assert apply_bounce(waiting.system, named, "r" * 999, "failed", "5" * 999, text)
    reason = str(state(waiting)[1])
    assert reason.startswith("ab\ufffd x")
    assert len(reason) <= 1024


def test_a_mail_goes_from_queued_to_sent(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    assert any(post.tell())
    assert state(office) == ("sent", "")
    assert office.all("messagefollower")[0]["statedate"] == office.outbox()[0].state_at


def test_a_webhook_that_is_faster_than_the_answer_to_the_submit_is_not_lost(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.fault("drop", times=9)
    with pytest.raises(Exception, match="EmailEngine"):
        post.submit()
    assert office.outbox()[0].queue_id is None
    assert any(post.tell())
    assert state(office)[0] == "sent"
    assert office.outbox()[0].queue_id
    submit_outbox(office.system, office.outbox()[0].guid)
    assert state(office)[0] == "sent"
    assert len(post.delivered(ANNA)) == 1


def test_a_put_off_mail_is_delayed_with_the_reason_and_then_sent(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "greylist", tries=2)
    office.send(office.conversation(ANNA))
    post.submit()
    events = [each for each in post.events() if each.event.startswith("message")]
    assert [each.event for each in events][:3] == [
        "messageDeliveryError", "messageDeliveryError", "messageSent"
    ]  # fmt: skip
    post.tell(events[:1])
    found, reason = state(office)
    assert found == "delayed"
    assert "Greylisted" in str(reason)
    post.tell(reversed(events))
    assert state(office) == ("sent", "")


def test_a_refused_mail_fails_and_a_returned_one_bounces(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "reject")
    post.addressed(BO, "bounce")
    office.send(office.conversation(ANNA, BO, "cid@example.org"))
    post.submit()
    post.tell()
    post.tell()
    states = [each["state"] for each in office.all("messagefollower")]
    assert states == ["failed", "bounced", "sent"]
    errors = office.all("conversationmessageerror")
    assert {str(each["recipient"]): each["code"] for each in errors} == {ANNA: "5.1.1", BO: "5.1.1"}
