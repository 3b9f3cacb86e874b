"""Many accounts are deleted in the background, whatever happens to the workers meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select

from limepkg_email import audit
from limepkg_email.accounts import removal_run
from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.accounts.removal import remove
from limepkg_email.accounts.removal_run import ATTEMPTS, start
from limepkg_email.models import JobState, RunState
from limepkg_email.outgoing.abandonment import give_up
from limepkg_email.services import Services
from limepkg_email.tasks import jobs, runs
from limepkg_email.tasks.jobs import ClaimedJob
from limepkg_email.tasks.runs import RunEntry

from .conftest import House


def unknown_there(house: House, count: int) -> list[int]:
    """Accounts that only we have: to delete one the engine is asked all the same."""
    rows = [
        {
            "engine_account": f"lost-{number}",
            "email": f"lost-{number}@example.com",
            "activated_at": house.services.clock(),
            "aliases": [],
            "name": "",
            "enabled": True,
            "state": "missing",
            "last_error": "",
            "parent_limetype": "",
            "create_persons": False,
            "import_unread": True,
        }
        for number in range(count)
    ]
    with house.database.begin() as connection:
        connection.execute(insert(ACCOUNTS), rows)
        return list(connection.scalars(select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id)))


def read(house: House, run: RunEntry) -> RunEntry:
    with house.database.connect() as connection:
        return runs.read(connection, run.guid)


def outcomes(house: House, run: RunEntry) -> list[tuple[int, str]]:
    return [(each["id"], each["outcome"]) for each in read(house, run).result["items"]]


def left(house: House) -> list[int]:
    with house.database.connect() as connection:
        return list(connection.scalars(select(ACCOUNTS.c.id)))


def claimed(house: House) -> ClaimedJob:
    with house.database.begin() as connection:
        job = jobs.claim(connection, house.services.clock(), house.services.config.lease)
    assert job is not None
    return job


def system(house: House) -> Services:
    return replace(house.installation.services, engine=house.services.engine)


def test_many_accounts_are_deleted_one_by_one_with_an_outcome_for_each(house: House) -> None:
    known = house.connected()
    name = house.entry(known).engine_account
    accounts = unknown_there(house, 20)
    run = start(house.services, [*accounts, 4711, accounts[0]])
    assert (run.state, run.total) == (RunState.PENDING, 22)
    assert left(house) == accounts, "nothing happens within the request"
    house.installation.runner.drain()
    done = read(house, run)
    assert (done.state, done.done, done.total) == (RunState.SUCCESS, 22, 22)
    assert outcomes(house, run) == [*((each, "deleted") for each in accounts), (4711, "unchanged")]
    assert done.result["total"] == 22
    assert left(house) == []
    assert house.api("GET", f"/account/{name}").status_code == 404


def test_who_wanted_it_is_audited_although_a_worker_does_it(house: House) -> None:
    accounts = unknown_there(house, 3)
    start(house.services, accounts)
    house.installation.runner.drain()
    entries, _ = audit.listing(house.services)
    actions = ["account.delete"] * 3 + ["account.delete_many"]
    assert [each.action for each in entries[:4]] == actions
    assert {each.user_name for each in entries[:4]} == {"Boss"}
    assert entries[3].after == {"accounts": accounts}


@pytest.mark.parametrize("killed_after", ["engine", "account"])
def test_a_worker_that_is_killed_in_the_middle_loses_and_repeats_nothing(
    house: House, killed_after: str
) -> None:
    accounts = unknown_there(house, 4)
    run = start(house.services, accounts)
    removal_run.work(system(house), first := claimed(house), first.read(), give_up)
    killed = claimed(house)
    ending: Callable[..., Any] = give_up
    if killed_after == "engine":

        def ending(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            removal_run.work(system(house), killed, killed.read(), ending)
    else:
        remove(system(house), [accounts[1]], give_up)  # and then the process ends
    assert (read(house, run).done, read(house, run).state) == (1, RunState.STARTED)
    house.installation.clock.advance(house.services.config.job_lease + 1)
    house.installation.runner.drain()
    assert outcomes(house, run) == [(each, "deleted") for each in accounts]
    assert left(house) == []
    subjects = [each.subject_id for each in audit.listing(house.services, subject="account")[0]]
    assert sorted(subjects) == sorted(str(each) for each in accounts), "once each"


def test_a_job_that_lost_its_lease_changes_nothing_more(house: House) -> None:
    accounts = unknown_there(house, 2)
    run = start(house.services, accounts)
    slow = claimed(house)
    house.installation.clock.advance(house.services.config.job_lease + 1)
    house.installation.runner.drain()
    ended = read(house, run)
    with pytest.raises(jobs.LeaseLost):
        removal_run.work(system(house), slow, slow.read(), give_up)
    assert read(house, run) == ended


def test_an_engine_that_is_away_is_tried_three_times_and_then_the_reason(house: House) -> None:
    accounts = unknown_there(house, 3)
    house.sandbox.control(
        "POST", "/faults", {"path": "/v1/account/lost-1", "status": 503, "times": 1000}
    )
    run = start(house.services, accounts)
    house.installation.runner.drain()
    waiting = read(house, run)
    assert (waiting.state, waiting.done, bool(waiting.reason)) == (RunState.STARTED, 1, True)
    for _ in range(ATTEMPTS):
        house.installation.clock.advance(3600)
        house.installation.runner.drain()
    done = read(house, run)
    assert done.state is RunState.SUCCESS
    assert [each["outcome"] for each in done.result["items"]] == ["deleted", "failed", "failed"]
    assert done.result["items"][2]["reason"] == done.result["items"][1]["reason"] != ""
    assert left(house) == accounts[1:]
    with house.database.connect() as connection:
        assert jobs.counts(connection)[JobState.FAILED] == 0


def test_an_account_that_the_engine_refuses_to_delete_holds_up_no_other(house: House) -> None:
    accounts = unknown_there(house, 3)
    fault = {"method": "DELETE", "path": "/v1/account/lost-1", "status": 400}
    house.sandbox.control("POST", "/faults", fault)
    run = start(house.services, accounts)
    house.installation.runner.drain()
    assert [each for _, each in outcomes(house, run)] == ["deleted", "failed", "deleted"]
    assert left(house) == [accounts[1]]


def test_a_run_that_cannot_go_on_says_why(house: House) -> None:
    run = start(house.services, unknown_there(house, 2))
    removal_run.give_up_run(system(house), claimed(house).read(), "Several workers ended.")
    assert (read(house, run).state, read(house, run).reason) == (
        RunState.FAILURE,
        "Several workers ended.",
    )


def test_a_run_whose_later_job_is_tried_again_by_a_person_ends_well(house: House) -> None:
    accounts = unknown_there(house, 3)
    run = start(house.services, accounts)
    removal_run.work(system(house), first := claimed(house), first.read(), give_up)
    second = claimed(house)
    removal_run.give_up_run(system(house), second.read(), "Several workers ended.")
    with house.database.begin() as connection:
        jobs.set_aside(connection, second, house.services.clock(), "Several workers ended.")
    with house.database.begin() as connection:
        assert jobs.retry_failed(connection, [second.id], house.services.clock()) == 1
    house.installation.runner.drain()
    done = read(house, run)
    assert (done.state, done.done, done.reason) == (RunState.SUCCESS, 3, "")
    assert outcomes(house, run) == [(each, "deleted") for each in accounts]
