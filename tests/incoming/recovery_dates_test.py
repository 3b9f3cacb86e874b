"""What the recovery imports of the mail of earlier days, and of mail with odd dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from tests.incoming.recovering import (
    found,
    later,
    mail,
    move,
    read,
    run,
    subjects,
)
from tests.stack import SUPPORT, Stack


def test_mail_from_before_the_activation_is_imported_only_if_unread(stack: Stack) -> None:
    old = stack.installation.clock() - timedelta(days=30)
    mail(stack, "old and unread", date=old, received=old)
    read(stack, mail(stack, "old and read", date=old, received=old))
    assert found(run(stack)) == {"listed": 2, "imported": 1, "before_activation": 1}
    assert subjects(stack) == {"old and unread": 1}


def test_without_the_choice_unread_mail_from_before_the_activation_stays_out(stack: Stack) -> None:
    with stack.installation.services.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(import_unread=False))
    old = stack.installation.clock() - timedelta(days=30)
    mail(stack, "old", date=old, received=old)
    mail(stack, "new")
    later(stack)
    assert found(run(stack)) == {"listed": 2, "imported": 1, "before_activation": 1}
    assert subjects(stack) == {"new": 1}


ODD_DATES = {
    "a clock at its beginning": "Thu, 01 Jan 1970 00:00:00 +0000",
    "a queue of three days": format_datetime(datetime.now(UTC) - timedelta(days=3)),
    "no date": "",
    "no date at all": None,
    "nonsense": "yesterday",
    "the future": "Fri, 01 Jan 2100 00:00:00 +0000",
}


@pytest.mark.parametrize("import_unread", [True, False])
def test_a_mail_that_came_after_the_activation_is_imported_whatever_its_date(
    stack: Stack, import_unread: bool
) -> None:
    with stack.installation.services.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(import_unread=import_unread))
    for subject, date in ODD_DATES.items():
        given = [] if date is None else [f"Date: {date}"]
        lines = ["From: anna@example.org", f"To: {SUPPORT}", f"Subject: {subject}", *given]
        raw = "\r\n".join([*lines, f"Message-ID: <{len(subject)}@x.org>", "", "Text.", ""]).encode()
        id = str(stack.deliver(raw)["id"])
        if not import_unread:
            read(stack, id)
    later(stack)
    report = run(stack)
    assert (report.imported, report.before_activation) == (len(ODD_DATES), 0)
    assert subjects(stack) == dict.fromkeys(ODD_DATES, 1)
    came = {each["date"] for each in stack.installation.all("conversationmessage")}
    assert all(stack.installation.clock() - each < timedelta(hours=1) for each in came)  # type: ignore[operator]
    assert run(stack).imported == 0


def test_mail_that_lay_there_before_the_activation_stays_out_whatever_its_date(
    stack: Stack,
) -> None:
    now = stack.installation.clock()
    for days in (0, 1, 4, 6, 400):
        date = now - timedelta(days=days, minutes=1)
        read(stack, mail(stack, f"{days} days", date=date, received=date))
    read(stack, mail(stack, "from 1970", date=datetime(1970, 1, 1, tzinfo=UTC)))
    with stack.installation.services.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(activated_at=now + timedelta(minutes=1)))
    later(stack, 600)
    assert found(run(stack)) == {"listed": 6, "before_activation": 6}


def test_a_mail_moved_back_from_before_the_activation_stays_out(stack: Stack) -> None:
    old = stack.installation.clock() - timedelta(days=3)
    id = mail(stack, "put away", date=old, received=old)
    read(stack, id)
    with stack.installation.services.application.database.begin() as connection:
        soon = stack.installation.clock() + timedelta(minutes=1)
        connection.execute(update(ACCOUNTS).values(activated_at=soon))
    later(stack, 600)
    move(stack, move(stack, id, "Trash"), "INBOX")
    assert found(run(stack)) == {"listed": 1, "before_activation": 1}


def test_a_read_mail_that_a_person_moves_into_the_inbox_is_found_whatever_its_date(
    stack: Stack,
) -> None:
    id = mail(stack, "taken for spam")
    read(stack, id)
    hidden = move(stack, id, "Junk")
    later(stack)
    assert found(run(stack)) == {}
    for _ in range(8):  # a week of complete recoveries: its date is out of their window by now
        later(stack, 86_400)
        run(stack)
    later(stack, 600)
    move(stack, hidden, "INBOX")
    assert found(run(stack)) == {}
    later(stack, 86_400)
    assert found(run(stack)) == {"listed": 1, "imported": 1}


def test_the_window_reaches_back_to_the_last_complete_recovery(stack: Stack) -> None:
    run(stack)
    later(stack, 3600)
    read(stack, mail(stack, "during the outage"))
    fault = {"action": "refuse", "status": 503, "times": 1000, "path": "/v1/account/support/*"}
    for _ in range(5):
        later(stack, 86_400)
        stack.sandbox.control("POST", "/faults", fault)
        assert run(stack).error
    stack.sandbox.control("DELETE", "/faults")
    assert found(run(stack)) == {"listed": 1, "imported": 1}
