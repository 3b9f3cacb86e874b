from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from limepkg_email.db import table
from limepkg_email.models import Job
from limepkg_email.outgoing import unsettled
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.send import submit_outbox
from limepkg_email.outgoing.transitions import FORGOTTEN, OUTBOX
from limepkg_email.outgoing.unsettled import SETTLE_SENDS, settle_sends

from .conftest import Office, Post

ANNA, BO = "anna@example.org", "bo@example.org"
JOBS = table(Job)


def later(office: Office, **by: float) -> None:
    office.clock.advance(timedelta(**by))
    settle_sends(office.system)


def state(office: Office) -> tuple[object, object]:
    shown, row = office.all("messagefollower")[-1], office.outbox()[-1]
    assert shown["state"] == row.state
    return shown["state"], shown["reason"] or ""


def forget_queue(office: Office, queue_id: str = "0123456789abcdef012") -> None:
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(queue_id=queue_id))


def test_a_mail_whose_event_was_lost_is_found_in_the_sent_folder(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    assert len(post.delivered(ANNA)) == 1
    later(office, minutes=14)
    assert state(office) == ("queued", "")
    later(office, minutes=2)
    assert state(office) == ("sent", "")


def test_a_mail_that_the_engine_still_has_is_left_alone(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "greylist", tries=1000)
    office.send(office.conversation(ANNA))
    [row] = office.outbox()
    client = office.services.engine
    queued = client.submit(
        "support",
        {
            "to": [{"address": ANNA}],
            "text": "x",
            "messageId": row.message_id,
            "sendAt": "2099-01-01T00:00:00Z",
        },
    )
    forget_queue(office, queued.queue_id)
    later(office, days=30)
    assert state(office) == ("queued", "")


def test_a_mail_that_failed_without_an_event_fails_with_the_engines_reason(post: Post) -> None:
    office = post.office
    post.addressed(ANNA, "reject")
    office.send(office.conversation(ANNA))
    post.submit()
    assert post.sandbox.wait_until_idle()
    later(office, minutes=20)
    found, reason = state(office)
    assert found == "failed"
    assert "5.1.1" in str(reason)


def test_a_mail_that_nobody_knows_is_given_up_after_a_day_and_can_be_sent_again(
    post: Post,
) -> None:
    office = post.office
    made = office.send(office.conversation(ANNA))
    forget_queue(office)
    later(office, hours=23)
    assert state(office) == ("queued", "")
    later(office, hours=2)
    assert state(office) == ("failed", FORGOTTEN)
    [error] = office.all("conversationmessageerror")
    assert error["text"] == FORGOTTEN
    resend(office.services, made.messagefollowers[0])
    for row in office.outbox():
        submit_outbox(office.system, row.guid)
    assert len(post.delivered(ANNA)) == 1


def test_what_was_given_up_and_is_sent_all_the_same_is_shown_as_it_is(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    events = post.events()
    forget_queue(office)
    post.sandbox.control("POST", "/reset")
    office.clock.advance(timedelta(hours=25))
    settle_sends(office.system)
    assert state(office) == ("failed", FORGOTTEN)
    post.tell(events)
    assert state(office) == ("sent", "")


def test_a_mail_that_is_not_due_yet_is_not_asked_about(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA), send_at=office.clock.now + timedelta(days=10))
    forget_queue(office)
    before = office.outbox()
    later(office, days=9)
    assert office.outbox() == before
    later(office, days=1, minutes=16)
    assert state(office)[0] == "queued"
    later(office, days=1)
    assert state(office) == ("failed", FORGOTTEN)


def test_a_mail_that_lost_its_job_gets_another_one(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    later(office, minutes=16)
    assert len(office.jobs()) == 1
    with office.application.database.begin() as connection:
        connection.execute(delete(JOBS))
    later(office, minutes=10)
    assert office.jobs() == []
    later(office, minutes=10)
    [job], [row] = office.jobs(), office.outbox()
    assert job.key == f"submit:{row.guid}"
    assert office.wakes


def test_a_job_that_runs_is_not_doubled(office: Office) -> None:
    office.send(office.conversation(ANNA))
    with office.application.database.begin() as connection:
        connection.execute(update(JOBS).values(state="running"))
    later(office, minutes=16)
    assert len(office.jobs()) == 1


def test_an_engine_that_is_away_settles_nothing_and_loses_nothing(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA, BO))
    post.submit()
    assert len(post.delivered(ANNA)) == 1
    order = {"action": "refuse", "method": "GET", "path": "/v1/outbox/*", "status": 503}
    post.sandbox.control("POST", "/faults", {**order, "times": 3})
    later(office, minutes=16)
    assert {each["state"] for each in office.all("messagefollower")} == {"queued"}
    later(office, minutes=16)
    assert {each["state"] for each in office.all("messagefollower")} == {"sent"}


def test_many_waiting_mails_have_their_turn_page_by_page(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsettled, "PAGE", 2)
    office = post.office
    office.send(office.conversation(*(f"p{each}@example.org" for each in range(5))))
    post.submit()
    assert post.sandbox.wait_until_idle()
    office.clock.advance(timedelta(minutes=16))
    seen = []
    for _ in range(3):
        settle_sends(office.system)
        states = [each["state"] for each in office.all("messagefollower")]
        seen.append(states.count("sent"))
    assert seen == [2, 4, 5]


@pytest.mark.parametrize("people", [1, 30])
def test_a_page_without_news_costs_the_same_for_any_number_of_mails(
    office: Office, people: int
) -> None:
    office.send(office.conversation(*(f"p{each}@example.org" for each in range(people))))
    office.clock.advance(timedelta(minutes=16))
    with office.statements() as seen:
        settle_sends(office.system)
    assert len(seen) <= 7, seen


def test_it_runs_every_five_minutes(office: Office) -> None:
    assert SETTLE_SENDS.every(office.services.config) == timedelta(minutes=5)


def test_settled_mails_are_not_asked_about(office: Office) -> None:
    office.send(office.conversation(ANNA))
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(state="sent", queue_id="q"))
    later(office, days=3)  # the office has no engine to ask
    with office.application.database.begin() as connection:
        rows: Any = connection.execute(select(OUTBOX.c.state)).scalars().all()
    assert rows == ["sent"]
