"""The texts of settled mails are removed after a while, and nothing is sent twice for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, insert, select, text, update

from limepkg_email.errors import Conflict
from limepkg_email.models import Outbox
from limepkg_email.outgoing.forgetting import SETTLED, TEXT_GONE, forget_texts
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.send import mark_failed, submit_outbox
from limepkg_email.outgoing.transitions import ADVANCES, OUTBOX
from limepkg_email.tasks.jobs import retry_failed
from limepkg_email.tasks.retention import RETENTION
from tests.statements import counted

from .conftest import Office, Post

ANNA = "anna@example.org"


def age(office: Office) -> None:
    """Let the time pass for which texts are kept, and remove what is old."""
    office.clock.advance(timedelta(days=office.services.config.sent_text_retention, seconds=1))
    RETENTION.run(office.system)


def be(office: Office, **values: object) -> None:
    with office.application.database.begin() as connection:
        connection.execute(update(OUTBOX).values(**values))


@pytest.mark.parametrize("state", sorted(ADVANCES))
def test_the_text_of_a_settled_mail_goes_and_the_row_stays(office: Office, state: str) -> None:
    office.send(office.conversation(ANNA))
    be(office, state=state, state_at=office.clock())
    (before,) = office.outbox()
    RETENTION.run(office.system)
    assert office.outbox()[0].payload == before.payload, "it is not old"
    age(office)
    (row,) = office.outbox()
    waits = state in ("queued", "delayed")
    assert (state in SETTLED) is not waits
    assert row.payload == (before.payload if waits else "")
    kept = ("guid", "message_id", "recipient", "state", "messagefollower", "account", "created_at")
    assert [getattr(row, each) for each in kept] == [getattr(before, each) for each in kept]


def test_a_mail_whose_job_comes_once_more_is_not_sent_twice(post: Post) -> None:
    office = post.office
    office.send(office.conversation(ANNA))
    post.submit()
    post.tell()
    be(office, state_at=office.clock())  # the engine's clock is not ours
    age(office)
    (row,) = office.outbox()
    assert (row.state, row.payload) == ("sent", "")
    submit_outbox(office.system, row.guid)
    assert len(post.delivered(ANNA)) == 1


@pytest.mark.parametrize("state", ["failed", "bounced", "cancelled"])
def test_a_mail_whose_text_is_gone_cannot_be_sent_again_and_says_so(
    office: Office, state: str
) -> None:
    (shown,) = office.send(office.conversation(ANNA)).messagefollowers
    be(office, state=state, state_at=office.clock(), queue_id="q1")
    office.change("messagefollower", shown, state=state)
    age(office)
    with pytest.raises(Conflict, match=TEXT_GONE):
        resend(office.services, shown)
    assert [row.state for row in office.outbox()] == [state]
    assert office.get("messagefollower", shown)["state"] == state


def test_an_old_failed_job_that_is_tried_again_sends_nothing_and_the_mail_stays_failed(
    post: Post,
) -> None:
    office = post.office
    (shown,) = office.send(office.conversation(ANNA)).messagefollowers
    (row,) = office.outbox()
    mark_failed(office.system, row.guid, "The engine was away.")
    age(office)
    with office.application.database.begin() as connection:
        retry_failed(connection, None, office.clock())
    submit_outbox(office.system, row.guid)
    assert office.get("messagefollower", shown)["state"] == "failed"
    assert office.get("messagefollower", shown)["reason"] == "The engine was away."
    assert post.delivered(ANNA) == []


def fill(engine: Engine, state_at: datetime, count: int, **values: object) -> None:
    row = {"messagefollower": 1, "payload": "{}", "state": "sent", "created_at": state_at}
    rows = [
        {
            **row,
            "guid": str(uuid4()),
            "message_id": f"<{uuid4()}@x>",
            "account": ("support", "sales", "gone")[number % 3],
            "state_at": state_at,
            **values,
        }
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(insert(OUTBOX), rows)


def test_texts_go_in_batches_of_every_account_and_late_ones_too(office: Office) -> None:
    engine, now = office.application.database, office.clock()
    day = timedelta(days=1)
    fill(engine, now - 3 * day, 25)
    fill(engine, now, 2)

    def forget(before: datetime) -> int:
        with engine.begin() as connection:
            return forget_texts(connection, before, 10)

    assert [forget(now) for _ in range(4)] == [10, 10, 5, 0]
    fill(engine, now - 2 * day, 1, account="late")  # a mail server whose clock is slow
    assert forget(now) == 1
    assert forget(now + day) == 2
    assert forget(now - day) == 0, "a longer retention brings nothing back"
    with engine.connect() as connection:
        assert set(connection.scalars(select(OUTBOX.c.payload))) == {""}


def test_mails_whose_text_is_gone_are_not_looked_at_again(office: Office) -> None:
    engine, now = office.application.database, office.clock()
    fill(engine, now - timedelta(days=60), 20_000, payload="")
    fill(engine, now - timedelta(days=1), 50)
    with engine.begin() as connection:
        while forget_texts(connection, now - timedelta(days=30), 1000):
            pass
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE {Outbox.__tablename__}"))
        connection.commit()
    with counted(engine) as statements, engine.begin() as connection:
        assert forget_texts(connection, now, 1000) == 50
    assert len(statements) <= 4
    (chosen,) = [each for each in statements if "RECURSIVE" in each]
    plan = plan_of(engine, chosen, now)
    assert "ix_limepkg_email_outbox_account_state_at" in plan
    assert "Seq Scan on limepkg_email_outbox" not in plan
    assert "SCAN limepkg_email_outbox" not in plan.replace("USING COVERING INDEX", "")


def plan_of(engine: Engine, statement: str, now: datetime) -> str:
    """How the database would carry out one statement of another call."""
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    plans: list[str] = []

    def note(_c: Any, cursor: Any, given: str, parameters: Any, *_: Any) -> None:
        if given == statement:
            cursor.execute(explain + given, parameters)
            plans.extend(str(row) for row in cursor.fetchall())

    event.listen(engine, "before_cursor_execute", note)
    with engine.begin() as connection:
        forget_texts(connection, now, 1000)
    event.remove(engine, "before_cursor_execute", note)
    return "\n".join(plans)
