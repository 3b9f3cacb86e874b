"""Mails that fail, and an engine that is away, hold up no other mail."""

from __future__ import annotations

from limepkg_email.tasks import jobs
from tests.incoming.recovering import (
    FOLDER,
    Fragile,
    folders,
    found,
    later,
    mail,
    move,
    run,
    subjects,
)
from tests.stack import SUPPORT, Stack


def test_a_mail_that_fails_holds_up_no_other_and_comes_back_when_it_is_mended(
    stack: Stack, fragile: Fragile
) -> None:
    for subject in ("before", "poison", "after"):
        mail(stack, subject)
    later(stack)
    assert found(run(stack)) == {"listed": 3, "imported": 2, "failed": 1}
    stack.settle()
    assert folders(stack) == {"before": "INBOX", "poison": FOLDER, "after": "INBOX"}
    fragile.broken = False
    later(stack)
    assert found(run(stack)) == {"listed": 3, "known": 2, "recovered": 1}
    stack.settle()
    assert set(folders(stack).values()) == {"INBOX"}
    assert not any(each.get("unseen") for each in stack.mailbox(SUPPORT))
    assert found(run(stack)) == {"listed": 3, "known": 3}
    assert set(subjects(stack).values()) == {1}


def test_a_failed_mail_is_tried_six_times_more_at_growing_intervals(stack: Stack) -> None:
    mail(stack, "poison")
    later(stack)
    run(stack)
    stack.settle()
    tried = 0
    for _ in range(72):
        later(stack, 1200)
        before = attempts(stack)
        assert found(run(stack, patient=True)) in (
            {"listed": 1, "failed": 1},
            {"listed": 1, "too_old": 1},
        )
        tried += attempts(stack) - before
    assert tried == 6
    assert attempts(stack) == 7


def attempts(stack: Stack) -> int:
    with stack.installation.services.application.database.connect() as connection:
        (number,) = connection.exec_driver_sql("SELECT attempts FROM limepkg_email_receipt").one()
    return int(number)


def test_failed_mail_is_not_tried_again_after_its_time(stack: Stack, fragile: Fragile) -> None:
    mail(stack, "poison")
    later(stack)
    run(stack)
    stack.settle()
    fragile.broken = False
    later(stack, 1.1 * 86_400)
    assert found(run(stack)) == {"listed": 1, "too_old": 1}
    assert subjects(stack) == {}


def test_a_mail_imported_by_hand_goes_back_to_the_inbox(stack: Stack, fragile: Fragile) -> None:
    stack.sandbox.control("POST", "/webhooks/resume")
    mail(stack, "poison")
    stack.settle()
    fragile.broken = False
    services = stack.installation.services
    with services.application.database.begin() as connection:
        jobs.retry_failed(connection, None, services.clock())
    stack.settle()
    assert (subjects(stack), folders(stack)) == ({"poison": 1}, {"poison": FOLDER})
    assert found(run(stack)) == {"listed": 1, "known": 1}
    assert folders(stack) == {"poison": "INBOX"}


def test_a_failed_mail_that_a_person_put_elsewhere_is_given_up(stack: Stack) -> None:
    mail(stack, "poison")
    later(stack)
    run(stack)
    stack.settle()
    (parked,) = stack.mailbox(SUPPORT)
    move(stack, parked["id"], "Trash")
    later(stack, 10)
    assert found(run(stack)) == {}
    assert attempts(stack) == 2


def test_a_mail_at_which_the_engine_fails_holds_up_no_other(stack: Stack) -> None:
    ids = {subject: mail(stack, subject) for subject in ("one", "two", "three")}
    later(stack)
    path = f"/v1/account/support/message/{ids['two']}"
    fault = {"action": "refuse", "method": "GET", "status": 503, "times": 100, "path": path}
    ordered = stack.sandbox.control("POST", "/faults", fault)["id"]
    report = run(stack)
    assert found(report) == {"listed": 3, "imported": 2, "failed": 1}
    assert not report.error
    stack.sandbox.control("DELETE", f"/faults/{ordered}")
    stack.settle()
    later(stack)
    assert found(run(stack)) == {"listed": 3, "known": 2, "recovered": 1}


def test_an_account_whose_engine_is_away_says_so_and_loses_nothing(stack: Stack) -> None:
    mail(stack, "one")
    later(stack)
    state = {"state": "authenticationError", "error": {"response": "Wrong password"}}
    stack.sandbox.control("PUT", "/accounts/support/state", state)
    assert "authenticat" in run(stack).error
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connected"})
    assert found(run(stack)) == {"listed": 1, "imported": 1}
