"""The recovery against a real engine: what it finds, what it leaves, what it reports."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import update

from limepkg_email import event_log
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.db import table
from limepkg_email.incoming.recovering import reports, scan
from limepkg_email.incoming.recovering.mails import Brought
from limepkg_email.incoming.recovery import begin, recover
from limepkg_email.incoming.recovery_runs import RECOVERY
from limepkg_email.models import AccountReport
from limepkg_email.tasks.schedule import tick
from tests.incoming.arriving import arriving
from tests.incoming.recovering import (
    account_of,
    found,
    later,
    mail,
    move,
    read,
    run,
    subjects,
)
from tests.stack import SUPPORT, Stack


def test_mail_that_no_webhook_brought_is_imported_once_and_marked_as_seen(stack: Stack) -> None:
    mail(stack, "unread")
    read(stack, mail(stack, "read by a person"))
    later(stack)
    assert found(run(stack)) == {"listed": 2, "imported": 2}
    stack.settle()
    assert found(run(stack)) == {"listed": 2, "known": 2}
    assert subjects(stack) == {"unread": 1, "read by a person": 1}
    assert not any(each.get("unseen") for each in stack.mailbox(SUPPORT))
    assert "Text." in str(stack.installation.all("conversationmessage")[0]["body"])


def test_mail_of_the_last_minutes_is_left_to_its_webhook(stack: Stack) -> None:
    mail(stack, "just now")
    assert found(run(stack)) == {"listed": 1, "in_grace": 1}
    later(stack)
    assert found(run(stack)) == {"listed": 1, "imported": 1}


def test_a_forged_date_keeps_no_mail_out(stack: Stack) -> None:
    for years in (-40, 40):
        date = stack.installation.clock() + timedelta(days=365 * years)
        mail(stack, f"from {years}", date=date)
    assert found(run(stack)) == {"listed": 2, "imported": 2}


def test_a_webhook_after_the_recovery_changes_nothing(stack: Stack) -> None:
    mail(stack, "one")
    later(stack)
    run(stack)
    stack.sandbox.control("POST", "/webhooks/resume")
    stack.settle()
    assert subjects(stack) == {"one": 1}
    assert found(run(stack)) == {"listed": 1, "known": 1}


def test_webhooks_and_two_recoveries_at_once_import_each_mail_once(stack: Stack) -> None:
    for number in range(12):
        mail(stack, f"mail {number}")
    later(stack)
    stack.sandbox.control("POST", "/webhooks/resume")
    assert stack.sandbox.wait_until_idle(20)
    account = account_of(stack)
    services = stack.installation.services
    with ThreadPoolExecutor(3) as pool:
        works = pool.submit(stack.installation.runner.drain)
        both = [pool.submit(recover, services, account) for _ in range(2)]
        assert [each.result().unaccounted for each in both] == [0, 0]
        works.result()
    stack.settle()
    assert subjects(stack) == {f"mail {number}": 1 for number in range(12)}


def test_mail_that_no_webhook_can_bring_has_no_grace_period_and_later_mail_has(
    stack: Stack,
) -> None:
    enabled = stack.installation.clock()
    mail(stack, "before")
    mail(stack, "after", date=enabled + timedelta(seconds=90))
    later(stack, 60)
    services, account = stack.installation.services, account_of(stack)
    report = recover(services, account, unannounced_before=enabled)
    assert found(report) == {"listed": 2, "imported": 1, "in_grace": 1}
    assert subjects(stack) == {"before": 1}


def test_webhooks_and_a_recovery_that_does_not_wait_for_them_import_each_mail_once(
    stack: Stack,
) -> None:
    for number in range(12):
        mail(stack, f"mail {number}")
    stack.sandbox.control("POST", "/webhooks/resume")
    assert stack.sandbox.wait_until_idle(20)
    services, account = stack.installation.services, account_of(stack)
    now = stack.installation.clock()
    with ThreadPoolExecutor(3) as pool:
        works = pool.submit(stack.installation.runner.drain)
        both = [pool.submit(recover, services, account, unannounced_before=now) for _ in range(2)]
        for report in (each.result() for each in both):
            assert (report.listed, report.in_grace, report.unaccounted) == (12, 0, 0)
        works.result()
    stack.settle()
    assert subjects(stack) == {f"mail {number}": 1 for number in range(12)}


def test_different_mails_under_one_message_id_are_all_found(stack: Stack) -> None:
    for subject in ("first", "second"):
        mail(stack, subject, message_id="<same@example.org>")
    mail(stack, "third", message_id="")
    later(stack)
    assert found(run(stack)) == {"listed": 3, "imported": 3}
    assert found(run(stack)) == {"listed": 3, "known": 3}


def test_a_mail_of_two_accounts_is_imported_once(stack: Stack) -> None:
    stack.connect("sales", "sales@example.com")
    raw = (
        f"From: anna@example.org\r\nTo: {SUPPORT}\r\nSubject: both\r\nMessage-ID: <both@x.org>\r\n"
        f"Date: {format_datetime(stack.installation.clock())}\r\n\r\nText.\r\n"
    )
    for address in (SUPPORT, "sales@example.com"):
        stack.deliver(raw.encode(), to=address)
    later(stack)
    assert found(run(stack)) == {"listed": 1, "imported": 1}
    assert found(run(stack, "sales")) == {"listed": 1, "second_sightings": 1}


def test_object_ids_of_the_server_identify_mails_as_well(stack: Stack) -> None:
    stack.sandbox.control("POST", "/mailboxes", {"address": SUPPORT, "objectIds": True})
    id = mail(stack, "with an object id")
    later(stack)
    assert found(run(stack)) == {"listed": 1, "imported": 1}
    move(stack, move(stack, id, "Trash"), "INBOX")
    assert found(run(stack)) == {"listed": 1, "known": 1}
    assert subjects(stack) == {"with an object id": 1}


def test_only_the_last_reports_of_an_account_are_kept(stack: Stack) -> None:
    report = table(AccountReport)
    services = stack.installation.services
    progress = begin(services, account_of(stack), patient=False)
    with services.application.database.begin() as connection:
        for name in ("support", "other"):
            for _ in range(reports.KEPT + 5):
                reports.store(connection, name, "", progress, services.clock())
        kept = Counter(connection.execute(report.select()).scalars())
        assert len(kept) == 2 * reports.KEPT
        found, total = reports.listing(connection, account="support", limit=3)
    assert total == reports.KEPT
    assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)


def test_the_log_names_the_mailbox_of_a_recovery_that_did_not_get_to_the_end(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connectError"})
    run(stack)
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connected"})
    mail(stack, "one")
    later(stack)
    monkeypatch.setattr(scan, "bring_in", lambda *_: Brought("imported", arriving()))
    assert run(stack).unaccounted == 1
    noted, _ = event_log.listing(stack.installation.services, account="support")
    texts = {each.code: each.text for each in noted}
    assert texts["recovery_error"].startswith(f"{SUPPORT}: The recovery did not get to the end: ")
    assert texts["recovery_unaccounted"].startswith(f"{SUPPORT}: The recovery could not account")


def test_the_log_names_the_mailbox_of_a_mail_that_could_not_be_imported(stack: Stack) -> None:
    mail(stack, "poison")
    later(stack)
    run(stack)
    ((noted,), _) = event_log.listing(stack.installation.services, level="error")
    assert noted.text.startswith(f"{SUPPORT}: A mail could not be imported: ")


def test_the_schedule_recovers_every_enabled_account(stack: Stack) -> None:
    stack.connect("sales", "sales@example.com")
    stack.connect("paused", "paused@example.com")
    with stack.installation.services.application.database.begin() as connection:
        paused = ACCOUNTS.c.engine_account == "paused"
        connection.execute(update(ACCOUNTS).where(paused).values(enabled=False))
    for address in (SUPPORT, "sales@example.com", "paused@example.com"):
        mail(stack, f"to {address}", to=address)
    later(stack)
    assert tick(RECOVERY, stack.installation.services)
    stack.settle()
    assert subjects(stack) == {f"to {SUPPORT}": 1, "to sales@example.com": 1}
