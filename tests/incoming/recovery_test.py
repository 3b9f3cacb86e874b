"""The recovery against a real engine: what it finds, what it leaves, what it reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from limepkg_email import event_log
from limepkg_email.accounts.accounts import ACCOUNTS, ConnectedAccount, read_accounts
from limepkg_email.db import table
from limepkg_email.hooks import Decision, hookimpl
from limepkg_email.incoming import receipts
from limepkg_email.incoming.preparation import identify
from limepkg_email.incoming.recovering import listing, reports, scan
from limepkg_email.incoming.recovering.mails import Brought
from limepkg_email.incoming.recovering.progress import TALLIED, Progress
from limepkg_email.incoming.recovering.reports import Report
from limepkg_email.incoming.recovery import begin, go_on, recover
from limepkg_email.incoming.recovery_runs import RECOVERY
from limepkg_email.models import AccountReport, Disposition
from limepkg_email.tasks import jobs
from limepkg_email.tasks.schedule import tick
from tests.incoming.arriving import arriving
from tests.stack import SUPPORT, Stack, running
from tests.statements import counted

GRACE = 121
FOLDER = "Lime CRM Integration Failed"


class Fragile:
    """A filter that breaks on some mails, until it is mended."""

    name = "fragile"
    description = "Breaks."
    broken = True

    def decide(self, message: object) -> Decision | None:
        if self.broken and "poison" in str(getattr(message, "subject", "")):
            raise RuntimeError("no such rule")
        return None

    @hookimpl
    def message_filters(self) -> list[Fragile]:
        return [self]


@pytest.fixture
def fragile() -> Fragile:
    return Fragile()


@pytest.fixture
def stack(database_url: str, tmp_path: Path, fragile: Fragile) -> Iterator[Stack]:
    with running(tmp_path, database_url, extensions=[fragile]) as found:
        found.settle()
        found.sandbox.control("POST", "/webhooks/pause")
        yield found


def account_of(stack: Stack, name: str = "support") -> ConnectedAccount:
    with stack.installation.services.application.database.connect() as connection:
        found = read_accounts(connection).by_engine_account(name)
    assert found is not None
    return found


def run(stack: Stack, name: str = "support", *, patient: bool = False) -> Report:
    report = recover(stack.installation.services, account_of(stack, name), patient=patient)
    counts = report.counts()
    assert report.listed == sum(counts[name] for name in TALLIED if name != "listed")
    return report


def found(report: Report) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: number for name, number in report.counts().items() if number}


def mail(
    stack: Stack,
    subject: str,
    *,
    to: str = SUPPORT,
    date: datetime | None = None,
    message_id: str | None = None,
    received: datetime | None = None,
) -> str:
    """Let a mail arrive, or put one there that was `received` earlier; gives its engine id."""
    stamp = f"Received: from a by b with LMTP id c; {format_datetime(received)}" if received else ""
    lines = [stamp] if received else []
    lines += [f"From: anna@example.org\r\nTo: {to}\r\nSubject: {subject}"]
    lines.append(f"Date: {format_datetime(date or stack.installation.clock())}")
    identity = f"<{subject.replace(' ', '-')}@example.org>" if message_id is None else message_id
    if identity:
        lines.append(f"Message-ID: {identity}")
    exact = {"exact": "true"} if received else {}
    return str(stack.deliver("\r\n".join([*lines, "", "Text.", ""]).encode(), to=to, **exact)["id"])


def read(stack: Stack, id: str) -> None:
    """Let a person read a mail in the mailbox."""
    body = {"flags": {"add": ["\\Seen"]}}
    stack.engine("PUT", f"/account/support/message/{id}", json=body).raise_for_status()


def move(stack: Stack, id: str, path: str) -> str:
    answer = stack.engine("PUT", f"/account/support/message/{id}/move", json={"path": path})
    return str(answer.json()["id"])


def subjects(stack: Stack) -> Counter[str]:
    return Counter(str(each["subject"]) for each in stack.installation.all("conversationmessage"))


def folders(stack: Stack) -> dict[str, str]:
    return {each["subject"]: each["path"] for each in stack.mailbox(SUPPORT)}


def later(stack: Stack, seconds: float = GRACE) -> None:
    stack.installation.clock.advance(seconds)


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


def test_pages_of_any_size_hold_every_mail_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for number in range(10):
        mail(stack, f"mail {number}")
    later(stack)
    assert found(run(stack)) == {"listed": 10, "imported": 10}


def test_mails_that_come_and_go_between_the_pages_shift_none_out(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    ids = [mail(stack, f"mail {number}") for number in range(10)]
    later(stack)
    services, account = stack.installation.services, account_of(stack)
    progress = begin(services, account, patient=False)
    pauses = iter(range(100))

    def disturb() -> bool:
        step = next(pauses)
        if step == 0:  # mails of the first page leave, others come
            for id in ids[-2:]:
                move(stack, id, "Trash")
            mail(stack, "late")
        return True

    while progress.stage != "ended":
        go_on(services, account, progress, enough=disturb)
        # As a job that hands on to the next one.
        progress = Progress.of_payload(json.loads(json.dumps(progress.as_payload())))
    assert not progress.error
    assert subjects(stack) == {f"mail {number}": 1 for number in range(10)}


class CountedPages:
    """The engine without uids, as with the interfaces of Gmail and Microsoft."""

    def __init__(self, stack: Stack) -> None:
        self._engine = stack.installation.services.engine

    def search(self, *arguments: object) -> object:
        found = self._engine.search(*arguments)  # type: ignore[arg-type]
        return replace(found, messages=tuple(replace(each, uid=0) for each in found.messages))

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def test_folders_without_numbers_are_read_until_nothing_new_is_in_them(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for number in range(10):
        mail(stack, f"mail {number}")
    later(stack)
    engine = CountedPages(stack)
    services = replace(stack.installation.services, engine=engine)  # type: ignore[arg-type]
    # Everything is marked as seen between the pages, so the list of unread mail shrinks.
    read_all = {"search": {"unseen": True}, "update": {"flags": {"add": ["\\Seen"]}}}
    progress = begin(services, account_of(stack), patient=False)

    def mark() -> None:
        stack.engine("PUT", "/account/support/messages?path=INBOX", json=read_all)

    go_on(services, account_of(stack), progress, keep=mark)
    assert subjects(stack) == {f"mail {number}": 1 for number in range(10)}
    assert progress.tally.unaccounted == 0


@pytest.mark.parametrize("number", [20, 1000])
def test_finding_nothing_new_costs_a_fixed_number_of_statements(stack: Stack, number: int) -> None:
    for each in range(number):
        mail(stack, f"mail {each}")
    later(stack)
    services = stack.installation.services
    keys = run_with_receipts(stack)
    assert keys == number
    with counted(services.application.database) as statements:
        report = run(stack)
    assert found(report) == {"listed": number, "known": number}
    pages = -(-number // listing.PAGE)
    # The unread mail and the window are two lists of the same mails here.
    assert len(statements) <= 2 * pages + 14, statements


def run_with_receipts(stack: Stack) -> int:
    """Let every mail of the inbox have a receipt, without importing each."""
    services, number = stack.installation.services, 0
    with services.application.database.begin() as connection:
        for page in listing.pages(services.engine, "support", "INBOX", {}):
            for each in page.messages:
                receipts.record(
                    connection, identify("support", each), Disposition.IMPORTED, services.clock()
                )
                number += 1
    return number


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
