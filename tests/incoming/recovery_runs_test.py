"""Recoveries as jobs: one after the other, gone on with after a crash, never two at one account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.recovery_start import start_recovery
from limepkg_email.db import table
from limepkg_email.errors import EngineUnavailable
from limepkg_email.incoming import failures, recovery_runs
from limepkg_email.incoming.recovering import listing, reports, scan
from limepkg_email.incoming.recovering.mails import Brought
from limepkg_email.incoming.recovering.reports import Report
from limepkg_email.incoming.recovery import recover
from limepkg_email.models import Job, RunState
from limepkg_email.tasks import jobs, leases, runs
from limepkg_email.tasks.jobs import ClaimedJob, NewJob
from limepkg_email.tasks.runs import RunEntry
from limepkg_email.tasks.schedule import tick
from tests.incoming.arriving import arriving
from tests.incoming.recovering import GRACE, later, mail, subjects
from tests.stack import SUPPORT, Stack, running

TASK = recovery_runs.TASK
JOB = table(Job)
ADDRESSES = {"support": SUPPORT, "sales": "sales@example.com", "post": "post@example.com"}


@pytest.fixture
def stack(database_url: str, tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path, database_url) as found:
        for name in ("sales", "post"):
            found.connect(name, ADDRESSES[name])
        found.settle()
        found.sandbox.control("POST", "/webhooks/pause")
        for address in ADDRESSES.values():
            mail(found, f"to {address}", to=address)
        later(found)
        yield found


def ids(stack: Stack) -> dict[str, int]:
    return {name: each.id for name, each in stack.installation.accounts.items()}


def entry(stack: Stack, guid: str) -> RunEntry:
    with stack.installation.services.application.database.connect() as connection:
        return runs.read(connection, guid)


def stored(stack: Stack) -> list[Report]:
    with stack.installation.services.application.database.connect() as connection:
        return reports.listing(connection)[0][::-1]


def claimed(stack: Stack) -> ClaimedJob:
    """Take the job of a run, as a worker does."""
    services = stack.installation.services
    with services.application.database.begin() as connection:
        while found := jobs.claim(connection, services.clock(), services.config.lease):
            if found.task == TASK:
                return found
            jobs.finish(connection, found, services.clock())
    raise AssertionError("no recovery waits")


def waiting(stack: Stack) -> list[str]:
    """The states of recovery jobs that are not done."""
    with stack.installation.services.application.database.connect() as connection:
        chosen = select(JOB.c.state).where(JOB.c.task == TASK, JOB.c.state != "done")
        return list(connection.scalars(chosen))


def test_a_run_looks_through_its_accounts_and_tells_how_far_it_is(stack: Stack) -> None:
    services = stack.installation.services
    guid = recovery_runs.start(services, None)
    assert (entry(stack, guid).state, entry(stack, guid).total) == (RunState.PENDING, 3)
    for number in range(3):
        job = claimed(stack)
        recovery_runs.work(services, job, job.read())
        assert entry(stack, guid).done == number + 1
    found = entry(stack, guid)
    assert found.state is RunState.SUCCESS
    assert found.result["accounts"] == 3
    assert found.result["totals"]["imported"] == 3
    assert found.result["totals"]["unaccounted"] == 0
    assert [each.run for each in stored(stack)] == [guid] * 3
    assert waiting(stack) == []


def test_only_the_named_accounts_are_looked_through_and_disabled_ones_are_not(
    stack: Stack,
) -> None:
    services, known = stack.installation.services, ids(stack)
    with services.application.database.begin() as connection:
        disabled = ACCOUNTS.c.id == known["sales"]
        connection.execute(update(ACCOUNTS).where(disabled).values(enabled=False))
    recovery_runs.start(services, [known["sales"], known["post"], known["post"]])
    stack.settle()
    assert [each.account for each in stored(stack)] == ["post"]


def test_a_payload_that_names_nothing_means_every_account(stack: Stack) -> None:
    services = stack.installation.services
    for payload in ({"accounts": None}, {}, None):
        with services.application.database.begin() as connection:
            jobs.enqueue(connection, [NewJob(TASK, payload)], services.clock())
        stack.settle()
    assert [each.account for each in stored(stack)] == ["support", "sales", "post"] * 3
    assert set(subjects(stack).values()) == {1}


def test_one_account_that_cannot_be_reached_stops_no_other(stack: Stack) -> None:
    stack.sandbox.control("PUT", "/accounts/sales/state", {"state": "connectError"})
    guid = recovery_runs.start(stack.installation.services, None)
    stack.settle()
    assert {each.account: bool(each.error) for each in stored(stack)} == {
        "support": False,
        "sales": True,
        "post": False,
    }
    (error,) = entry(stack, guid).result["errors"]
    assert error["account"] == "sales"
    assert entry(stack, guid).state is RunState.SUCCESS
    assert subjects(stack) == {f"to {SUPPORT}": 1, "to post@example.com": 1}


def test_a_run_whose_worker_dies_is_gone_on_with(stack: Stack) -> None:
    services = stack.installation.services
    guid = recovery_runs.start(services, None)
    silent = claimed(stack)  # this worker does the work and dies before it says so
    later(stack, 2 * services.config.job_lease)
    stack.settle()
    assert entry(stack, guid).state is RunState.SUCCESS
    assert set(subjects(stack).values()) == {1}
    with pytest.raises(jobs.LeaseLost):
        recovery_runs.work(services, silent, silent.read())
    assert len(stored(stack)) == 3
    assert set(subjects(stack).values()) == {1}


def test_a_large_account_lets_others_have_their_turn_and_loses_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(recovery_runs, "BUDGET", -recovery_runs.BUDGET)
    for number in range(7):
        mail(stack, f"mail {number}")
    later(stack)
    services = stack.installation.services
    guid = recovery_runs.start(services, [ids(stack)["support"]])
    pieces = 0
    while waiting(stack):
        job = claimed(stack)
        assert entry(stack, guid).state in (RunState.PENDING, RunState.STARTED)
        recovery_runs.work(services, job, job.read())
        pieces += 1
    assert pieces > 4
    (report,) = stored(stack)
    assert (report.imported, report.unaccounted, report.error) == (8, 0, "")
    assert report.listed == 8, "no mail is counted in two jobs"
    assert adds_up(report)
    assert entry(stack, guid).state is RunState.SUCCESS


def adds_up(report: Report) -> bool:
    counts = report.counts()
    return counts.pop("listed") == sum(counts.values())


def test_a_failed_mail_is_counted_once_however_many_jobs_and_folders_it_is_met_in(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(recovery_runs, "BUDGET", -recovery_runs.BUDGET)
    broken = mail(stack, "broken")
    later(stack)
    path = f"/v1/account/support/message/{broken}"
    fault = {"action": "refuse", "method": "GET", "status": 503, "times": 100, "path": path}
    stack.sandbox.control("POST", "/faults", fault)
    services = stack.installation.services
    recovery_runs.start(services, [ids(stack)["support"]])
    while waiting(stack):
        job = claimed(stack)
        recovery_runs.work(services, job, job.read())
        (lying,) = [each for each in stack.mailbox(SUPPORT) if each["subject"] == "broken"]
        if lying["path"] == "INBOX":
            failures.park(services, "support", lying["id"])
    (report,) = stored(stack)
    assert (report.listed, report.imported, report.failed) == (2, 1, 1)
    assert adds_up(report)


def test_a_mail_without_a_receipt_is_unaccounted_and_nothing_else(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "bring_in", lambda *_: Brought("imported", arriving()))
    services = stack.installation.services
    report = recover(services, stack.installation.accounts["support"])
    assert (report.listed, report.imported, report.unaccounted) == (1, 0, 1)
    assert adds_up(report)
    with services.application.database.connect() as connection:
        (kept,) = reports.listing(connection)[0]
    assert kept == report


def test_a_run_that_breaks_off_counts_what_it_came_to(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        mail(stack, f"mail {number}")
    later(stack)
    services, left = stack.installation.services, iter([scan.bring_in] * 2)

    def bring(*arguments: Any) -> Brought:
        for each in left:
            return each(*arguments)
        raise EngineUnavailable("gone")

    monkeypatch.setattr(scan, "bring_in", bring)
    report = recover(services, stack.installation.accounts["support"])
    assert (report.listed, report.imported, bool(report.error)) == (2, 2, True)
    assert adds_up(report)


def test_two_runs_never_look_through_one_account_at_once(stack: Stack) -> None:
    services = stack.installation.services
    account = ids(stack)["support"]
    with services.application.database.begin() as connection:
        held = leases.acquire(
            connection,
            f"recovery:account:{account}",
            "another run",
            services.clock(),
            services.config.lease,
        )
    assert held
    guid = recovery_runs.start(services, [account, ids(stack)["post"]])
    stack.settle(20)
    assert [each.account for each in stored(stack)] == ["post"]
    assert entry(stack, guid).state is RunState.STARTED
    later(stack, services.config.job_lease)
    stack.settle()
    assert [each.account for each in stored(stack)] == ["post", "support"]
    assert entry(stack, guid).state is RunState.SUCCESS


def catching_up(stack: Stack) -> str:
    """Start what enabling an account starts."""
    services = stack.installation.services
    with services.application.database.begin() as connection:
        return start_recovery(services, connection, [ids(stack)["support"]], catching_up=True)


def test_an_account_that_was_just_enabled_is_looked_through_once_it_is_connected(
    stack: Stack,
) -> None:
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connecting"})
    guid = catching_up(stack)
    stack.settle(30)
    assert (stored(stack), entry(stack, guid).state) == ([], RunState.STARTED)
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connected"})
    stack.settle()
    (report,) = stored(stack)
    assert (report.imported, report.error) == (1, "")
    assert entry(stack, guid).state is RunState.SUCCESS


def test_an_account_that_does_not_connect_is_not_waited_for_without_end(stack: Stack) -> None:
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connecting"})
    guid = catching_up(stack)
    stack.settle(200)
    (report,) = stored(stack)
    assert report.error
    assert entry(stack, guid).state is RunState.SUCCESS


def test_the_schedule_starts_none_while_its_last_one_goes_on(stack: Stack) -> None:
    services = stack.installation.services
    recovery_runs.start_scheduled(services)
    recovery_runs.start_scheduled(services)
    assert len(waiting(stack)) == 1
    stack.settle()
    recovery_runs.start_scheduled(services)
    assert len(waiting(stack)) == 1


def test_a_schedule_that_is_switched_off_still_lets_a_person_start_one(
    tmp_path: Path,
) -> None:
    config = {"handle_unprocessed_emails_enabled": False}
    with running(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite", config=config) as stack:
        stack.sandbox.control("POST", "/webhooks/pause")
        mail(stack, "one")
        later(stack, GRACE)
        assert tick(recovery_runs.RECOVERY, stack.installation.services)
        stack.settle()
        assert stored(stack) == []
        recovery_runs.start(stack.installation.services, None)
        stack.settle()
        assert subjects(stack) == {"one": 1}


def test_an_account_that_ends_its_workers_is_passed_over(stack: Stack) -> None:
    services = stack.installation.services
    guid = recovery_runs.start(services, None)
    for _ in range(3):
        claimed(stack)  # and nothing is heard of this worker any more
        later(stack, 2 * services.config.job_lease)
    stack.settle()
    first, *others = stored(stack)
    assert first.error.startswith("Several workers ended")
    assert [each.error for each in others] == ["", ""]
    assert entry(stack, guid).state is RunState.SUCCESS


def test_a_run_that_is_given_up_says_why(stack: Stack) -> None:
    services = stack.installation.services
    guid = recovery_runs.start(services, None)
    job = claimed(stack)
    recovery_runs.given_up(services, job.read(), RuntimeError("no more"))
    assert (entry(stack, guid).state, entry(stack, guid).reason) == (RunState.FAILURE, "no more")


def test_a_run_whose_later_job_is_tried_again_by_a_person_ends_well(stack: Stack) -> None:
    services = stack.installation.services
    guid = recovery_runs.start(services, None)
    first = claimed(stack)
    recovery_runs.work(services, first, first.read())
    second = claimed(stack)
    recovery_runs.given_up(services, second.read(), RuntimeError("no more"))
    with services.application.database.begin() as connection:
        jobs.set_aside(connection, second, services.clock(), "no more")
        assert jobs.retry_failed(connection, [second.id], services.clock()) == 1
    stack.settle()
    assert (entry(stack, guid).state, entry(stack, guid).reason) == (RunState.SUCCESS, "")
    assert set(subjects(stack).values()) == {1}
